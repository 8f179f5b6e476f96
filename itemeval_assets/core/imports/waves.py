"""Where the waves of itemeval are here: epochs behind those of the first asking become a time.

A wave there is a block of epochs of the same condition. Here it is a condition of its own, whose
replications count from 1.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from itemeval_assets.core.config.wording import WAVE_NAME

_LONGEST = 32


def names_of(labels: Iterable[str]) -> dict[str, str]:
    """{label there: name here}, in the order of the labels: small letters, digits, `.`, `-`, `_`.

    A name that an earlier label has gets a number.
    """
    found: dict[str, str] = {}
    for label in labels:
        if label not in found:
            taken = {*found.values()}
            name = plain = _plain(label)
            number = 2
            while name in taken:
                name = f"{plain[: _LONGEST - 4]}-{number}"
                number += 1
            found[label] = name
    return found


def _plain(label: str) -> str:
    if re.fullmatch(WAVE_NAME, label):
        return label
    name = re.sub(r"[^a-z0-9._-]+", "-", label.lower()).strip("-._")
    return name[:_LONGEST] or "wave"


def later_runs(
    rows: Iterable[Mapping[str, Any]], manifests: Iterable[Mapping[str, Any]]
) -> dict[str, str]:
    """{run: label of its wave} of the runs that asked again.

    `rows`: solutions of waves. Reads run_id and wave_label.
    """
    told = {row["run_id"]: row["wave_label"] or "" for row in rows}
    return told | {
        one["run_id"]: one.get("wave_label") or ""
        for one in manifests
        if one.get("wave") and one.get("stage") == "generate"
    }


def offsets_of(
    rows: Iterable[Mapping[str, Any]], manifests: Iterable[Mapping[str, Any]]
) -> dict[str, int]:
    """{label: how many epochs come before the first of the wave}.

    `rows`: solutions of waves. A wave that was gone on with at other replications has several
    blocks: the first one counts. Reads wave_label and epoch.
    """
    found: dict[str, int] = {}
    told = [(row["wave_label"] or "", row["epoch"] - 1) for row in rows]
    told += [
        (one.get("wave_label") or "", one["epoch_offset"])
        for one in manifests
        if one.get("wave") and one.get("stage") == "generate" and one.get("epoch_offset")
    ]
    for label, offset in told:
        found[label] = min(offset, found.get(label, offset))
    return found
