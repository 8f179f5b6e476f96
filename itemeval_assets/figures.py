"""The figures of a study with their certainty: one function per command, on a `Study`.

All read the stored tables, and call no model.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .core.design.partitions import GRADE
from .core.design.selection import Words, listed, select, select_grade
from .core.design.study import Study
from .core.errors import ConfigError
from .measurement.arguments import checked_as
from .storage.study.inputs import load_study

if TYPE_CHECKING:
    import pandas as pd

    from .stages.figures.comparisons.named import Facet
    from .stages.figures.comparisons.records import StudyComparisons
    from .stages.figures.items.item_answers import ItemAnswers
    from .stages.figures.items.item_statistics import StudyItems
    from .stages.figures.items.response import Model, StudyResponses
    from .stages.figures.judges.agreement import StudyAgreement
    from .stages.figures.judges.cards import JudgeCard
    from .stages.figures.planned import PlannedCells
    from .stages.figures.reliability import StudyReliability
    from .stages.figures.scores.estimates import Rate
    from .stages.figures.scores.records import StudyScores

__all__ = [
    "agreement",
    "compare",
    "compare_releases",
    "comparisons",
    "condition_list",
    "conditions",
    "irt",
    "item_answers",
    "items",
    "judge_cards",
    "reliability",
    "scores",
]


@checked_as(ConfigError)
def scores(
    config: str | Path | Study,
    *,
    by: str | None = None,
    conditions: Words = None,
    graders: Words = None,
    rubrics: Words = None,
    policy: str | None = None,
    pass_at: int | None = None,
    majority_at: int | None = None,
    passes: float | None = None,
    panel: bool = False,
) -> "StudyScores":
    """The mean score of each generate x grade condition, with its interval and what it leaves out.

    `by` splits each by a metadata column of the items, or by dataset_id. Conditions are selected as
    in `run`. `pass_at`, `majority_at`: the share of items that one, or most, of so many
    replications pass, with a score of `passes` or more, by default the end of the grader's scale.
    `panel`: the mean over the judges of each rubric.
    """
    from .stages.figures.scores.estimates import MEAN, rate
    from .stages.figures.scores.panels import panels
    from .stages.figures.scores.scores import scores as estimated

    asked = _one_rate(pass_at, majority_at, passes, panel=panel)
    planned = _planned(config, policy)
    selected = select(planned.study.design, None, conditions, graders, rubrics).of(GRADE)
    if panel:
        return panels(planned, selected, by)
    figure = rate(planned, *asked, passes) if asked else MEAN
    return estimated(planned, selected, by, figure)


@checked_as(ConfigError)
def compare(
    config: str | Path | Study,
    a: str,
    b: str,
    *,
    by: str | None = None,
    graders: Words = None,
    rubrics: Words = None,
    policy: str | None = None,
) -> "StudyComparisons":
    """Is a better than b on the items that both answered? By each grader that is chosen.

    `a` and `b` are two conditions, models, prompts, configs or graders: labels, slugs, ids, names,
    or what these start with. `by`: does the difference depend on this item column?
    """
    from .stages.figures.comparisons.pair import compare as compared

    planned = _planned(config, policy)
    return compared(planned, a, b, _graders(planned, graders, rubrics), by)


@checked_as(ConfigError)
def compare_releases(
    config: str | Path | Study,
    before: str,
    after: str | None = None,
    *,
    graders: Words = None,
    rubrics: Words = None,
    policy: str | None = None,
) -> "StudyComparisons":
    """Is one release of the study better than another, on the items that both answered?

    Each condition of `before` less the same of `after`; null: less that of the study as it stands.
    A release is a version such as v1.0.0, or `v1.0.0/2025-07-23_12-59-51`. Conditions are matched
    by the names of models, prompts, configs, graders and rubrics; what else changed is said.
    """
    from .releases import compare as releases
    from .releases.publish import storage_for

    planned = _planned(config, policy)
    any_grader = graders is None and rubrics is None
    chosen = None if any_grader else _graders(planned, graders, rubrics)
    storage = storage_for(planned.study)
    return releases.compare_releases(planned, storage, before, after, chosen)


@checked_as(ConfigError)
def comparisons(
    config: str | Path | Study,
    *,
    facet: "Facet" = "condition",
    graders: Words = None,
    rubrics: Words = None,
    policy: str | None = None,
) -> "StudyComparisons":
    """All pairs of the levels of a facet, as one family for each grader.

    `facet`: condition, model, prompt, config or grader.
    """
    from .stages.figures.comparisons.comparisons import comparisons as compared
    from .stages.figures.comparisons.records import COLUMNS

    if facet not in list(COLUMNS):
        raise ConfigError(f"there is no facet {facet!r}; there are: {', '.join(COLUMNS)}")
    planned = _planned(config, policy)
    return compared(planned, _graders(planned, graders, rubrics), facet)


@checked_as(ConfigError)
def reliability(
    config: str | Path | Study,
    *,
    graders: Words = None,
    rubrics: Words = None,
    crossed: bool = False,
    random: Sequence[str] = (),
    policy: str | None = None,
) -> "StudyReliability":
    """Variance components of the scores, and what other numbers of items and replications reach.

    Of each grader by itself; `crossed`: of all that are chosen, as a facet. Among others, a judge
    counts once, by the first of its chosen repeats; of one judge alone, its repeats are crossed.
    Items and replications are random; prompt, config and grader are fixed unless `random` names
    them.
    """
    from .stages.figures.reliability import reliability as estimated

    planned = _planned(config, policy)
    chosen = _graders(planned, graders, rubrics)
    return estimated(planned, chosen, crossed=crossed, random=random)


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
    from .stages.figures.judges.agreement import agreement as estimated

    planned = _planned(config, policy)
    chosen = _graders(planned, graders, rubrics)
    if graders is None and rubrics is None:
        chosen = [one.id for one in planned.study.design.grade if one.grader.call]
    return estimated(planned, chosen)


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
    planned = _planned(config, policy)
    wanted = select_grade(planned.study.design, judges)
    found = agreement(planned.study, graders=graders, rubrics=rubrics, policy=policy)
    labels = {planned.study.design.labels[one] for one in wanted}
    cards = [card for card in found.cards if card.judge in labels]
    if not cards:
        known = ", ".join(card.judge for card in found.cards) or "none"
        raise ConfigError(f"judge: {judges!r} is no judge that is compared; judges: {known}")
    return cards


@checked_as(ConfigError)
def items(
    config: str | Path | Study,
    *,
    graders: Words = None,
    rubrics: Words = None,
    policy: str | None = None,
) -> "StudyItems":
    """Difficulty, discrimination, flips and quarrels of each item; which are odd, and why."""
    from .stages.figures.items.item_statistics import item_statistics as estimated

    planned = _planned(config, policy)
    return estimated(planned, _graders(planned, graders, rubrics))


@checked_as(ConfigError)
def irt(
    config: str | Path | Study,
    *,
    model: "Model" = "2pl",
    passes: float | None = None,
    graders: Words = None,
    rubrics: Words = None,
    policy: str | None = None,
) -> "StudyResponses":
    """Item response theory: the difficulty of items and the ability of conditions on one scale.

    `model`: 1pl or 2pl, by the scores of each grader. A score of `passes` or more is right, by
    default the end of the grader's scale. Needs the extra `irt`, and 30 conditions or more.
    """
    from .stages.figures.items.response import irt as estimated

    planned = _planned(config, policy)
    return estimated(planned, _graders(planned, graders, rubrics), model, passes)


@checked_as(ConfigError)
def item_answers(
    config: str | Path | Study,
    items: str | Sequence[str],
    *,
    conditions: Words = None,
    graders: Words = None,
    rubrics: Words = None,
    policy: str | None = None,
) -> "list[ItemAnswers]":
    """What stands behind the figures of these items: question, answers, scores, and their logs."""
    from .stages.figures.items.item_answers import item_answers as found

    planned = _planned(config, policy)
    selected = select(planned.study.design, None, conditions, graders, rubrics).of(GRADE)
    return found(planned, listed("items", items), selected)


def conditions(config: str | Path | Study) -> "pd.DataFrame":
    """Every condition of the design with all its parts, to be joined by `condition_id`."""
    import pandas as pd

    return pd.DataFrame(condition_list(config))


def condition_list(config: str | Path | Study) -> list[dict[str, Any]]:
    """`conditions` as plain records."""
    from .stages.figures.conditions import conditions as listed

    return listed(_as_study(config))


def _one_rate(
    pass_at: int | None, majority_at: int | None, passes: float | None, *, panel: bool
) -> "tuple[Rate, int] | None":
    """The rate that is asked for. Raises ConfigError where several figures are."""
    rates: list[tuple[Rate, int]] = []
    if pass_at is not None:
        rates.append(("pass", pass_at))
    if majority_at is not None:
        rates.append(("majority", majority_at))
    if len(rates) + panel > 1:
        raise ConfigError("pass_at, majority_at and panel are figures by themselves: choose one")
    if passes is not None and not rates:
        raise ConfigError("passes says which scores pass: it goes with pass_at or majority_at")
    return rates[0] if rates else None


def _graders(planned: "PlannedCells", graders: Words, rubrics: Words) -> list[str]:
    return select_grade(planned.study.design, graders, rubrics)


def _planned(config: str | Path | Study, policy: str | None) -> "PlannedCells":
    from .stages.figures.planned import PlannedCells
    from .stages.items import known
    from .storage.study.store import open_store

    study = _as_study(config)
    store = open_store(study)
    store.require_layout()
    planned = PlannedCells(study, store, known(study, store), policy)
    planned.require_clusters()
    return planned


def _as_study(config: str | Path | Study) -> Study:
    return config if isinstance(config, Study) else load_study(config)
