"""An itemeval study is taken in: nothing is paid again, and every figure stays as it was."""

import hashlib
import re
import shlex
import shutil
import subprocess
import threading
from pathlib import Path

import pandas as pd
import pytest
import yaml

import itemeval_assets as ie
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.errors import ConfigError, StoreError
from itemeval_assets.core.grading.judges import judge
from itemeval_assets.core.tables.schemas import GRADINGS, LEDGER, SOLUTIONS, TOKEN_COLUMNS
from itemeval_assets.imports.found import ImportSummary
from tests.faults.study_runs import IS_LONG
from tests.model_server import Answer, Request
from tests.s3_server import S3Server, empty_bucket
from tests.whole.looking import assert_reconciled

from .conftest import Kept
from .kept import VERSIONS, declare

SOLUTION = ["condition_id", "item_id", "epoch"]
GRADING = ["grade_condition_id", "gen_condition_id", "item_id", "epoch"]
NEW = ["log_file", "sample_uuid", "solution_hash", "scorer_version"]
NEW += ["imported_condition_id", "imported_format", "served_model", "served_provider"]
NEW += ["solution_chars_not_shown", "item_rubric_hash", "reroutes"]


of_both = pytest.mark.parametrize("version", VERSIONS)
of_one = pytest.mark.parametrize(
    "version", [pytest.param("0.1.0", marks=pytest.mark.long), "0.2.0"]
)


def ours(kept: Kept, name: str, key: list[str]) -> pd.DataFrame:
    return plain(ie.table(kept.config, name), key)


def plain(table: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    table = table.astype(object).where(table.notna(), None)
    return table.sort_values(key).reset_index(drop=True)


def without_waves(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["wave"] == 0] if "wave" in table else table


@of_both
def test_it_comes_in_as_it_was(kept: Kept, version: str) -> None:
    before = fingerprint(kept.source)
    found = ie.import_results(kept.source, kept.config)
    assert not found.is_nothing
    assert (found.items, found.solutions, found.gradings) == (3, 24, 80)
    for name, key, table in (("solutions", SOLUTION, SOLUTIONS), ("gradings", GRADING, GRADINGS)):
        columns = [column for column in table.column_names if column not in NEW]
        theirs = plain(without_waves(kept.table(name)), key)
        pd.testing.assert_frame_equal(
            ours(kept, name, key)[columns], theirs[columns], check_dtype=False
        )
    assert fingerprint(kept.source) == before
    assert ie.status(kept.config).lost == [] == ie.status(kept.config).unread
    counts = {left.what: left.count for left in found.left_out}
    if version == "0.1.0":
        assert counts == {}
    else:
        table = kept.table("solutions")
        assert counts["rows of waves in solutions"] == (table["wave"] > 0).sum() > 0
        assert counts["logs of waves"] > 0


@of_one
def test_the_ledger_is_that_of_the_source(imported: Kept) -> None:
    assert_ledger_of_the_source(imported)


@pytest.mark.long
@of_one
def test_so_it_is_where_the_study_knows_no_price_of_the_models(kept: Kept) -> None:
    kept.edit(budget={"policy": "full-interactive"})
    ie.import_results(kept.source, kept.config)
    assert_ledger_of_the_source(kept)


def assert_ledger_of_the_source(kept: Kept) -> None:
    assert_reconciled(kept.config)
    columns = ["calls", *TOKEN_COLUMNS[:5], "usd", "priced", "batch"]
    theirs = kept.table("ledger")
    if "epoch_offset" in theirs:
        theirs = theirs[(theirs["epoch_offset"] == 0) & ~theirs["run_id"].isin(waves(kept))]
    key = [*LEDGER.key]
    mine = ours(kept, "ledger", key)
    pd.testing.assert_frame_equal(
        mine[[*key, *columns]].fillna(0).infer_objects(),
        plain(theirs, key)[[*key, *columns]].fillna(0).infer_objects(),
        check_dtype=False,
        rtol=1e-9,
    )


@of_one
def test_a_run_pays_for_nothing_that_was_paid(imported: Kept) -> None:
    before = ie.table(imported.config, "solutions")
    summary = ie.run(imported.config)
    # What failed there is tried again, as everything that failed is: 4 calls of alpha, 2 for each
    # answer of beta to the first item from the judge that refuses it, by two rubrics.
    assert imported.server.count() == summary.calls == 4 + 2 * 2 * 2
    assert imported.server.count("alpha") == 4 and imported.server.count("judge2") == 0
    after = ie.table(imported.config, "solutions")
    is_sound = before["error"].isna()
    assert (
        before[is_sound]
        .reset_index(drop=True)
        .equals(after[after["error"].isna()].reset_index(drop=True))
    )
    gradings = ie.table(imported.config, "gradings")
    scored = gradings[gradings["grade_kind"] == "verifiable"]
    assert not scored["scorer_version"].str.startswith("itemeval").any()
    assert_reconciled(imported.config)
    assert ie.status(imported.config).usd == pytest.approx(
        ie.table(imported.config, "ledger").usd.sum()
    )
    # An import after it leaves its rows.
    files = fingerprint(imported.folder / "ours")
    assert ie.import_results(imported.source, imported.config).is_nothing
    assert fingerprint(imported.folder / "ours") == files


def test_one_more_judge_calls_exactly_its_cells(imported: Kept) -> None:
    document = yaml.safe_load(imported.config.read_text())
    graders = {**document["graders"], "third": {"model": "openai-api/test/third"}}
    facets = {**document["facets"], "grader": ["judge", "second", "third"]}
    imported.edit(graders=graders, facets=facets)
    ie.run(imported.config, graders="third", only="gradings")
    # 16 answers, by two rubrics.
    assert imported.server.count("third") == imported.server.count() == 16 * 2
    assert_reconciled(imported.config)


def test_a_second_import_adds_nothing(imported: Kept) -> None:
    before = fingerprint(imported.folder / "ours")
    assert ie.import_results(imported.source, imported.config).is_nothing
    assert fingerprint(imported.folder / "ours") == before


def test_dry_run_stores_nothing(kept: Kept) -> None:
    found = ie.import_results(kept.source, kept.config, dry_run=True)
    assert not (kept.folder / "ours").exists()
    taken = ie.import_results(kept.source, kept.config)
    assert found._replace(is_dry_run=False) == taken


def test_a_judge_of_another_format_gets_the_id_of_ours(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "JUDGE_FORMAT_VERSION", 7)
    ie.import_results(kept.source, kept.config)
    gradings = ie.table(kept.config, "gradings")
    judged = gradings[gradings["grade_kind"] == "judge"]
    theirs = without_waves(kept.table("gradings"))
    was = set(theirs[theirs["grade_kind"] == "judge"]["grade_condition_id"])
    assert set(judged["imported_condition_id"]) == was
    assert was.isdisjoint(judged["grade_condition_id"]) and set(judged["imported_format"]) == {1}
    assert all(
        (kept.folder / "ours" / "kept" / log).is_file() and id in log
        for log, id in zip(judged["log_file"], judged["grade_condition_id"], strict=True)
    )
    assert_calls(kept, solutions=4, gradings=2 * 2 * 2)
    assert_reconciled(kept.config)


@pytest.mark.long
def test_lost_tables_come_back_from_the_copies(imported: Kept) -> None:
    was = ours(imported, "gradings", GRADING)
    folder = imported.folder / "ours" / "kept"
    for table in ("solutions", "gradings"):
        for path in (folder / f"{table}.parquet").rglob("*.parquet"):
            path.unlink()
    ie.recover(imported.config)
    now = ours(imported, "gradings", GRADING)
    is_judge = was["grade_kind"] == "judge"
    same = ["score", "parse_error", "usd", "total_tokens", "sample_uuid", "solution_hash"]
    pd.testing.assert_frame_equal(
        was[is_judge][[*GRADING, *same]].reset_index(drop=True), now[[*GRADING, *same]]
    )
    assert len(ie.table(imported.config, "solutions")) == 24
    assert_reconciled(imported.config)


def take_in_without_second(kept: Kept) -> None:
    """Import the study as it was before its second judge, who is there afterwards."""
    gradings, index = kept.table("gradings"), kept.table("log_index")
    late = gradings["grader_name"] == "second"
    logs = set(gradings[late]["log_file"])
    aside = kept.folder / "aside"
    aside.mkdir()
    for log in logs:
        shutil.move(kept.source / log, aside / Path(log).name)
    kept.change("gradings", lambda rows: rows[rows["grader_name"] != "second"])
    kept.change("log_index", lambda rows: rows[~rows["log_file"].isin(logs)])
    assert ie.import_results(kept.source, kept.config).gradings == 48
    for log in logs:
        shutil.move(aside / Path(log).name, kept.source / log)
    gradings.to_parquet(kept.source / "gradings.parquet")
    index.to_parquet(kept.source / "log_index.parquet")


@pytest.mark.long
def test_what_itemeval_did_since_comes_in(kept: Kept) -> None:
    take_in_without_second(kept)
    assert ie.import_results(kept.source, kept.config).gradings == 32
    assert len(ie.table(kept.config, "gradings")) == 80
    assert_reconciled(kept.config)


@pytest.mark.long
def test_what_itemeval_did_since_comes_in_beside_a_run(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run holds some partitions, and the import waits for it; nothing is lost or doubled."""
    take_in_without_second(kept)
    notes, found, waits = list[str](), list[ImportSummary](), threading.Event()

    def remember(note: str) -> None:
        notes.append(note)
        waits.set()

    def take_in() -> None:
        found.append(ie.import_results(kept.source, kept.config, on_note=remember))

    thread, begun, answered = threading.Thread(target=take_in), threading.Lock(), kept.server.reply
    assert answered is not None

    def reply(request: Request) -> str | Answer | None:
        if begun.acquire(blocking=False):
            thread.start()
        assert waits.wait(60)
        return answered(request)

    monkeypatch.setattr(kept.server, "reply", reply)
    ie.run(kept.config)
    thread.join()
    assert found[0].gradings == 32 and "waiting for" in notes[0]
    assert len(ie.table(kept.config, "gradings")) == 80
    assert not any(part.stale for part in ie.status(kept.config).grade)
    # Whoever came first to the gradings of the second judge: the import, or the run.
    assert kept.server.count("judge2") in (0, 32)
    assert_reconciled(kept.config)
    assert ie.import_results(kept.source, kept.config).is_nothing


@pytest.mark.long
def test_all_that_shows_a_study_shows_it(
    imported: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("estimate", "export", "scores", "report", "cells", "show", "release"):
        words = [command, str(imported.config), *(["q1"] if command == "show" else [])]
        assert run_cli(words) == 0
    assert run_cli(["view", str(imported.config), "--only-write"]) == 0
    assert "Traceback" not in capsys.readouterr().err
    assert imported.server.count() == 0


def test_without_its_words_the_study_does_not_open(imported: Kept) -> None:
    """Its conditions would be others, and all be paid again."""
    lock = imported.folder / "kept.template_lock.json"
    words = lock.read_text()
    lock.unlink()
    with pytest.raises(StoreError, match=r"builtin:minimal has other words.*template_lock.json"):
        ie.run(imported.config)
    assert imported.server.count() == 0
    assert (
        ie.import_results(imported.source, imported.config).is_nothing and lock.read_text() == words
    )
    lock.write_text(words.replace("ANSWER", "answer"))
    with pytest.raises(ConfigError, match=r"does not hold the words of templates: the text of"):
        ie.status(imported.config)


def test_the_page_tells_what_works(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(kept.folder)
    declare(kept.folder).rename("study.yaml")
    page = (Path(__file__).parents[2] / "docs" / "importing.md").read_text()
    lines, *_ = re.findall(r"^```sh\n(.*?)^```", page, re.M | re.S)
    for line in lines.replace("my_study", "kept").splitlines():
        program, *words = shlex.split(line)
        if program == "itemeval-assets":
            # What failed fails again, but for the judges.
            assert run_cli(words) == (5 if words[0] == "run" else 0)
        else:
            subprocess.run(line, shell=True, check=True)
    [text] = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    exec(compile(text.replace("my_study", "kept"), "importing.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "24 solutions, 80 gradings, 28 logs came in" in printed and "\n0 0 [" in printed
    assert kept.server.count() == 4 + 2 * 2 * 2


def test_what_becomes_what_is_there(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "importing.md").read_text()
    commands = page.split("## Which command becomes which")[1].split("\n## ")[0]
    here = [row.split("|")[2] for row in commands.splitlines() if row.startswith("| ")][1:]
    words = [word for cell in here for word in re.findall(r"`([^`]+)`", cell)]
    called = [shlex.split(word)[1:] for word in words if word.startswith("itemeval-assets")]
    assert len(called) > 8
    for command, *given in called:
        assert run_cli([command, "--help"]) == 0
        known = capsys.readouterr().out
        assert all(option in known for option in given if option.startswith("--"))
    functions = {"load_study", "estimate", "status", "export", "run"}
    assert functions <= {word.partition("(")[0] for word in words} and functions <= {*dir(ie)}
    columns = page.split("## Which column becomes which")[1].split("\n## ")[0]
    ours = {*GRADINGS.column_names, *LEDGER.column_names}
    theirs = {*kept.table("gradings").columns, *kept.table("ledger").columns}
    rows = [row.split("|")[1:3] for row in columns.splitlines() if row.startswith("| ")][1:]
    for before, now in rows:
        if before.strip() == "none":
            named = set(re.findall(r"`(\w+)`", now))
            assert named and named <= ours - theirs | {"reasoning_tokens"}
        elif now.strip() == "none":
            assert {*re.findall(r"`(\w+)`", before)} <= theirs - ours


class TestBucket:
    @pytest.fixture
    def output_dir(self, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
        monkeypatch.setenv("AWS_ENDPOINT_URL", s3.endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        empty_bucket("imports")
        return "s3://imports/ours"

    @pytest.mark.long
    def test_a_bucket_takes_it_in(self, kept: Kept) -> None:
        ie.import_results(kept.source, kept.config)
        if IS_LONG:
            assert ie.import_results(kept.source, kept.config).is_nothing
        assert_calls(kept, solutions=4, gradings=2 * 2 * 2)
        assert_reconciled(kept.config)


def assert_calls(kept: Kept, *, solutions: int, gradings: int) -> None:
    """A run makes so many calls. In short, the estimate says how many there are of solutions."""
    assert ie.estimate(kept.config, only="solutions").remaining.calls == solutions
    if IS_LONG:
        assert ie.run(kept.config).calls == solutions + gradings
        assert not ie.status(kept.config).lost


def waves(kept: Kept) -> set[str]:
    tables = (kept.table(name) for name in ("solutions", "gradings"))
    return {run for table in tables for run in table[table["wave"] > 0]["run_id"]}


def fingerprint(folder: Path) -> dict[str, str]:
    """The hashes of all files, those of locks left out."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".locks" not in path.parts
    }
