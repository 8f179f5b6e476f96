"""The table `cells`: every cell of the design with its state.

So nobody takes what is missing for what does not exist. A cell here is what ends in one grading
event: generate x grade condition x item x replication. Plain data: loads without pyarrow.
"""

from enum import StrEnum

from .schemas import GRADINGS_LONG, Column, Table

# What identifies a cell, and says what its conditions are: the index of a release, too.
CELL_COLUMNS = (
    "item_id",
    "dataset_id",
    "dataset_revision",
    "model",
    "prompt_name",
    "prompt_hash",
    "model_config_name",
    "replication",
    "grade_kind",
    "grader_name",
    "grader_model",
    "rubric_name",
    "rubric_hash",
    "scorer_name",
    "gen_condition_id",
    "grade_condition_id",
)


class CellState(StrEnum):
    """What became of a cell. `not_planned`: the policy does not cover it (yet)."""

    done = "done"
    unparsed = "unparsed"
    blank = "blank"
    stale = "stale"
    errored = "errored"
    missing = "missing"
    not_planned = "not_planned"


CELL_STATES = tuple(state.value for state in CellState)

CELLS = Table(
    "cells",
    "one row per cell of the design: generate x grade condition x item x replication",
    ("grade_condition_id", "gen_condition_id", "item_id", "replication"),
    (
        *(
            Column(column.name, column.type, note=column.note)
            for column in GRADINGS_LONG.columns
            if column.name in {"study", "score", *CELL_COLUMNS}
        ),
        Column("state", note=", ".join(CELL_STATES)),
        Column(
            "stage",
            note="what is missing: solutions, item_rubrics or gradings; null if the cell is done",
        ),
        Column(
            "reason", note="text of the error, code of the parse failure, or that people rate it"
        ),
    ),
)
