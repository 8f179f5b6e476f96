"""Tranches: with `precision` a run covers the first items of the sample, and then more.

The items stand in the order of `benchmark.sample`. A larger tranche keeps the smaller one, so that
nothing is paid twice.
"""

from dataclasses import replace

from .study import RunPlan, Study

# Before so many items nothing can be said of how much scores vary.
FIRST = 30
_DEV = "dev"


def tranche_of(study: Study, plan: RunPlan) -> int | None:
    """How many items are bought so far or now; null: the study has no tranches.

    The policy `dev` has its own items, and no tranches.
    """
    if study.config.precision is None or plan.policy == _DEV:
        return None
    return study.snapshot.tranche or FIRST


def with_tranche(study: Study, items: int) -> Study:
    """The study with a tranche of so many items, in this process and those that it starts."""
    return replace(study, snapshot=replace(study.snapshot, tranche=items))
