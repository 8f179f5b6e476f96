"""What the list of runs says of a run that calls models: its stage, conditions and cost."""

from collections.abc import Iterable, Mapping, Sequence

import dagster as dg

from itemeval_assets.core.design.partitions import RUBRIC, Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.money.providers import is_mock
from itemeval_assets.core.text.words import dollars

from .names import CONDITION_TAG, COST_TAG, GRADER_TAG, STAGE_TAG, STUDY_TAG


def tag_with_work(
    context: dg.AssetExecutionContext, study: Study, partitions: Sequence[Partition]
) -> None:
    """Tag the run of a step with what it works on."""
    design = study.design
    labels = zip(*map(design.labels_of, partitions), strict=True)
    is_rubric = partitions[0].stage is RUBRIC
    counts = (len(design.written if is_rubric else design.generate), len(design.grade))
    works_on = zip((CONDITION_TAG, GRADER_TAG), labels, counts, strict=False)
    tags = {tag: _alone_or_counted(found, of) for tag, found, of in works_on}
    if COST_TAG in context.op_execution_context.run_tags:
        tags[COST_TAG] = dollars(0)  # a run that repeats another has its tags
    _add(context, {STUDY_TAG: study.name, STAGE_TAG: partitions[0].stage.name, **tags})


def tag_with_cost(
    context: dg.AssetExecutionContext, booked: Iterable[tuple[str, float | None]]
) -> None:
    """Tag the run of a step with what its calls cost, where that is anything: (model, USD)."""
    costs = [(model, usd) for model, usd in booked if usd]
    if costs:
        mark = " (mock)" if all(is_mock(model) for model, _ in costs) else ""
        _add(context, {COST_TAG: f"{dollars(sum(usd for _, usd in costs))}{mark}"})


def _alone_or_counted(labels: Sequence[str], of: int) -> str:
    distinct = list(dict.fromkeys(labels))
    return distinct[0] if len(distinct) == 1 else f"{len(distinct)} of {of}"


def _add(context: dg.AssetExecutionContext, tags: Mapping[str, str]) -> None:
    step = context.op_execution_context
    try:
        if step.instance.has_run(step.run_id):  # one that is called as a function has none
            step.instance.add_run_tags(step.run_id, tags)
    except Exception as error:  # no tag is worth a failed run: the calls are paid
        context.log.warning(f"the run could not be tagged: {type(error).__name__}")
