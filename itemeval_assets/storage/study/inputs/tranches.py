"""Reads and writes `precision.json`: how many items of the sample runs have come to, and a look."""

from typing import Any

from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.design.precise import digest_of_look, half_width_of
from itemeval_assets.core.design.study import Study
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


def read_look(study: Study) -> PrecisionLook | None:
    """The last look; null before the first. Of another target or design only its items count.

    Raises StoreError.
    """
    config, directory = study.config, _directory(study.name, study.location)
    known = directory.read_json(PRECISION) or {}
    if config.precision is None or known.get("look") is None:
        return None
    try:
        look = PrecisionLook.of_record(known["look"])
    except (TypeError, ValueError) as error:
        raise directory.damaged(PRECISION, "does not say how precise the study is") from error
    if known.get("look_of") == digest_of_look(config, study.design):
        return look
    return look.outdated(half_width_of(config.precision, config.measurement.level))


def keep_tranche(study: str, location: str, items: int) -> None:
    """Keep what is bought from now on, before it is called."""
    _change(study, location, {"items": items})


def keep_look(study: Study, look: PrecisionLook) -> None:
    """Keep what was seen, and of which target and design, for whoever asks how far it is."""
    digest = digest_of_look(study.config, study.design)
    _change(study.name, study.location, {"look": look.record, "look_of": digest})


def _change(study: str, location: str, says: dict[str, Any]) -> None:
    _directory(study, location).update_json(PRECISION, lambda known: {**known, **says})


def _directory(study: str, location: str) -> StudyDirectory:
    return StudyDirectory(open_backend(location), study)
