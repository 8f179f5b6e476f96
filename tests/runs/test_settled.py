"""A run without anything to do starts no run of Dagster; what has changed is looked at again."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import DatasetError, StoreError
from itemeval_assets.instances.instance import open_instance
from itemeval_assets.runs import dagster_runs
from itemeval_assets.runs.launching.launcher import Launcher
from itemeval_assets.runs.settled import valid_note
from itemeval_assets.runs.summary import RunSummary
from itemeval_assets.settings import dagster_home_of
from itemeval_assets.stages import export
from itemeval_assets.stages.gradings_long import behind
from itemeval_assets.storage.study.layout import SETTLED, table_key
from itemeval_assets.storage.study.store import open_store
from tests.first_runs import note_as_it_is
from tests.studies import write_study

MOST = 3 if "TEST_LONG" in os.environ else 1
HOMELESS = '{"marks_sha256": "x", "homes": null, "rows": 1, "exported": []}'
HEAVY = ("dagster", "inspect_ai", "datasets", "sqlalchemy", "matplotlib", "scipy", "statsmodels")


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study whose first run is over, and with its Dagster home."""
    folder = tmp_path_factory.mktemp("settled")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DAGSTER_HOME", str(folder / "home"))
        assert api.run(write_study(folder / "study")).run_ids
    shutil.copytree(folder, before(folder))
    return folder


def before(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}_before")


@pytest.fixture
def study(first_run: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """The study as it was after its first run, in its place: the history names that."""
    monkeypatch.setenv("DAGSTER_HOME", str(first_run / "home"))
    return put_back(first_run)


def put_back(first_run: Path) -> Study:
    shutil.rmtree(first_run)
    shutil.copytree(before(first_run), first_run)
    study = api.load_study(first_run / "study" / "study.yaml")
    note_as_it_is(study)
    return study


def place(study: Study) -> Path:
    return Path(study.location)


def without_runs(summary: RunSummary) -> bool:
    return not (summary.run_ids or summary.calls or summary.usd)


def test_it_says_what_a_run_says(study: Study) -> None:
    first = api.run(study, force=True)
    again = api.run(study)
    assert without_runs(again)
    assert (again.status, again.export, again.changed_at) == (
        first.status,
        first.export,
        first.changed_at,
    )
    assert first.scores is not None and first.scores.rows[0].low is not None
    assert again.scores == first.scores
    assert (again.exit_code, again.reason, again.missing, again.errored) == (0, None, 0, 0)


def test_it_writes_nothing(study: Study) -> None:
    def files() -> dict[str, int]:
        found = filter(Path.is_file, study.config_dir.rglob("*"))
        return {str(path): path.stat().st_mtime_ns for path in found}

    before = files()
    assert without_runs(api.run(study, workers=2))
    assert without_runs(api.run(study, only="gradings"))
    assert without_runs(api.run(study, errored=True))
    assert files() == before


def test_it_loads_neither_dagster_nor_inspect_ai(study: Study) -> None:
    code = (
        "import sys; from itemeval_assets.cli.main import run_cli;"
        f"code = run_cli(['run', {str(study.config_path)!r}, '--workers', '2']);"
        f"print(code, sorted({set(HEAVY)} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == ["0 []"], done.stderr
    assert "This run: nothing was pending, no model was called. The results last" in done.stdout


def test_a_run_that_reads_its_logs_again_says_so(
    study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    for rows in place(study).glob("solutions.parquet/*.parquet"):
        rows.unlink()
    assert run_cli(["run", str(study.config_path)]) == 0
    said = capsys.readouterr().out
    assert "This run: no model was called." in said
    assert re.search(r"^Recovered [1-9]\d* finished calls from logs\.$", said, re.MULTILINE)


def edit_the_config(study: Study) -> None:
    with study.config_path.open("a") as config:
        config.write("automation:\n  max_attempts: 7\n")


CHANGES: dict[str, Callable[[Study], object]] = {
    "a log that no table knows": lambda study: next(
        place(study).glob("log_index.parquet/generate/*.parquet")
    ).unlink(),
    "a deleted table": lambda study: (place(study) / "ledger.parquet").unlink(),
    "a deleted partition": lambda study: next(
        place(study).glob("gradings.parquet/*/*.parquet")
    ).unlink(),
    "a deleted export": lambda study: (place(study) / "export" / "cells.csv").unlink(),
    "an edited export": lambda study: (place(study) / "export" / "cells.csv").write_text("x"),
    "a new Dagster home": lambda study: shutil.rmtree(dagster_home_of(study.config_dir)),
    "an edited config": edit_the_config,
    "no note": lambda study: (place(study) / SETTLED).unlink(),
}


# The next run is made after these, and after these an export; the first of each in short.
MENDED = ("an edited export", "a log that no table knows", "a new Dagster home")[:MOST]
HIDDEN = ("a deleted partition", "a log that no table knows", "a new Dagster home")[:MOST]


def test_what_has_changed_is_looked_at_again(first_run: Path, study: Study) -> None:
    for change, make in CHANGES.items():
        make(study)
        study = api.load_study(study.config_path)
        store = open_store(study)
        assert valid_note(study, store, store.stats()) is None, change
        if change in MENDED:
            mended = api.run(study)
            assert mended.run_ids and not mended.calls, change
            assert without_runs(api.run(study)), change
        study = put_back(first_run)


def test_a_comment_changes_nothing(study: Study) -> None:
    study.config_path.write_text("# a comment\n" + study.config_path.read_text() + "\n# another\n")
    assert without_runs(api.run(study.config_path))


@pytest.mark.long
def test_an_export_changes_nothing_for_a_run(study: Study) -> None:
    first = api.run(study)
    for for_spreadsheets in (False, True):
        made = api.export(study, for_spreadsheets=for_spreadsheets)
        again = api.run(study)
        assert without_runs(again) and again.export.paths == made.paths
        assert again.scores == first.scores is not None


def test_an_export_does_not_hide_what_has_changed(study: Study) -> None:
    for change in HIDDEN:
        CHANGES[change](study)
        with suppress(StoreError):
            api.export(study)
        assert api.run(study).run_ids, change


@pytest.mark.parametrize("command", ["run", pytest.param("export", marks=pytest.mark.long)])
def test_the_note_that_another_run_has_left_keeps_its_own_scores(
    study: Study, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """It ends while this one is at work, and has stored more than this one has seen."""
    note, whole = place(study) / SETTLED, Launcher.__call__
    theirs = {**json.loads(note.read_text()), "scores": None}

    def and_another_run(launch: Launcher, tables: list[str], *args: object, **more: object) -> None:
        whole(launch, tables, *args, **more)  # type: ignore[arg-type]
        if "export" in tables:
            next(place(study).glob("gradings.parquet/*/*.parquet")).touch()
            note.write_text(json.dumps(theirs))

    monkeypatch.setattr(Launcher, "__call__", and_another_run)
    if command == "run":
        api.run(study, force=True)
    else:
        api.export(study)
    assert json.loads(note.read_text()) == theirs


def test_changed_data_are_refused_as_ever(study: Study) -> None:
    with (study.config_dir / "items.jsonl").open("a") as items:
        items.write(json.dumps({"id": "new", "problem": "?", "answer": "1"}) + "\n")
    with pytest.raises(DatasetError, match="changed since this study pinned it"):
        api.run(study)


@pytest.mark.long
def test_a_damaged_note_is_written_anew(study: Study) -> None:
    note, store = place(study) / SETTLED, open_store(study)
    for damaged in ("", "{", "[]", "null", '{"marks_sha256": "x"}', HOMELESS):
        note.write_text(damaged)
        assert valid_note(study, store, store.stats()) is None, damaged
    assert api.run(study).run_ids
    assert json.loads(note.read_text())["rows"]
    assert without_runs(api.run(study))


@pytest.mark.long
def test_an_edit_that_keeps_size_and_time_is_seen(study: Study) -> None:
    table = place(study) / "export" / "cells.csv"
    before, text = table.stat(), table.read_text()
    table.write_text(text.replace("done", "gone"))
    os.utime(table, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert table.stat().st_size == before.st_size
    assert api.run(study).run_ids
    assert table.read_text() == text


def test_a_history_that_was_moved_away_is_begun_again(study: Study) -> None:
    history = dagster_home_of(study.config_dir) / "history"
    history.rename(history.with_name("elsewhere"))
    assert api.run(study).run_ids and history.is_dir()
    assert without_runs(api.run(study))


@pytest.mark.parametrize("by", [pytest.param("hand", marks=pytest.mark.long), "dagster"])
def test_a_history_that_was_emptied_in_its_place_is_begun_again(study: Study, by: str) -> None:
    """Also where it shows another study since."""
    home = dagster_home_of(study.config_dir)
    if by == "dagster":
        with open_instance(home) as instance:
            instance.wipe()
    else:
        for file in (home / "history").rglob("*.db*"):
            file.unlink()
    other = study.config_path.with_name("other.yaml")
    other.write_text(study.config_path.read_text().replace("study: toy", "study: other"))
    assert api.run(other).run_ids
    assert api.run(study).run_ids
    assert without_runs(api.run(study)) and without_runs(api.run(other))


def test_a_note_does_not_grow(study: Study) -> None:
    def homes() -> list[str]:
        return json.loads((place(study) / SETTLED).read_text())["homes"]

    [before] = homes()
    api.export(study)
    [after] = homes()
    assert after != before
    assert without_runs(api.run(study))


@pytest.mark.long
def test_two_machines_show_the_study_in_turn(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "another"))
    assert api.run(study).run_ids
    assert without_runs(api.run(study))


def test_a_log_of_a_killed_run_is_recovered(study: Study) -> None:
    """It lay there as another run ended: nothing has changed since then."""
    log = next(place(study).glob("logs/generate/*/*.eval"))
    running = place(study) / "logs" / "running"
    running.mkdir(exist_ok=True)
    shutil.copy(log, running / log.name)
    next(place(study).glob("log_index.parquet/generate/*.parquet")).unlink()
    log.unlink()
    note_as_it_is(study)
    assert api.run(study).run_ids
    assert not list(running.glob("*.eval"))
    assert without_runs(api.run(study))


def test_a_run_that_begins_leaves_no_note(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the next one marks its Dagster run as failed, wherever it was killed."""
    with monkeypatch.context() as patched:
        patched.setattr(dagster_runs, "open_gate", stop)
        with pytest.raises(KeyboardInterrupt):
            api.run(study, force=True)
    assert not (place(study) / SETTLED).exists()
    assert api.run(study).run_ids


def stop(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.long
def test_what_is_pending_is_run(study: Study) -> None:
    larger = api.load_study(write_study(study.config_dir, models=["mockllm/a", "mockllm/b"]))
    assert api.run(larger).calls
    assert without_runs(api.run(larger))


def a_run_of_less(study: Study) -> int:
    return api.run(study, conditions=["mockllm/a"]).export.rows


def a_run(study: Study) -> int:
    return api.run(study).export.rows


def an_export(study: Study) -> int:
    return api.export(study).rows


def a_release(study: Study) -> int:
    return api.release(study).events


def test_what_a_killed_run_has_not_joined_is_joined_first(tmp_path: Path) -> None:
    study = api.load_study(write_study(tmp_path, models=["mockllm/a", "mockllm/b"]))
    events = api.run(study).export.rows
    for command in (an_export, a_run, a_run_of_less, a_release, a_run)[: 2 * MOST]:
        unjoin(study, wholly=command is not a_run)
        assert command(study) == events, command
    assert without_runs(api.run(study))


def unjoin(study: Study, *, wholly: bool) -> None:
    """Leave b's gradings as a killed run does: without rows of their own, or with older ones."""
    for joined in place(study).glob("gradings_long.parquet/b_*/*.parquet"):
        if wholly:
            joined.unlink()
        else:
            os.utime(joined, (0, 0))


def test_gradings_without_their_joined_rows_are_not_exported(study: Study) -> None:
    for joined in place(study).glob("gradings_long.parquet/*/*.parquet"):
        joined.unlink()
    with pytest.raises(StoreError, match=r"gradings_long, partition .*: it has 0 rows") as raised:
        export.write(study, open_store(study))
    assert "itemeval-assets run" in str(raised.value)


def test_gradings_that_are_younger_than_their_join_are_looked_at(study: Study) -> None:
    store = open_store(study)
    stats = store.stats()
    assert not behind(study, stats)
    [first, *_] = study.grade_partitions()
    for table, partition in (("gradings", first), ("solutions", first.solutions)):
        key = table_key(table, partition)
        later = stats[key]._replace(changed_at=max(s.changed_at for s in stats.values()))
        older = {
            table_key("gradings_long", first): stats[key]._replace(
                changed_at=later.changed_at - timedelta(seconds=1)
            )
        }
        assert first in behind(study, {**stats, key: later, **older}), table
