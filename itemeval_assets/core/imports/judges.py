"""Which condition of ours a grade condition of itemeval is.

Both ids come of the same payload. That of a judge holds the version of the output format, which
each tool counts by itself: the judge was asked for the same grade with other words.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.design.conditions.ids import condition_id

_FORMAT = "format"


class Known(NamedTuple):
    """A condition of ours, and the version of the format by its source; null: a scorer."""

    condition: GradeCondition
    format: int | None


def known_conditions(
    design: Iterable[GradeCondition], formats: Iterable[int]
) -> Mapping[str, Known]:
    """{id in the source: what it is here}. `formats`: the versions that the source may have."""
    found: dict[str, Known] = {}
    for condition in design:
        if _FORMAT not in condition.payload:
            found[condition.id] = Known(condition, None)
            continue
        for version in formats:
            payload = {**condition.payload, _FORMAT: version}
            id, _ = condition_id(condition.grader.slug_parts, payload)
            found[id] = Known(condition, version)
    return found


def formats_of(manifests: Iterable[Mapping[str, Any]]) -> list[int]:
    """The versions of the format that manifests tell of; 1 where none does."""
    payloads = (
        condition.get("payload", {})
        for manifest in manifests
        for condition in manifest.get("grid_grade") or ()
    )
    return sorted({payload[_FORMAT] for payload in payloads if _FORMAT in payload}) or [1]
