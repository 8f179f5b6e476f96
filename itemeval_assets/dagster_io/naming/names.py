"""Names in Dagster: asset keys, groups, ops, pools."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import dagster as dg

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.money.providers import provider_of
from itemeval_assets.core.text.words import as_identifier

GENERATE_DIMENSION, GRADE_DIMENSION = "generate", "grade"
# Run tags: the ends of a range; consent to spend, in USD; the reservation that a run draws on.
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
CONSENT_TAG = "itemeval_assets/consent_usd"
# The list of runs shows no tag that begins so.
RESERVED_BY_TAG = ".dagster/itemeval_assets_reserved_by"
# What people find a run by in that list, which sorts its tags and shows some 28 letters of each.
STUDY_TAG, STAGE_TAG, COST_TAG = "study", "stage", "cost"
CONDITION_TAG, GRADER_TAG = "condition", "grader"
# Of runs that the schedule of re-runs asks for: its study.
RERUN_TAG = "itemeval_assets/rerun_of"
# The IO manager of all tables.
TABLES_IO = "study_tables"
# The assets that show figures with their certainty.
FIGURES = ("scores", "comparisons", "reliability", "agreement", "item_statistics")


def identifier(study: Study) -> str:
    """The study's name where Dagster allows letters, digits and `_` only."""
    return as_identifier(study.name)


def on_demand_group(group: str) -> str:
    """The group of assets that pay or publish beside the study's own cells, or only look ahead.

    *Materialize all* of the study's own group means the study.
    """
    return f"{group}_on_demand"


@dataclass(frozen=True)
class Labels:
    """What the assets of a study are found by: group, owners and tags."""

    group: str
    owners: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


def asset_key(study: Study, table: str) -> dg.AssetKey:
    return dg.AssetKey([study.name, table])


def step_name(study: Study, table: str) -> str:
    """The step that makes a table; its run config stands under this name."""
    return f"{identifier(study)}__{table}"


def pool(models: Iterable[str]) -> str | None:
    """The pool of a step that calls these models: the name of their provider.

    Dagster lets no more steps of a pool run at a time than its limit says, in all runs together.
    A step is in one pool: one that calls several providers is in a pool of their joined names,
    with a limit of its own. Mock models have no limit to respect.
    """
    providers = sorted({provider_of(model) for model in models} - {"mockllm"})
    return "+".join(providers) or None
