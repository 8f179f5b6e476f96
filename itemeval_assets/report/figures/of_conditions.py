"""The document of conditions."""

from collections.abc import Mapping, Sequence
from typing import Any

from itemeval_assets.report.render.document import Document
from itemeval_assets.report.views import View, conditions_view

__all__ = ["conditions"]


def conditions(rows: Sequence[Mapping[str, Any]]) -> Document:
    """Every condition of the design, with what tells it from the others."""
    stages = {
        stage: [row for row in rows if row["stage"] == stage]
        for stage in ("generate", "rubric", "grade")
    }
    blocks: list[str | View] = [
        conditions_view(some, f"{stage} conditions") for stage, some in stages.items() if some
    ]
    blocks.append(
        "Only what differs is shown. `--out FILE.csv` has all parts: names in full, hashes,"
        " settings, repeat."
    )
    return Document("Conditions", blocks, {}, conditions_view(rows))
