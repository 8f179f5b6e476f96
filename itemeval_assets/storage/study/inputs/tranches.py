"""Reads and writes `precision.json`: how many items of the sample runs have come to, and a look."""

from typing import Any

from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.records.precision import PrecisionLook
from itemeval_assets.storage.objects.backends import open_backend
from itemeval_assets.storage.study.directory import StudyDirectory
from itemeval_assets.storage.study.layout import PRECISION

__all__ = ["keep_look", "keep_tranche", "read_look", "read_tranche"]


def read_tranche(config: StudyConfig, location: str) -> int | None:
    """How many items are bought, or being bought; null before the second tranche. StoreError."""
    if config.precision is None:
        return None
    directory = _directory(config.study, location)
    found = (directory.read_json(PRECISION) or {}).get("items")
    if found is None or (isinstance(found, int) and not isinstance(found, bool) and found > 0):
        return found
    raise directory.damaged(PRECISION, "does not say how many items are bought")


def read_look(study: str, location: str) -> PrecisionLook | None:
    """The last look; null before the first. Raises StoreError."""
    directory = _directory(study, location)
    found = (directory.read_json(PRECISION) or {}).get("look")
    try:
        return None if found is None else PrecisionLook.of_record(found)
    except TypeError as error:
        raise directory.damaged(PRECISION, "does not say how precise the study is") from error


def keep_tranche(study: str, location: str, items: int) -> None:
    """Keep what is bought from now on, before it is called."""
    _change(study, location, {"items": items})


def keep_look(study: str, location: str, look: PrecisionLook) -> None:
    """Keep what was seen, for whoever asks how far it is."""
    _change(study, location, {"look": look.record})


def _change(study: str, location: str, says: dict[str, Any]) -> None:
    _directory(study, location).update_json(PRECISION, lambda known: {**known, **says})


def _directory(study: str, location: str) -> StudyDirectory:
    return StudyDirectory(open_backend(location), study)
