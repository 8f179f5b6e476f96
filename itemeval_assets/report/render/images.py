"""Images of items: a line that names one, which a page shows."""

from itemeval_assets.core.errors import StoreError
from itemeval_assets.storage.objects.backends import open_backend
from itemeval_assets.storage.study.images import StudyImages
from itemeval_assets.storage.study.layout import IMAGES

__all__ = ["ImageLine", "shown_image"]


class ImageLine(str):
    """`Image: ` and where it lies. A type of its own: no text of an item is taken for one."""

    __slots__ = ()

    @property
    def image(self) -> str:
        return self.partition(": ")[2]


def shown_image(address: str) -> str | None:
    """The image as a data URI; null for one that is gone."""
    location, _, name = address.rpartition(f"/{IMAGES}/")
    try:
        return StudyImages(open_backend(location)).uris([name])[name]
    except StoreError:
        return None
