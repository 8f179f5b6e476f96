"""Judges that grade each answer several times: how alike their scores are."""

from collections.abc import Iterator, Sequence

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.measurement import MeasurementError, self_agreement

from ..planned import PlannedCells, require_measurable
from .agreed import ITSELF, SAME, Agreement

__all__ = ["said_of_cold", "with_itself"]


def with_itself(planned: PlannedCells, repeats: Sequence[GradeCondition]) -> Iterator[Agreement]:
    """How alike the repeats of one judge are."""
    cells, of = planned.of_graders(repeats), repeats[0].label
    try:
        require_measurable(cells)
        found = self_agreement(
            cells,
            [one.label for one in repeats],
            cluster=planned.checked_cluster,
            level=planned.level,
        )
    except MeasurementError as error:
        yield Agreement(figure=ITSELF, of=of, why=str(error))
        return
    yield Agreement(figure=ITSELF, of=of, estimate=found.alpha)
    same = f"{SAME} {found.n_repeats} repeats"
    yield Agreement(figure=same, of=of, estimate=found.same)


def said_of_cold(repeated: Sequence[Sequence[GradeCondition]]) -> Iterator[str]:
    """That a judge at temperature 0 is asked for the same reply each time."""
    cold = [
        group[0].label
        for group in repeated
        if (call := group[0].grader.asked) and call.settings.get("temperature") == 0
    ]
    if cold:
        yield (
            f"{', '.join(cold)}: asked at temperature 0, repeats show only what the provider varies"
            " by itself. A temperature above 0 shows how sure the judge is."
        )
