"""Stages and partitions: which calls belong together, and under which names they are kept."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Stage:
    """A stage that makes calls.

    `name` is that of the ledger, the logs and the manifests. `table` holds its rows. Its runs
    write `assets`: the rows, what they cost, and what follows from them without a call.
    """

    name: str
    table: str
    assets: tuple[str, ...]

    @property
    def ledger(self) -> str:
        """The asset of what its calls cost."""
        return self.assets[1]


# The preflight tries models and fills no cell: only what its calls cost is kept.
PREFLIGHT = Stage("preflight", "replaced", ("preflight",))
GENERATE = Stage("generate", "solutions", ("solutions", "generation_ledger"))
GRADE = Stage("grade", "gradings", ("gradings", "grading_ledger", "gradings_long"))
# Models write rubrics of items, by which judges grade.
RUBRIC = Stage("rubric", "item_rubrics", ("item_rubrics", "rubric_ledger"))
STAGES = PREFLIGHT, GENERATE, RUBRIC, GRADE
# The tables of what calls bring.
PAID = tuple(stage.table for stage in (GENERATE, RUBRIC, GRADE))
_BY_LENGTH = PREFLIGHT, GENERATE, GRADE
# Ids of rubric conditions: those of generate conditions have three parts at least.
_RUBRIC_ID = re.compile(r"rubric_[a-z0-9-]+--[0-9a-f]{12}")


class Partition(tuple[str, ...]):
    """The ids of the conditions whose calls belong together; one condition of one stage.

    (gen_condition_id,) when generating; (gen_condition_id, grade_condition_id) when grading; the id
    of a rubric condition where rubrics are written; () for the preflight. A tuple, as JSON and
    notebooks show it.
    """

    __slots__ = ()

    def __new__(cls, ids: Iterable[str] = ()) -> "Partition":
        made = super().__new__(cls, ids)
        if len(made) >= len(_BY_LENGTH):
            raise ValueError(f"{tuple(made)} names more conditions than a partition has")
        return made

    @property
    def stage(self) -> Stage:
        if len(self) == 1 and _RUBRIC_ID.fullmatch(self[0]):
            return RUBRIC
        return _BY_LENGTH[len(self)]

    @property
    def generate(self) -> str:
        """The id of the generate condition. The preflight has none: IndexError."""
        return self[0]

    @property
    def grade(self) -> str:
        """The id of the grade condition. Only gradings have one: else IndexError."""
        return self[1]

    @property
    def condition_id(self) -> str:
        """The condition that makes the calls; of the preflight, which has none, "(preflight)"."""
        return self[-1] if self else f"({self.stage.name})"

    @property
    def gen_condition_id(self) -> str | None:
        """The condition whose solutions are graded; None where nothing is graded."""
        return self.generate if self.stage is GRADE else None

    @property
    def solutions(self) -> "Partition":
        """The partition of the solutions: of gradings those that they grade, else itself."""
        return Partition(self[:1])

    @property
    def columns(self) -> dict[str, str | None]:
        """What rows about calls of all stages say of their partition."""
        return {
            "stage": self.stage.name,
            "condition_id": self.condition_id,
            "gen_condition_id": self.gen_condition_id,
        }


class NamedPartition(NamedTuple):
    """A partition, and the label that people know it by."""

    partition: Partition
    label: str
