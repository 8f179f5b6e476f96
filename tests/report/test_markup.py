"""What the terminal shows of data is the data: no name becomes a colour or another column."""

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from itemeval_assets import report as reports
from itemeval_assets.core.design.partitions import NamedPartition, Partition
from itemeval_assets.core.errors import ConsentMissing
from itemeval_assets.core.money.preflight import ModelHealth
from itemeval_assets.core.money.projection.estimate import Projection
from itemeval_assets.core.money.spend import Spend
from itemeval_assets.core.records.failures import FailedCheck
from itemeval_assets.core.records.published.releases import Release
from itemeval_assets.core.records.published.seals import Deviation, SealState, seal_of
from itemeval_assets.engine.calls.progress import Progress
from itemeval_assets.experiments import ExperimentStorageSettings
from itemeval_assets.experiments.read.compare import Changes, Comparison
from itemeval_assets.experiments.read.frame_details import FrameDetails
from itemeval_assets.experiments.read.row_changes import Difference, RowChanges
from itemeval_assets.experiments.read.summaries import ExperimentSummary, RunDetails, RunSummary
from itemeval_assets.imports.found import ImportSummary, LeftOut
from itemeval_assets.project import QuickstartSummary
from itemeval_assets.ratings.records import Expected, NextRatings, RatingsSummary, SheetSummary
from itemeval_assets.ratings.rubrics.records import RubricsSummary, RubricsTaken
from itemeval_assets.report import terminal
from itemeval_assets.report.render.document import print_document
from itemeval_assets.report.screens import comparison, experiments
from itemeval_assets.runs import summary as runs
from itemeval_assets.stages.every_eval.writing import EveryEval
from itemeval_assets.stages.export import ExportResult
from itemeval_assets.stages.projection.estimate import StudyEstimate
from itemeval_assets.stages.projection.foresight import PartitionEstimate
from itemeval_assets.stages.views.cells import CellSurvey, Reason
from itemeval_assets.stages.views.redrawing import Redrawn
from itemeval_assets.stages.views.scored_logs import ScoredLogs
from itemeval_assets.stages.views.status import PartitionStatus, StudyStatus

# Markup, an end of markup that nothing began, the name of a picture, a bar, a backslash.
ODD = "[red]a[/blue] :cat: x | y \\[b]"
MODEL = "[red]/a[/blue]:cat:|\\[b]"
PAIR = Partition((ODD, ODD))
LABELLED = NamedPartition(PAIR, f"{ODD} | {ODD}")
STATUS = StudyStatus(
    ODD,
    "dev",
    1,
    1,
    0.0,
    [PartitionStatus(Partition((ODD,)), MODEL, 1)],
    [PartitionStatus(PAIR, f"{MODEL} | {ODD}", 1)],
    not_in_design=[LABELLED],
    given_up=[LABELLED],
)
ESTIMATE = StudyEstimate(
    ODD,
    "dev",
    1,
    1,
    [PartitionEstimate(Partition((ODD,)), MODEL, MODEL, Projection(), Projection(), None)],
    [PartitionEstimate(PAIR, f"{MODEL} | {ODD}", MODEL, Projection(), Projection(), None)],
    Projection(),
    Projection(),
    0.0,
    0.0,
    5.0,
    None,
    None,
    warnings=[ODD],
)
SPENDS = [Spend(ODD, MODEL, 1), Spend(ODD, ODD, 2)]
EXPORT = ExportResult(1, 0.0, (MODEL,), {"export/x": ODD}, SPENDS)
FAILED = FailedCheck("solutions", "complete", (ODD,), ODD)
RUN = runs.RunSummary(
    study=ODD,
    status=STATUS,
    export=EXPORT,
    run_ids=[ODD],
    calls=1,
    unpriced=[ODD],
    held_back=1,
    failed_checks=[FAILED],
    errored=1,
    missing=2,
    exit_code=5,
    reason=ODD,
)
SCORE = {
    "condition": MODEL,
    "graded_by": ODD,
    "cells": 2,
    "mean_score": 0.5,
    "scored": 1,
    "left_out": {"unparsed": 1},
}
CELL = {
    "condition": MODEL,
    "graded_by": ODD,
    "item_id": ODD,
    "replication": 1,
    "state": "errored",
}
CELLS = CellSurvey(ODD, "dev", 1, {"errored": 1}, [Reason("errored", "solutions", ODD, 1)], [CELL])
PUBLISHED = RunSummary(ODD, ODD, ODD, ODD, 1, 1, 0, ODD)
DETAILS = RunDetails(
    PUBLISHED,
    {"workflow_run_id": ODD},
    {ODD: ODD},
    {ODD: ODD},
    frames={ODD: FrameDetails(ODD, 1, 1, {ODD: ODD}, {ODD: ODD}, ODD)},
    artifacts={ODD: [ODD]},
    failures=[{ODD: ODD}],
)

ROW = {ODD: ODD}
COMPARISON = Comparison(
    PUBLISHED,
    PUBLISHED,
    Changes(ROW, ROW, {ODD: (ODD, ODD)}),
    Changes({}, {}, {}),
    {ODD: 1},
    {},
    {
        ODD: RowChanges(
            1,
            1,
            1,
            1,
            1,
            [ODD],
            [ODD],
            {ODD: (ODD, ODD)},
            {ODD: 1},
            [ROW],
            [ROW],
            [Difference(ROW, ODD, ODD, ODD)],
        )
    },
    is_equal=False,
)

IMPORTED = ImportSummary(ODD, ODD, ODD, ODD, False, 1, 1, 1, 1, [LeftOut(1, ODD, ODD)], [ODD])
COMING: dict[str, Any] = {
    "study": ODD,
    "config": ODD,
    "rater": ODD,
    "rubric": ODD,
    "seed": 1,
    "answers": 1,
    "left": 1,
    "level": 0.95,
    "expected": [Expected(MODEL, ODD, 1, 1, 1, 0.2, 0.1)],
    "words": [ODD],
}
SHEET = SheetSummary(**COMING, sheet=ODD, path=ODD, scale=(0.0, 1.0))
RATED = RatingsSummary(ODD, ODD, ODD, ODD, ODD, 1, 1, 1, True, ODD, ODD, [ODD])
RUBRICS = RubricsSummary(
    study=ODD, config=ODD, path=ODD, rubrics=2, edited=1, missing=1, words=[ODD]
)
RUBRICS_TAKEN = RubricsTaken(study=ODD, config=ODD, source=ODD, changed=1, known=1, stale=1)
# What prints, how often ODD and MODEL are in it.
SHOWN: dict[str, tuple[Callable[[], Any], int, int]] = {
    "study_status": (lambda: reports.study_status(STATUS), 1 + 1 + 2 + 2, 2),
    "study_estimate": (lambda: reports.study_estimate(ESTIMATE), 1 + 1 + 1, 2),
    "export_result": (lambda: reports.export_result(EXPORT), 2 + 1 + 1, 1),
    "run_summary": (lambda: reports.run_summary(RUN), 6 + 3 + 4, 3),
    "quickstart_summary": (
        lambda: reports.quickstart_summary(QuickstartSummary(RUN, [SCORE], Path(ODD), ODD)),
        13 + 2,
        3,
    ),
    "written": (lambda: reports.written(Path(ODD)), 1, 0),
    "scored_logs": (lambda: reports.scored_logs(ScoredLogs(ODD, 1, 1)), 1, 0),
    "seal_state": (
        lambda: reports.seal_state(
            SealState(ODD, [seal_of({}, ODD, 0, 0.0)], [Deviation(ODD, ODD, ODD)], ODD, ODD, True)
        ),
        5,
        0,
    ),
    "import_summary": (lambda: reports.import_summary(IMPORTED), 7, 0),
    "sheet_written": (lambda: reports.sheet_written(SHEET), 2 + 1 + 1 + 2, 2),
    "next_ratings": (lambda: reports.next_ratings(NextRatings(**COMING)), 1 + 1 + 1 + 2, 2),
    "ratings_taken": (lambda: reports.ratings_taken(RATED), 1 + 2 + 1 + 1 + 1, 0),
    "rubrics_written": (lambda: reports.rubrics_written(RUBRICS), 1 + 1 + 2, 0),
    "rubrics_taken": (lambda: reports.rubrics_taken(RUBRICS_TAKEN), 1, 0),
    "every_eval": (lambda: reports.every_eval(EveryEval(ODD, 1, 1, 1, [ODD])), 2, 0),
    "cell_survey": (lambda: print_document(reports.cell_survey(CELLS)), 4, 1),
    "release_summary": (
        lambda: reports.release_summary(Release(ODD, ODD, "v1.0.0", ODD, ODD, True, 2, 1, 1)),
        4,
        0,
    ),
    "preflight": (
        lambda: reports.preflight(
            [ModelHealth(MODEL, verdict, ODD) for verdict in ("ok", "dead", "unverified")]
        ),
        3,
        3,
    ),
    "was_reset": (lambda: reports.was_reset([LABELLED]), 2, 0),
    "redrawn": (
        lambda: reports.redrawn(Redrawn(ODD, [MODEL], [], [MODEL], ODD, ODD, ODD)),
        3,
        2,
    ),
    "created": (lambda: reports.created([Path(ODD)], Path(ODD)), 2, 0),
    "experiment_list": (
        lambda: experiments.experiment_list([ExperimentSummary(ODD, 1, 1, PUBLISHED)]),
        4,
        0,
    ),
    "nothing_published": (
        lambda: experiments.nothing_published(
            ExperimentStorageSettings(BUCKET="./x", BUCKET_PREFIX="[red]a")
        ),
        0,
        0,
    ),
    "run_list": (lambda: experiments.run_list([PUBLISHED]), 4, 0),
    # A file goes by the last part of its URI, which here begins after the first ODD's slash.
    "run_shown": (lambda: experiments.run_shown(DETAILS), 4 + 2 + 4 + 2 + 2 + 4 + 2, 0),
    "compared": (
        lambda: comparison.compared(COMPARISON),
        2 * 4 + (2 + 2 + 3) + 1 + (1 + 1 + 1 + 3 + 1 + 2 + 2 + 5),
        0,
    ),
    "downloaded": (lambda: experiments.downloaded([Path(ODD)]), 1, 0),
}


# How texts end, and what may come after them.
ENDS = ("a\\", "a\\\\", "\\", "a[b]\\", "[red]\\\\\\")


@pytest.mark.parametrize("text", ENDS)
@pytest.mark.parametrize("markup", ["{}", "[bold]{}[/bold]", "{}; [red]x[/red]", "({})"])
def test_a_backslash_at_the_end_is_printed_once(
    text: str, markup: str, printed: io.StringIO
) -> None:
    terminal.out.print(markup.format(terminal.data(text)))
    plain = re.sub(r"\[/?(bold|red)\]", "", markup).format(text)
    assert printed.getvalue() == f"{plain}\n"


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is printed on a wide terminal."""
    text = io.StringIO()
    for console in (terminal.out, terminal.err):
        monkeypatch.setattr(console, "_width", 1000)
        monkeypatch.setattr(console, "_file", text)
    return text


@pytest.mark.parametrize("name", SHOWN)
def test_data_is_shown_as_it_is(name: str, printed: io.StringIO) -> None:
    show, odd, models = SHOWN[name]
    show()
    assert (printed.getvalue().count(ODD), printed.getvalue().count(MODEL)) == (odd, models)


def test_every_report_that_shows_data_is_looked_at() -> None:
    no_table = {"ask_consent", "print_result", "problem", "progress_bar", "remark"}
    assert {*reports.__all__, *experiments.__all__, *comparison.__all__} - no_table == SHOWN.keys()


def test_what_waits_and_what_asks_for_consent_is_shown_as_it_is(
    printed: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = Progress("generate", 2)
    progress.waiting = ODD
    assert terminal.data(ODD) in terminal._facts(progress)
    person = SimpleNamespace(isatty=lambda: True, write=lambda text: None, flush=lambda: None)
    monkeypatch.setattr(terminal.sys, "stdin", person)
    monkeypatch.setattr(terminal.sys, "stderr", person)
    monkeypatch.setattr(terminal.Confirm, "ask", cast(Any, lambda *args, **kwargs: False))
    reports.ask_consent(ConsentMissing(ODD, {}))
    assert ODD in printed.getvalue()


def test_a_bar_in_a_graders_name_shifts_no_column(printed: io.StringIO) -> None:
    reports.study_status(STATUS)
    (row,) = [line for line in printed.getvalue().splitlines() if line.count(MODEL) and ODD in line]
    cells = [cell.strip() for cell in row.split("│")]
    assert cells[1:4] == [MODEL, ODD, "0/1"]


LONG = "a-model-with-a-name-of-many-words-2026-11-26 · a-prompt-of-many-words"


def _partition(calls: int, usd: float) -> PartitionEstimate:
    size = Projection(calls=calls, input_tokens=123_456, output_tokens=65_432, usd=usd)
    return PartitionEstimate(
        Partition((LONG, LONG)), f"{LONG} | {LONG}", "openai/x", size, size, None
    )


@pytest.mark.parametrize("width", [80, 200])
def test_no_figure_is_cut_on_a_narrow_terminal(
    width: int, printed: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal.out, "_width", width)
    part = _partition(1234, 123.4567)
    reports.study_estimate(replace(ESTIMATE, generate=[], grade=[part], warnings=[]))
    assert printed.getvalue().count("$123.4567") == 2 and "1234/1234" in printed.getvalue()
    assert ("123k" in printed.getvalue()) == (width > 100)
    status = PartitionStatus(
        Partition((LONG, LONG)), LONG, 12345, 101, errored=102, missing=103, usd=45.6789
    )
    reports.study_status(replace(STATUS, generate=[status], grade=[status]))
    for figure in ("101/12345", " 102 ", " 103 ", "$45.6789"):
        assert printed.getvalue().count(figure) == 2
    spends = [Spend("openai-api/groq", LONG, 1234, 1, 123.4567, 1.5, 2.5, 3.5)]
    reports.export_result(EXPORT._replace(spend=spends))
    for amount in ("$123.4567", "$130.9567", "$1.50", "$2.50", "$3.50"):
        assert amount in printed.getvalue()


def test_free_is_what_answers_and_costs_nothing(printed: io.StringIO) -> None:
    """A local model with a price in the price file of which all calls failed is not free."""
    answered = Spend("ollama", "ollama/a", 4, total_tokens=40)
    failed = Spend("ollama", "ollama/b", 4)
    paid = Spend("ollama", "ollama/c", 4, usd=0.000_002, total_tokens=40)
    reports.export_result(EXPORT._replace(spend=[answered, failed, paid], usd=0.000_002))
    rows = {row.split("│")[2].strip(): row for row in printed.getvalue().splitlines() if "│" in row}
    assert "free" in rows["ollama/a"] and "$0 " in rows["ollama/b"]
    assert "$0.0000020" in rows["ollama/c"]
    assert "nobody pays" not in printed.getvalue()
    reports.export_result(EXPORT._replace(spend=[paid._replace(model="mockllm/a")]))
    assert "mockllm/a: mock prices; nobody pays these dollars." in printed.getvalue()


def test_beside_dollars_of_mock_models_stands_that_nobody_is_paid(printed: io.StringIO) -> None:
    says = "mockllm/a: mock prices; nobody pays these dollars."
    for show in (
        lambda: reports.study_status(replace(STATUS, spent_on=["mockllm/a", "openai/x"])),
        lambda: reports.preflight([ModelHealth("mockllm/a", "ok", "answered", 0.5, 0.001)]),
        lambda: reports.run_summary(
            replace(
                RUN,
                status=replace(STATUS, spent_on=["mockllm/a"]),
                export=EXPORT._replace(spend=[Spend("mockllm", "mockllm/a", 1, usd=0.1)]),
            )
        ),
    ):
        printed.truncate(0)
        show()
        assert printed.getvalue().count(says) == 1
    printed.truncate(0)
    reports.study_status(STATUS)
    reports.preflight([ModelHealth("mockllm/a", "dead", "refused")])
    assert "nobody pays" not in printed.getvalue()


def test_what_is_long_breaks_at_the_width(
    printed: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal.out, "_width", 80)
    models = [f"mockllm/model-{n}" for n in range(4)]
    words = "sample of 2 of 5 models of roster.txt, seed 7, without mockllm/alpha"
    reports.study_status(replace(STATUS, spent_on=models, model_sample=words))
    told = printed.getvalue()
    assert words in " ".join(told.split()) and "nobody pays these dollars." in told
    of_these = [line for line in told.splitlines() if "sample of" in line or "mockllm" in line]
    assert of_these and max(map(len, of_these)) <= 80


def test_a_run_of_many_conditions_ends_with_the_first_of_them(printed: io.StringIO) -> None:
    parts = [replace(STATUS.generate[0], label=f"part {n}") for n in range(1000)]
    spend = [Spend("mockllm", f"mockllm/m{n}", 1, usd=0.1) for n in range(1000)]
    many = replace(STATUS, generate=parts, grade=parts)
    export = EXPORT._replace(spend=spend)
    reports.run_summary(replace(RUN, status=many, export=export))
    told = printed.getvalue()
    assert len(told.splitlines()) < 200 and "part 39" in told and "part 40" not in told
    assert "solutions: 960 more rows; itemeval-assets status" in told
    assert "spend: 960 more rows; the ledger has all" in told
    assert "mockllm/m10, mockllm/m100, mockllm/m101 and 995 more: mock prices" in told
    printed.truncate(0)
    reports.study_status(many)
    assert "part 999" in printed.getvalue()


def test_the_price_of_a_preflight_is_that_of_its_call(printed: io.StringIO) -> None:
    found = [
        ModelHealth("ollama/a", "ok", "answered", 0.5, 0.0),
        ModelHealth("ollama/failed", "dead", "401", 0.5, 0.0),
        ModelHealth("openai/x", "ok", "answered", 0.5, 0.000_002),
        ModelHealth("x/unpriced", "ok", "answered", 0.5, None),
        ModelHealth("x/unknown", "dead", "no such provider"),
    ]
    reports.preflight(found)
    rows = [row.split("│") for row in printed.getvalue().splitlines() if "│" in row]
    assert {row[1].strip(): row[5].strip() for row in rows} == {
        "ollama/a": "free",
        "ollama/failed": "$0",
        "openai/x": "$0.0000020",
        "x/unpriced": "no price",
        "x/unknown": "",
    }


@pytest.mark.parametrize("hidden", [False, True])
def test_a_wait_for_another_run_is_told_in_lines_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, hidden: bool
) -> None:
    file, now = io.StringIO(), [100.0]
    monkeypatch.setattr(terminal, "err", Console(file=file, emoji=False, highlight=False))
    monkeypatch.setattr(terminal.time, "monotonic", lambda: now[0])
    with terminal.progress_bar(hidden) as show:
        for held in ("[m] · short, which run 1 works on", "b, which run 2 works on"):
            for seconds in (0, 1, 30, 30):
                now[0] += seconds
                show(Progress("generate", total=0, waits_for=held, started=0))
        show(Progress("generate", total=0, started=0))
        show(Progress("generate", total=0, started=0))
    assert file.getvalue().splitlines() == [
        *["waits for [m] · short, which run 1 works on"] * 2,
        *["waits for b, which run 2 works on"] * 2,
        "continues",
    ]


# What moves the cursor, hides what stands before it, or turns the direction of what follows.
UNSEEN = "a\x1b[2Jb\x07\x9bc\rd\u202ee\x00"
SEEN = "a\\x1b[2Jb\\x07\\x9bc\\rd\\u202ee\\x00"


def test_control_characters_are_seen_and_do_nothing(
    printed: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal.out.print(terminal.data(UNSEEN))
    terminal.paragraph(f"of many words, so that it is a paragraph: {UNSEEN}")
    assert printed.getvalue().count(SEEN) == 2 and "\x1b" not in printed.getvalue()
    terminal.problem(f"{UNSEEN}\n\tline 2")
    assert capsys.readouterr().err == f"error: {SEEN}\n\tline 2\n"
