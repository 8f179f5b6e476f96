"""Images of items, as a page holds them."""

from itemeval_assets.core.errors import StoreError
from itemeval_assets.storage.objects.backends import open_backend
from itemeval_assets.storage.study.images import StudyImages
from itemeval_assets.storage.study.layout import IMAGES


def shown_image(address: str) -> str | None:
    """The image as a data URI; null for one that is gone."""
    location, _, name = address.rpartition(f"/{IMAGES}/")
    try:
        return StudyImages(open_backend(location)).uris([name])[name]
    except StoreError:
        return None
