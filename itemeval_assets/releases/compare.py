"""Two releases of a study, or one and the study as it stands: is one better than the other?

Conditions are matched by their names, for an edited prompt or rubric changes their ids.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import pandas as pd
import pyarrow as pa

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.experiments.layout.settings import ExperimentStorageSettings
from itemeval_assets.measurement import Difference, MeasurementError, adjusted_by_holm
from itemeval_assets.measurement import compare as compared
from itemeval_assets.stages.figures.comparisons.records import Compared, StudyComparisons, told
from itemeval_assets.stages.figures.comparisons.remarks import bounded, words_of
from itemeval_assets.stages.figures.planned import PlannedCells, require_measurable

from .sides import CONDITION, EVENT, GRADER, Side, labelled, sides_of, word_of

# What to call it when these change under the same names. Ids change with what stands before.
_CHANGES = {
    "prompt_hash": "another prompt text",
    "rubric_hash": "another rubric text",
    "grader_model": "another model that judges",
    "gen_condition_id": "other settings of the model",
    "grade_condition_id": "other settings of the grader",
    "dataset_revision": "another revision of the data, whose items may differ",
}
_UNTOLD = (
    " Nobody knows which repeat or criterion of a judge is which where its rubric or settings are"
    " not those of the study any more."
)
_MOST_NAMES = 3


def compare_releases(
    planned: PlannedCells,
    storage: ExperimentStorageSettings,
    before: str,
    after: str | None,
    graders: Collection[str] | None,
) -> StudyComparisons:
    """Each condition of one release less the same of the other, as a family for each grader.

    `after` null: the study as it stands. `graders`: ids of grade conditions of the study, of which
    the names are looked for; null: all that both have.
    """
    sides = sides_of(planned, storage, before, after)
    wanted = None if graders is None else _named(planned, graders)
    rows = pd.concat([side.rows.assign(release=side.name) for side in sides], ignore_index=True)
    rows, said = clustered(planned, labelled(rows, planned.study.design))
    families = []
    for label, group in rows.groupby("graded_by", sort=False):
        key = tuple(group[GRADER].iloc[0])
        if wanted is None or key in wanted:
            scale = _scales(planned).get(key)
            families.append(_family(planned, sides, str(label), scale, group))
    found = [one for one in families if one.differences or one.left_out]
    if not found:
        raise MeasurementError(
            f"{sides[0].name} and {sides[1].name} have no condition and grader in common."
            + _UNTOLD * bool((rows["repeat"] == rows["grade_condition_id"]).any())
        )
    return told(planned, "release", [replace(one, words=[*said, *one.words]) for one in families])


def _named(planned: PlannedCells, graders: Collection[str]) -> set[tuple[str, ...]]:
    return {key_of(planned.study.design.grade_by_id[one]) for one in graders}


def key_of(grader: GradeCondition) -> tuple[str, ...]:
    names = (grader.columns[name] or "" for name in GRADER[:-1])
    return (*names, word_of(grader))


def clustered(planned: PlannedCells, rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """With the clusters that the items have now. Items that the study has no more are left out."""
    if planned.cluster is None:
        return rows, []
    clusters = planned.columns.by_item(planned.cluster)
    known = rows["item_id"].isin(list(clusters))
    gone = rows.loc[~known, "item_id"].nunique()
    items = f"{gone:,} item{'' if gone == 1 else 's'}"
    said = f"{items} that the study has no more, so that nobody knows their cluster: left out."
    found = rows[known]
    clustered = found.assign(**{planned.cluster: found["item_id"].map(clusters)})
    return clustered, [said] if gone else []


def _family(
    planned: PlannedCells,
    sides: tuple[Side, Side],
    graded_by: str,
    scale: tuple[float, float] | None,
    rows: pd.DataFrame,
) -> Compared:
    """Every condition that both sides have, by one grader."""
    found: list[Difference] = []
    left_out: list[tuple[str, str, str]] = []
    same: dict[str, list[str]] = {}
    alone: dict[str, list[str]] = {}
    changed: dict[str, list[str]] = {}
    for label, part in rows.groupby("condition", sort=False):
        names = [f"{label} {side.name}" for side in sides]
        first, other = (part[part["release"] == side.name] for side in sides)
        if first.empty or other.empty:
            alone.setdefault(sides[first.empty].name, []).append(str(label))
            continue
        for what in changes_of(first, other):
            changed.setdefault(what, []).append(str(label))
        if are_same(first, other):
            same[str(label)] = names
            continue
        try:
            found.append(difference_of(planned, names, pd.concat([first, other]), scale))
        except MeasurementError as error:
            left_out.append((names[0], names[1], str(error)))
    why = (
        f"{_listed([*same])}: the grading events of {sides[0].name} and {sides[1].name} are the"
        " same, and there is nothing to compare."
    )
    left_out += [(one, other, why) for one, other in same.values()]
    family = adjusted_by_holm(found, scale)
    said = [f"Only {side} has {_listed(labels)}." for side, labels in alone.items()]
    said += [f"{what[0].upper()}{what[1:]}: {_listed(labels)}." for what, labels in changed.items()]
    return Compared(
        graded_by=graded_by,
        scale=scale,
        differences=[bounded(one) for one in family],
        left_out=left_out,
        words=[*said, *_shared(rows, sides), *words_of(planned, family, scale)],
    )


def difference_of(
    planned: PlannedCells,
    names: Sequence[str],
    rows: pd.DataFrame,
    scale: tuple[float, float] | None,
) -> Difference:
    # An edited rubric has another id, and one name.
    cells = rows.drop(columns=["grade_condition_id", *CONDITION])
    cells["release"] = rows["condition"] + " " + rows["release"]
    require_measurable(pa.table({"score": cells["score"]}))
    return compared(
        cells,
        names[0],
        names[1],
        object="release",
        cluster=planned.checked_cluster,
        scale=scale,
        level=planned.level,
    )


def changes_of(first: pd.DataFrame, other: pd.DataFrame) -> Iterator[str]:
    """What is not the same under the same names. Ids tell what no other column tells."""
    told: set[str] = set()
    for column, what in _CHANGES.items():
        if set(first[column].dropna()) != set(other[column].dropna()):
            cause = {"gen_condition_id": "prompt_hash"}.get(column)
            causes = {"rubric_hash", "grader_model"} if column == "grade_condition_id" else {cause}
            if not causes & told:
                yield what
            told.add(column)


def are_same(first: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether two hold nothing to compare: they are the same grading events."""
    return len(first) == len(other) == len(first[EVENT].merge(other[EVENT], on=EVENT))


def _shared(rows: pd.DataFrame, sides: tuple[Side, Side]) -> Iterator[str]:
    """Events that both have, where these are some of them: there the two differ by nothing."""
    first, other = (rows[rows["release"] == side.name] for side in sides)
    key = [*EVENT, "condition"]
    shared = len(first[key].merge(other[key], on=key))
    if shared and not shared == len(first) == len(other):
        yield (
            f"{shared:,} of {len(other):,} grading events of {sides[1].name} are in"
            f" {sides[0].name} already: nothing was tried again there."
        )


def _scales(planned: PlannedCells) -> Mapping[tuple[str, ...], tuple[float, float] | None]:
    """The scales that the study declares, by the names of its graders."""
    return {key_of(one): one.grader.scale for one in planned.study.design.grade}


def _listed(labels: Sequence[str]) -> str:
    more = len(labels) - _MOST_NAMES
    return ", ".join(labels[:_MOST_NAMES]) + (f", and {more} more" if more > 0 else "")
