"""How judges agree, and each by itself."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from itemeval_assets.core.design.selection import Words, listed, select_grade
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.measurement.arguments import checked_as

from .opening import graded_cells, graders_of, notes_of

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.judges.agreement import StudyAgreement
    from itemeval_assets.stages.figures.judges.cards import JudgeCard

__all__ = ["agreement", "judge_cards"]


@checked_as(ConfigError)
def agreement(
    config: str | Path | Study,
    *,
    graders: Words = None,
    rubrics: Words = None,
    policy: str | None = None,
) -> "StudyAgreement":
    """How judges agree: kappas, alpha, ICC; severity, self-preference, and length of answers.

    Of all judges, unless graders are chosen: these may be scorers. Each counts once; the repeats
    of a judge tell how it agrees with itself.
    """
    from itemeval_assets.stages.figures.judges.agreement import agreement as estimated

    planned = graded_cells(config, policy)
    chosen = graders_of(planned, graders, rubrics)
    if graders is None and rubrics is None:
        chosen = [one.id for one in planned.study.design.first_graded if one.grader.asked]
    found = estimated(planned, chosen)
    return replace(found, words=[*notes_of(planned), *found.words])


@checked_as(ConfigError)
def judge_cards(
    config: str | Path | Study,
    judges: Words,
    *,
    graders: Words = None,
    rubrics: Words = None,
    policy: str | None = None,
) -> "list[JudgeCard]":
    """The `cards` of `agreement` of these judges. Raises ConfigError where one is no judge."""
    planned = graded_cells(config, policy)
    wanted = select_grade(planned.study.design, judges)
    found = agreement(planned.study, graders=graders, rubrics=rubrics, policy=policy)
    labels = {planned.study.design.labels[one] for one in wanted}
    cards = [card for card in found.cards if card.judge in labels]
    if not cards:
        known = ", ".join(card.judge for card in found.cards) or "none"
        asked = ", ".join(listed("judge", judges or []))
        raise ConfigError(f"judge: {asked} is no judge of this study; its judges are: {known}")
    return [replace(card, words=[*notes_of(planned), *card.words]) for card in cards]
