"""What a run can tell apart, said before anybody consents to its cost."""

from itemeval_assets.core.design.study import Study, run_plan
from itemeval_assets.core.errors import ItemevalAssetsError
from itemeval_assets.core.text.words import dollars
from itemeval_assets.measurement import MeasurementError, plan_frontier
from itemeval_assets.measurement.planning.designs import Cost
from itemeval_assets.stages.projection.estimate import StudyEstimate
from itemeval_assets.storage.study.store import ResultsStore

from ..comparisons.remarks import about_points
from ..planned import PlannedCells
from .plan import full_policy, judges_of
from .variances import Pair, pair_of, variances_of

__all__ = ["resolution"]

_POWER = 0.8
_MOST_GRADERS = 3


def resolution(
    study: Study, store: ResultsStore, policy: str | None, found: StudyEstimate
) -> list[str]:
    """A sentence where stored rows tell the variances; nothing where they do not."""
    planned = PlannedCells(study, store, store.read("items"), policy)
    try:
        pair = pair_of(planned, None, None)
        known = _by_grader(planned, pair, found) if planned.is_graded else []
    except (ItemevalAssetsError, MeasurementError):
        return []
    if not known:
        return []
    listed = ", of ".join(known[:_MOST_GRADERS])
    return [
        f"This run resolves differences of {listed} (two conditions, {100 * _POWER:g} %"
        f" power), for at most {dollars(found.remaining.usd)}"
    ]


def _by_grader(planned: PlannedCells, pair: Pair, found: StudyEstimate) -> list[str]:
    study, alpha = planned.study, 1 - planned.level
    plan = run_plan(study.config, planned.policy)
    stored = PlannedCells(study, planned.store, planned.items, full_policy(planned))
    told = []
    for judge in judges_of(stored, [one.id for one in study.design.first_graded]):
        repeats = len(study.design.repeats_of(judge))
        try:
            variances = variances_of(stored, judge, pair, {})
        except MeasurementError:
            continue
        [design] = plan_frontier(
            variances,
            lambda *_: Cost(0),
            items=[max(2, found.tranche or found.items)],
            replications=[plan.replications],
            repeats=[repeats],
            alpha=alpha,
            power=_POWER,
        )
        told.append(f"{about_points(design.detect, judge.grader.scale)} or more by {judge.label}")
    return told
