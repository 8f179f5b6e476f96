"""The public API as its users call it: pyright checks the types, and nobody runs this file.

A changed return type, parameter or field fails `make types`. `tests/test_public_api.py` tells
which public name is missing here.
"""

from collections.abc import Hashable
from pathlib import Path
from typing import Any, Literal, assert_type

import dagster as dg
import numpy as np
import pandas as pd
import pyarrow as pa

import itemeval_assets as ie
from itemeval_assets import experiments as ex
from itemeval_assets import measurement as ms

CONFIG = Path("study.yaml")


def running() -> None:
    summary = ie.run(
        "study.yaml",
        only="gradings",
        conditions=["gpt"],
        graders="judge",
        rubrics=["standard"],
        errored=False,
        force=False,
        accept_changes=False,
        policy="full-batch",
        wave="2026-12",
        rejudge=None,
        anchors=30,
        max_usd=2.5,
        workers=2,
        on_progress=lambda progress: print(progress.done + 1, progress.usd),
    )
    assert_type(summary.run_ids, list[str])
    assert_type(summary.calls, int)
    assert_type(summary.usd, float)
    assert_type(summary.errored, int)
    assert_type(summary.exit_code, int)
    assert_type(summary.reason, str | None)
    assert_type(summary.notes, list[str])
    assert_type(summary.status.items, int)
    assert_type(summary.export.paths, dict[str, str])
    assert_type(ie.recover(CONFIG, accept_loss=True).recovered, int)
    taken = ie.import_results(
        "studies/kept", CONFIG, dry_run=True, write_config=False, on_note=print
    )
    assert_type(taken.solutions, int)
    assert_type(taken.is_nothing, bool)
    assert_type([left.why for left in taken.left_out], list[str])
    assert_type(taken.notes, list[str])
    sheet = ie.ratings_sheet(
        CONFIG,
        "anna",
        "anna.html",
        n=40,
        seed=1,
        rubric="strict",
        scale=(0, 10),
        again=True,
        conditions=["m"],
    )
    assert_type((sheet.sheet, sheet.path, sheet.answers), tuple[str, str, int])
    rated = ie.import_ratings("anna.csv", CONFIG, rater="anna", on_note=print)
    assert_type((rated.ratings, rated.known, rated.blank), tuple[int, int, int])
    shown = ie.export_rubrics(CONFIG, "rubrics.xlsx")
    assert_type((shown.path, shown.rubrics, shown.edited), tuple[str, int, int])
    edited = ie.import_rubrics(CONFIG, "rubrics.xlsx", by="anna", on_note=print)
    assert_type((edited.changed, edited.known, edited.stale), tuple[int, int, int])
    coming = ie.next_ratings(CONFIG, "anna", n=40, seed=1, rubric="strict", scale=(0, 10))
    assert_type(coming.expected[0].then, float | None)
    redrawn = ie.redraw(CONFIG, dry_run=True)
    assert_type(redrawn.models, list[str])
    assert_type(redrawn.lock, str | None)
    for named in ie.reset(CONFIG, only="gradings", rubrics="standard"):
        assert_type(named.label, str)
    for health in ie.preflight(CONFIG, max_usd=0.01):
        assert_type(health.verdict, Literal["ok", "dead", "unverified"])
        assert_type(health.usd, float | None)


def looking() -> None:
    study = ie.load_study(CONFIG)
    found = ie.estimate(
        study, only="solutions", policy="dev", errored=True, force=True, accept_changes=True
    )
    ie.estimate(study, wave=None, rejudge="2026-12", anchors=30)
    assert_type(found.remaining.usd, float)
    assert_type(found.remaining.calls, int)
    assert_type(found.grid.expected_input_tokens, int | None)
    assert_type(found.max_usd, float | None)
    assert_type(found.warnings, list[str])
    status = ie.status(study, policy="full-interactive")
    assert_type(status.usd, float | None)
    assert_type(status.config, str)
    for part in (*status.generate, *status.grade):
        assert_type(part.label, str)
        assert_type(part.missing, int)
    counts = ie.count_cells(study, states="errored", conditions="a")
    assert_type(counts.states, dict[str, int])
    assert_type(counts.reasons[0].reason, str | None)
    assert_type(ie.cells(study, states=["errored", "missing"], graders="judge"), pd.DataFrame)
    assert_type(ie.table(study, "gradings_long"), pd.DataFrame)


def measuring() -> None:
    scores = ie.scores(CONFIG, by="topic", conditions="a", graders="judge", rubrics=["standard"])
    assert_type(scores.words, list[str])
    assert_type(ie.scores(CONFIG, majority_at=3, passes=0.5).figure, str)
    assert_type(ie.scores(CONFIG, panel=True).rows[0].grade_condition_id, str | None)
    for row in scores.rows:
        assert_type((row.condition, row.graded_by, row.group), tuple[str, str, str | None])
        assert_type((row.mean, row.low, row.high), tuple[float | None, float | None, float | None])
        assert_type(row.bounds, tuple[float, float] | None)
        assert_type(row.left_out, dict[str, int])
    for family in (
        *ie.compare(CONFIG, "alpha", "beta", by="topic", graders="judge").by_grader,
        *ie.comparisons(CONFIG, facet="model", policy="dev").by_grader,
        *ie.compare_releases(CONFIG, "v1.0.0", "v2.0.0", graders="judge").by_grader,
    ):
        assert_type(family.graded_by, str | None)
        assert_type(family.differences[0].verdict, str)
        assert_type(family.letters, dict[str, str])
    found = ie.reliability(CONFIG, graders=["a", "b"], crossed=True, random=["grader"])
    assert_type(found.by_grader[0].components, list[dict[str, Any]])
    assert_type(found.by_grader[0].designs[0].relative_error, float)
    [change, *_] = (
        ie.drift(CONFIG, graders="judge", rubrics="standard", policy="dev").by_grader[0].changes
    )
    assert_type((change.time, change.condition), tuple[str, str | None])
    assert_type(change.difference, ms.Difference)
    assert_type(ie.agreement(CONFIG).figures[0].estimate, ms.Estimate | None)
    assert_type(ie.agreement(CONFIG).cards[0].usd_per_reply, float | None)
    assert_type(ie.agreement(CONFIG).people[0].estimate, ms.Estimate | None)
    assert_type(ie.items(CONFIG, rubrics="standard").by_grader[0].dead, ms.DeadItems | None)
    fitted = ie.irt(CONFIG, model="1pl", passes=1, graders="judge").by_grader[0]
    assert_type((fitted.items, fitted.persons), tuple[list[dict[str, Any]], list[dict[str, Any]]])
    assert_type(fitted.log_likelihood, float | None)
    assert_type(ie.response_matrix(CONFIG, grader="judge", passes=1), pd.DataFrame)
    assert_type(ie.response_matrix(CONFIG, persons="replications", states=True), pd.DataFrame)
    for item in ie.item_answers(CONFIG, ["q1"], conditions="alpha", graders="judge"):
        assert_type(item.answers[0].gen_log, str | None)
    assert_type(ie.conditions(CONFIG), pd.DataFrame)
    plan = ie.plan(CONFIG, "alpha", "beta", detect=0.02, max_usd=50, power=0.9, graders="judge")
    assert_type(plan.by_grader[0].designs[0].detect, float)
    assert_type(plan.by_grader[0].lines, list[str])
    assert_type(ie.plan(CONFIG, omega2=0.1, sigma2=0.1, judge2=0.1, policy="dev").power, float)
    pilot = ie.plan(CONFIG, pilot=30).pilot
    assert_type(pilot.commands if pilot else None, list[str] | None)
    gate = ie.gate(CONFIG, against="v1.0.0", candidate="b", margin=0.02, metrics=["numeric"])
    assert_type((gate.exit_code, gate.judged[0].low), tuple[int, float | None])
    assert_type(ie.scored_logs(CONFIG).folder, str)
    assert_type((ie.seal(CONFIG).words, ie.seal(CONFIG).seals[0].calls), tuple[list[str], int])
    assert_type(ie.write_report(CONFIG, "report.html", policy="dev"), str)


def publishing(context: dg.ComponentLoadContext) -> None:
    exported = ie.export(CONFIG, for_spreadsheets=True)
    assert_type(exported.rows, int)
    assert_type(exported.spend[0].usd, float)
    records = ie.every_eval(CONFIG, "The Lab", relationship="first_party", without_rows=True)
    assert_type((records.records, records.words), tuple[int, list[str]])
    released = ie.release(CONFIG, version="bumpminor")
    assert_type(released.version, str)
    assert_type(released.is_new, bool)
    assert_type(ie.ItemevalAssetsError("why", {"usd": 1.0}).facts, dict[str, float])
    assert_type(ie.ItemevalAssetsError("why").exit_code, int)
    component: dg.Component = ie.StudyComponent(study="study.yaml", owners=["team:evals"])
    assert_type(component.build_defs(context), dg.Definitions)


class Heat(ex.ExperimentInputSpec):
    kelvin: float
    weather: ex.FileReference | None = None


class Energy(ex.ExperimentOutputSpec):
    joule: float


@ex.experiment
def heat(spec: Heat) -> Energy:
    return Energy(joule=spec.kelvin, dataframes={"hourly": pd.DataFrame()})


@ex.experiment(name="slow", timeout_s=60, retries=1, memory="2 GB")
def slow(spec: Heat, tempdir: Path) -> Energy:
    assert_type(spec.fetch("weather"), Path)
    return Energy(joule=spec.kelvin)


def allocating() -> None:
    assert_type(heat, ex.Experiment[Any, Energy])
    assert_type(slow, ex.Experiment[Any, Energy])
    storage = ex.ExperimentStorageSettings(BUCKET="./results", BUCKET_PREFIX="scythe")
    assert_type(ex.storage_settings(), ex.ExperimentStorageSettings)
    assert_type(ex.ScytheStorageSettings, type[ex.ExperimentStorageSettings])
    settings = ex.ExperimentRunSettings(executor="multiprocess", max_concurrent=2, shard_size=10)
    experiment = ex.BaseExperiment[Heat, Energy](runnable=heat, storage_settings=storage)
    run, ref = experiment.allocate([Heat(kelvin=1.0)], "bumpminor", run_settings=settings)
    assert_type(run, ex.ExperimentRun[Heat, Energy])
    assert_type(ref, ex.RunRef)
    assert_type(ref.result(timeout=1.0), pd.DataFrame)
    assert_type(ref.status(), ex.RunState)
    assert_type(experiment.resume(run, run_settings=settings), ex.RunRef)


def reading(experiment: ex.BaseExperiment[Heat, Energy]) -> None:
    assert_type(experiment.latest_results, dict[str, str])
    assert_type(experiment.latest_run, ex.ExperimentRun[Heat, Energy])
    assert_type(experiment.load_results("hourly"), pd.DataFrame)
    version = ex.SemVer.FromString("v1.2.3")
    assert_type(version.next_minor_version(), ex.SemVer)
    assert_type(experiment.version(version), ex.VersionedExperiment[Heat, Energy])
    assert_type(experiment.latest_results_for_version(version), dict[str, str])
    for known in experiment.list_versions():
        run = known.latest_run
        assert_type(run.status(), ex.Completion)
        assert_type(run.manifest(), ex.ExperimentRunManifest)
        assert_type(run.specs(), list[Heat])
        assert_type(run.io_spec(), dict[str, Any])
        assert_type(run.download("here"), list[Path])
    found = ex.compare_versions(experiment, "v1.0.0", version)
    assert_type(found, ex.Comparison)
    assert_type(found.is_equal, bool)
    assert_type(ex.list_experiments(), list[str])
    details = ex.run_details(ex.find_run(experiment, "v1.0.0", None))
    assert_type(details.summary.specs, int | None)
    assert_type(ex.summarize_experiments(ex.storage_settings())[0].runs, int)
    assert_type(ex.summarize_runs(experiment)[0].uri, str)


def in_dagster() -> None:
    assert_type(ex.registered(), list[ex.Experiment[Any, Any]])
    storage = ex.ExperimentStorage(bucket="./results", bucket_prefix="scythe")
    assert_type(ex.experiment_definitions([heat, slow], storage), dg.Definitions)


def failing(error: Exception) -> None:
    if isinstance(error, ex.LaunchFailed):
        assert_type(error.run, ex.ExperimentRun[Any, Any])
    kinds: list[type[ie.ItemevalAssetsError]] = [
        ex.SpecError,
        ex.ExperimentNotFoundError,
        ex.ExperimentVersionNotFoundError,
        ex.ExperimentRunNotFoundError,
        ex.ResultNotFoundError,
    ]
    assert_type([kind.exit_code for kind in kinds], list[int])


def estimating(frame: pd.DataFrame, rows: pa.Table) -> None:
    mean = ms.mean_score(
        rows,
        grader="judge",
        score="score",
        item="item_id",
        cluster="passage",
        scale=(0, 10),
        missing=3,
        level=0.9,
    )
    assert_type(mean, ms.Estimate)
    assert_type([mean.value, mean.standard_error, mean.low, mean.high, mean.level], list[float])
    assert_type([mean.n_events, mean.n_items, mean.n_clusters, mean.n_missing], list[int])
    assert_type(mean.method, str)
    assert_type(mean.bounds, ms.Bounds | None)
    assert_type(mean.warnings, tuple[str, ...])
    by_model = ms.mean_scores(frame, by=["model", "topic"], missing={("a", "b"): 1})
    assert_type(by_model, dict[Hashable, ms.Estimate])
    rates = [ms.pass_at_k(frame, 3, passes=0.5), ms.majority_at_k(frame, 3)]
    assert_type([*rates, ms.panel_mean(frame, ["judge_a", "judge_b"])], list[ms.Estimate])
    assert_type(ms.prediction_powered_mean([1, 0], [1, 1], [0, 1], level=0.9), ms.Estimate)
    assert_type(ms.wilson_interval(3, 10, 0.95), ms.Interval)
    assert_type(ms.mcnemar([[1, 2], [3, 4]], corrected=True), ms.McNemar)


def comparing_scores(frame: pd.DataFrame) -> None:
    found = ms.compare(frame, "alpha", "beta", object="model", cluster=None, level=0.95)
    assert_type(found, ms.Difference)
    assert_type([found.p, found.p_unadjusted], list[float])
    assert_type(found.p_mcnemar, float | None)
    assert_type(found.n_ties, int)
    assert_type(found.verdict, str)
    family = ms.compare_all(frame, object="prompt_name")
    assert_type(family, ms.Comparisons)
    assert_type(family[0], ms.Difference)
    assert_type(ms.adjusted_by_holm(list(family), (0, 1)), list[ms.Difference])
    assert_type(ms.holm(np.array([0.01, 0.04])), np.ndarray)
    assert_type(ms.within_margin(next(iter(family)), 0.05, (0, 1)), float)
    assert_type(family.groups, tuple[tuple[Hashable, ...], ...])
    assert_type(family.letters, dict[Hashable, str])
    topics = ms.interaction(frame, "alpha", "beta", by="topic")
    assert_type(topics, ms.Interaction)
    assert_type(topics.levels, dict[Hashable, ms.Difference])


def planning(frame: pd.DataFrame) -> None:
    def cost(items: int, replications: int, repeats: int) -> ms.Cost:
        return ms.Cost(calls=items * replications, usd=0.01 * items * replications * repeats)

    assert_type(ms.items_needed(0.03, omega2=1 / 9, sigma2_a=1 / 6, k_a=10), int)
    assert_type(ms.smallest_difference(969, omega2=1 / 9, items_per_cluster=4.0), float)
    found = ms.paired_variances(frame, "a", "b", repeat="repeat", cluster="passage")
    assert_type(found, ms.PairedVariances)
    assert_type((found.sigma2, found.factor), tuple[float | None, ms.Interval | None])
    designs = ms.plan_frontier(found, cost, items=[50, 100], replications=[1, 3], power=0.9)
    assert_type(designs, list[ms.PlannedDesign])
    assert_type(ms.cheapest_design(found, cost, 0.02, most_items=500).usd, float | None)
    assert_type(ms.best_design(found, cost, 50.0).detect, float)
    difference = ms.compare(frame, "new", "old")
    gated = ms.inferiority(difference, 0.02, scale=(0, 1), n_metrics=2)
    assert_type(gated, ms.Inferiority)
    look = ms.precision(difference, 0.02, scale=(0, 1), level=0.9)
    assert_type(look, ms.Precision)
    assert_type((look.is_reached, look.needed), tuple[bool, int | None])
    assert_type(gated.verdict, Literal["PASS", "FAIL", "INCONCLUSIVE"])


def dividing_the_variance(frame: pd.DataFrame) -> None:
    found = ms.variance_components(
        frame,
        ["model", "item_id", "replication"],
        score="score",
        nested={"replication": ["model", "item_id"]},
        fixed=["model"],
        method="auto",
    )
    assert_type(found, ms.Components)
    assert_type(found.table, pd.DataFrame)
    assert_type(found.variance("model", "item_id"), float)
    study = ms.decision_study(found, n={"item_id": 20})
    assert_type(study, ms.DecisionStudy)
    assert_type([study.relative_error, study.absolute_error], list[float])
    assert_type([study.generalizability, study.dependability], list[float | None])


def agreeing(frame: pd.DataFrame) -> None:
    ratings = ms.rating_matrix(frame, judge="grade_condition_id")
    estimates = [
        ms.krippendorff_alpha(ratings, level="ordinal", confidence=0.9),
        ms.cohen_kappa([1, 2], [2, 1], weights="linear", categories=[1, 2, 3]),
        ms.fleiss_kappa([[2, 0], [1, 1]]),
        ms.intraclass_correlation(ratings.T, form="2,k"),
    ]
    assert_type(estimates, list[ms.Estimate])
    assert_type(ms.judge_severity(frame), dict[Hashable, ms.Estimate])
    assert_type(ms.self_preference(frame, families={"id": "lab"}), dict[str, ms.Estimate])
    assert_type(ms.length_slope(frame, within=["model"], per=100), dict[Hashable, ms.Estimate])
    assert_type(ms.self_agreement(frame, ["one", "two"]), ms.SelfAgreement)


def looking_at_items(frame: pd.DataFrame) -> None:
    assert_type(ms.item_statistics(frame, object="model", scale=(0, 1)), pd.DataFrame)
    dead = ms.dead_items(frame)
    assert_type(dead, ms.DeadItems)
    assert_type(dead.usd, float | None)
    assert_type(ms.response_matrix(frame, grader="judge", passes=0.5), pd.DataFrame)
    model = ms.irt(frame.pivot(index="model", columns="item_id", values="score"), model="1pl")
    assert_type(model, ms.ResponseModel)
    assert_type(model.items, pd.DataFrame)
    try:
        ms.mean_score(frame)
    except ms.MeasurementError as error:
        assert_type(error.exit_code, int)
