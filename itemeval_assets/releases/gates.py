"""The gate of a study: against a release of it, or against another of its conditions."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

import pandas as pd

from itemeval_assets.core.config.sections import GateConfig
from itemeval_assets.core.design.conditions.conditions import GenerateCondition, GradeCondition
from itemeval_assets.core.design.selection import select_generate, select_grade
from itemeval_assets.core.errors import ConfigError, ItemevalAssetsError
from itemeval_assets.experiments.layout.settings import ExperimentStorageSettings
from itemeval_assets.measurement import MeasurementError
from itemeval_assets.stages.figures.comparisons.named import names_of
from itemeval_assets.stages.figures.gates.judging import Bench, Lacking, gate_of
from itemeval_assets.stages.figures.gates.of_conditions import judged_conditions, whole_variance
from itemeval_assets.stages.figures.gates.records import Judged, StudyGate
from itemeval_assets.stages.figures.planned import PlannedCells
from itemeval_assets.stages.figures.plans.plan import judges_of

from .compare import are_same, changes_of, clustered, difference_of, key_of
from .publish import storage_for
from .sides import CONDITION, GRADER, NOW, Side, labelled, sides_of, wave_words

_VERSION = re.compile(r"v?\d+(\.\d+){0,2}(/.+)?")


def gate(planned: PlannedCells, asked: GateConfig) -> StudyGate:
    """PASS, FAIL or INCONCLUSIVE by each grader that is asked for.

    Raises ConfigError or MeasurementError, with the YAML path, for what is no gate of this study.
    """
    judges = _metrics(planned, asked)
    if _is_release(planned, asked.against):
        return _against_release(planned, asked, judges)
    if asked.candidate is None:
        raise ConfigError(
            f"gate.candidate: name what is compared with {asked.against}, of the same kind; only"
            " against a release it may be left out"
        )
    bench = Bench(planned, asked.margin, len(judges))
    try:
        found, notes = judged_conditions(bench, asked.candidate, asked.against, judges)
    except ConfigError as error:
        place = "" if str(error).startswith("gate.") else "gate.candidate, gate.against: "
        raise ConfigError(f"{place}{error}") from error
    return gate_of(bench, asked.against, found, notes)


def _metrics(planned: PlannedCells, asked: GateConfig) -> list[GradeCondition]:
    """Those that are named; without names the graders of runs, as they grade the first time."""
    design = planned.study.design
    try:
        chosen = select_grade(design, asked.metrics)
    except ConfigError as error:
        raise ConfigError(f"gate.metrics: {error}") from error
    if asked.metrics is None:
        chosen = [one.id for one in design.first_graded if not one.grader.by_people]
    if not chosen:
        raise ConfigError(
            "gate.metrics: people alone grade this study; name those whose ratings must pass"
        )
    return judges_of(planned, chosen)


def _is_release(planned: PlannedCells, word: str) -> bool:
    """What looks like a version, and is no name of the design."""
    known = {
        name
        for levels in names_of(planned.study.design).values()
        for names in levels.values()
        for name in names
    }
    return word not in known and _VERSION.fullmatch(word) is not None


@dataclass(frozen=True)
class _Sides:
    """The grading events of a release and of now, those of one condition and grader at a time."""

    planned: PlannedCells
    release: Side
    rows: pd.DataFrame
    notes: list[str]

    def of(
        self, condition: GenerateCondition, judge: GradeCondition
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Now, and in the release. Raises ConfigError where the release has none."""
        label = condition.label
        names = [condition.model, condition.prompt.name, condition.model_config_name]
        names += [wave_words(condition), *key_of(judge)]
        wanted = dict(zip([*CONDITION, *GRADER], names, strict=True))
        is_it = (self.rows[list(wanted)] == pd.Series(wanted)).all(axis=1)
        mine = self.rows[is_it]
        now, before = (mine[mine["release"] == side] for side in (NOW, self.release.name))
        if before.empty:
            there = ", ".join(dict.fromkeys(self._released()["condition"])) or "none"
            raise ConfigError(
                f"gate.against: {self.release.name} has no {label} by {judge.label}, so it is a"
                f" release of another design; its conditions: {there}. Name one with"
                " gate.candidate, or another release"
            )
        if now.empty:
            raise MeasurementError(f"gate: {label} has no score by {judge.label} yet")
        return now, before

    def _released(self) -> pd.DataFrame:
        return self.rows[self.rows["release"] == self.release.name]


def _against_release(
    planned: PlannedCells, asked: GateConfig, judges: Collection[GradeCondition]
) -> StudyGate:
    """Each condition that is asked for, by each grader: all must pass."""
    sides = _sides(planned, storage_for(planned.study), asked.against)
    design = planned.study.design
    try:
        ids = select_generate(design, asked.candidate)
    except ConfigError as error:
        raise ConfigError(f"gate.candidate: {error}") from error
    pairs = [(design.generate_by_id[id], judge) for id in ids for judge in judges]
    bench = Bench(planned, asked.margin, len(pairs))
    found = [_of_pair(bench, sides, condition, judge) for condition, judge in pairs]
    return gate_of(bench, sides.release.name, found, sides.notes)


def _sides(planned: PlannedCells, storage: ExperimentStorageSettings, against: str) -> _Sides:
    try:
        release, now = sides_of(planned, storage, against, None)
    except ItemevalAssetsError as error:
        raise ConfigError(f"gate.against: {error}") from error
    rows = pd.concat(
        [side.rows.assign(release=side.name) for side in (release, now)], ignore_index=True
    )
    rows, notes = clustered(planned, labelled(rows, planned.study.design))
    return _Sides(planned, release, rows, notes)


def _of_pair(
    bench: Bench, sides: _Sides, condition: GenerateCondition, judge: GradeCondition
) -> Judged:
    now, before = sides.of(condition, judge)
    label = condition.label
    names = (label, f"{label} of {sides.release.name}")
    # Of now, not of the release: what failed has no row that could be compared.
    planned = bench.planned.of_grader(judge, [condition.id])["score"]
    lacking = Lacking(planned.null_count, len(planned))
    # Items that were bought since have nothing in the release to be compared with.
    shared = now[now["item_id"].isin(before["item_id"])]
    if are_same(before, shared):
        return bench.same(judge, names, shared["item_id"].nunique(), lacking)
    labels = [f"{now['condition'].iloc[0]} {side}" for side in (NOW, sides.release.name)]
    both = pd.concat([now, before])
    try:
        found = difference_of(bench.planned, labels, both, judge.grader.scale)
    except MeasurementError as error:
        raise MeasurementError(f"gate, {label} by {judge.label}: {error}") from error
    changed = [f"{what[0].upper()}{what[1:]}." for what in changes_of(before, now)]
    variance = partial(whole_variance, bench.planned, judge, found)
    judged = bench.judged(judge, found, names, lacking, variance, tuple(changed))
    if judged.verdict == "INCONCLUSIVE":
        judged.words.append(
            f"Further items count only where {sides.release.name} has them: compare with a"
            " condition of this study to buy both sides."
        )
    return judged
