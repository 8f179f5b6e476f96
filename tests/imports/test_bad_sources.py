"""What does not fit is told with its place, before anything is stored."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

import itemeval_assets as ie
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.errors import ItemevalAssetsError
from itemeval_assets.imports.itemeval.survey import survey
from tests.whole.looking import assert_reconciled

from .conftest import Kept
from .test_import import assert_calls

Change = Callable[[Kept], object]


def delete(name: str) -> Change:
    return lambda kept: (kept.source / name).unlink()


def damage(name: str) -> Change:
    return lambda kept: (kept.source / name).write_bytes(b"PAR1 and no more")


def set_first(table: str, column: str, value: str | int) -> Change:
    def change(rows: pd.DataFrame) -> pd.DataFrame:
        rows.loc[rows.index[0], column] = value
        return rows

    return lambda kept: kept.change(table, change)


def set_all(table: str, column: str, value: object) -> Change:
    return lambda kept: kept.change(table, lambda rows: rows.assign(**{column: value}))


def set_answer(kept: Kept) -> None:
    def change(rows: pd.DataFrame) -> pd.DataFrame:
        place = rows.index[rows["solution"].notna() & (rows["wave"] == 0)][0]
        rows.loc[place, "solution"] = "ANSWER: 17"
        return rows

    kept.change("solutions", change)


def edit_file(name: str) -> Change:
    def edit(kept: Kept) -> None:
        path = kept.folder / name
        path.write_text(f"{path.read_text()}\nMore words.\n")

    return edit


def edit_judges(kept: Kept) -> None:
    document = yaml.safe_load(kept.config.read_text())
    for judge in document["graders"].values():
        judge["max_tokens"] = 77
    kept.edit(graders=document["graders"], facets={**document["facets"], "scorer": None})


def into_itself(kept: Kept) -> None:
    kept.edit(output_dir="studies")


def empty_folder(kept: Kept) -> None:
    shutil.rmtree(kept.source)
    kept.source.mkdir()


def no_folder(kept: Kept) -> None:
    shutil.rmtree(kept.source)


def ours(kept: Kept) -> None:
    (kept.source / "study.json").write_text("{}")


BAD: dict[str, tuple[Change, str]] = {
    "no folder": (no_folder, "there is no file or folder "),
    "an empty folder": (empty_folder, "is no study of itemeval: name the folder"),
    "a study of ours": (ours, "is a study of itemeval-assets: run its config"),
    "its own folder": (into_itself, "output_dir: .* is the folder of the itemeval study itself"),
    "a folder in it": (
        lambda kept: kept.edit(output_dir="studies/kept"),
        "kept/kept is the folder of the itemeval study itself, or in it",
    ),
    "half a study": (
        delete("ledger.parquet"),
        "half an itemeval study: there is no ledger.parquet",
    ),
    "no gradings": (delete("gradings.parquet"), "there is no gradings.parquet"),
    "no pins": (delete("dataset_locks.json"), "there is no dataset_locks.json"),
    "a damaged table": (damage("gradings.parquet"), "gradings.parquet cannot be read: "),
    "damaged pins": (
        lambda kept: (kept.source / "dataset_locks.json").write_text("{"),
        "dataset_locks.json is not valid JSON",
    ),
    "a damaged manifest": (
        lambda kept: next(kept.source.glob("manifests/*")).write_text('{"run_id": 1}'),
        "is no manifest of itemeval",
    ),
    "a column less": (
        lambda kept: kept.change("solutions", lambda rows: rows.drop(columns="usd")),
        "solutions.parquet has no column usd",
    ),
    "a column of another type": (
        set_all("solutions", "usd", "much"),
        "solutions.parquet is not as itemeval writes it",
    ),
    "another study": (
        set_all("gradings", "study", "other"),
        "gradings.parquet has rows of the study 'other', and the config declares 'kept'",
    ),
    "an unknown item": (
        set_first("solutions", "item_id", "q9"),
        "solutions.parquet has rows of the item 'q9'",
    ),
    "an unknown condition": (
        set_first("gradings", "grade_condition_id", "judge_x--0123456789ab"),
        "has rows of the condition judge_x--0123456789ab, which .* does not have",
    ),
    "another design": (edit_judges, "gradings.parquet has rows of the condition judge_"),
    "an edited prompt": (
        edit_file("prompts/solver/mine.md"),
        "mine.md has the hash [0-9a-f]{12}, and the rows of the study were made with 3f5908dca461",
    ),
    "an edited rubric": (edit_file("rubrics/strict.md"), "strict.md has the hash"),
    "a row twice": (
        lambda kept: kept.change("solutions", lambda rows: pd.concat([rows, rows.head(1)])),
        "solutions.parquet has two rows of ",
    ),
    "gradings of nothing": (
        lambda kept: kept.change("solutions", lambda rows: rows.iloc[1:]),
        "gradings.parquet grades .*, of which solutions.parquet has no row",
    ),
    "another answer than its log": (set_answer, "names this log, which has another answer"),
    "other tokens than its log": (
        set_first("solutions", "total_tokens", 7),
        "which has 38 tokens, and the row 7",
    ),
    "a damaged log": (
        lambda kept: (kept.source / kept.table("solutions")["log_file"].iloc[0]).write_bytes(b"PK"),
        "is not a readable .eval log",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_told(
    case: str, kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    change, message = BAD[case]
    change(kept)
    assert run_cli(["import", str(kept.source), str(kept.config)]) == 2
    printed = capsys.readouterr()
    assert re.search(message, printed.err) and "Traceback" not in printed.err
    assert not printed.out and not (kept.folder / "ours").exists()


def test_items_that_are_others_here_are_told(imported: Kept) -> None:
    imported.change("items", lambda rows: rows.assign(metadata_json="{}"))
    with pytest.raises(ItemevalAssetsError, match=r"item 'q1' of .* its metadata_json differs"):
        ie.import_results(imported.source, imported.config)


def test_a_ledger_that_says_otherwise_is_said_and_the_logs_are_booked(kept: Kept) -> None:
    place = kept.table("ledger").query("stage == 'generate'").iloc[0]

    def change(rows: pd.DataFrame) -> pd.DataFrame:
        is_it = (rows["run_id"] == place["run_id"]) & (
            rows["condition_id"] == place["condition_id"]
        )
        return rows.assign(total_tokens=rows["total_tokens"].mask(is_it, 7))

    kept.change("ledger", change)
    summary = ie.import_results(kept.source, kept.config)
    said = f"the ledger of the source says 7 tokens of generate {place['condition_id']}"
    assert any(said in note and "the logs are booked" in note for note in summary.notes)
    assert_reconciled(kept.config)


def test_a_study_with_other_words_is_not_mixed(kept: Kept) -> None:
    """It has answers to our words of the packaged templates already."""
    benchmark = yaml.safe_load(kept.config.read_text())["benchmark"]
    data = [{"id": "made/here", "revision": "0" * 40}]
    kept.edit(benchmark={**benchmark, "datasets": data})
    ie.run(kept.config, conditions="beta", only="solutions")
    with pytest.raises(ItemevalAssetsError, match=r"has results already.*builtin:minimal"):
        ie.import_results(kept.source, kept.config)
    assert len(ie.table(kept.config, "solutions")) == 12
    assert not (kept.folder / "kept.template_lock.json").exists()


@pytest.mark.long
def test_rows_whose_logs_are_gone_come_in_and_it_is_said(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The words of the packaged rubric then come from an installed itemeval, if there is one."""
    study = survey(str(kept.source), kept.config).study
    [words] = {one.text for one in study.design.rubrics if one.name == "builtin:standard"}
    shutil.rmtree(kept.source / "logs" / "grade")
    with pytest.raises(ItemevalAssetsError, match=r"builtin:standard: its words.*Install"):
        ie.import_results(kept.source, kept.config)
    installed = kept.folder / "packages" / "itemeval"
    (installed / "_builtin" / "rubrics").mkdir(parents=True)
    (installed / "__init__.py").write_text("raise ImportError('it is not to be loaded')")
    (installed / "_builtin" / "rubrics" / "standard.md").write_text(words)
    monkeypatch.syspath_prepend(str(installed.parent))
    summary = ie.import_results(kept.source, kept.config)
    assert any("come in without a log" in note for note in summary.notes)
    assert (summary.gradings, ie.status(kept.config).lost) == (80, [])
    assert not any("differ" in note for note in summary.notes)
    assert ie.import_results(kept.source, kept.config).is_nothing
    # The answers were made again after they had been graded: nobody knows whether they changed.
    assert any("56 gradings by judges are older" in note for note in summary.notes)
    assert_calls(kept, solutions=4, gradings=2 * 2 * 2 + 56)


def test_answers_that_no_table_knows_come_in(kept: Kept) -> None:
    """itemeval broke before it stored the rows of a run: its logs have the answers."""
    answers = kept.table("solutions")
    last = answers[(answers["prompt_name"] == "mine") & (answers["wave"] == 0)].iloc[0]
    condition, log = last["condition_id"], last["log_file"]
    kept.change("solutions", lambda rows: rows[rows["log_file"] != log])
    kept.change("log_index", lambda rows: rows[rows["log_file"] != log])
    kept.change("gradings", lambda rows: rows[rows["gen_condition_id"] != condition])
    summary = ie.import_results(kept.source, kept.config)
    assert any("1 log of runs that itemeval did not end" in note for note in summary.notes)
    assert len(ie.table(kept.config, "solutions")) == 24
    # Those of the judges come from logs, too; a scorer has none, and grades again for nothing.
    assert len(ie.table(kept.config, "gradings")) == 80 - 4
    assert_calls(kept, solutions=4, gradings=2 * 2 * 2)
    assert_reconciled(kept.config)


@pytest.mark.long
def test_former_conditions_stay_out_and_are_counted(kept: Kept) -> None:
    """The last run of the source did not have a prompt any more."""
    manifests = [(path, json.loads(path.read_text())) for path in kept.source.glob("manifests/*")]
    path, last = max(manifests, key=lambda one: one[1]["created_at"])
    is_left = lambda one: "mine" not in one["slug"]  # noqa: E731
    last["grid_generate"] = [one for one in last["grid_generate"] if is_left(one)]
    path.write_text(json.dumps(last))
    document = yaml.safe_load(kept.config.read_text())
    kept.edit(facets={**document["facets"], "prompt": ["builtin:minimal"]})
    found = ie.import_results(kept.source, kept.config)
    counts = {left.what: left.count for left in found.left_out}
    assert (found.solutions, counts["rows of former conditions in solutions"]) == (12, 12)
    assert counts["rows of former conditions in gradings"] == 40
    assert_calls(kept, solutions=2, gradings=2 * 2)
    assert_reconciled(kept.config)


@pytest.mark.long
def test_json_says_what_came_in(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["import", str(kept.source), str(kept.config), "--json"]
    assert run_cli([*line, "--dry-run"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["is_dry_run"] and said["solutions"] == 24 and said["left_out"][0]["count"] > 0
    assert run_cli(line) == 0
    assert json.loads(capsys.readouterr().out)["gradings"] == 80
    (kept.source / "ledger.parquet").unlink()
    assert run_cli(line) == 2
    said = json.loads(capsys.readouterr().out)
    assert said["exit_code"] == 2 and "ledger.parquet" in said["message"]


def test_of_the_two_paths_it_says_which_is_which(
    kept: Kept, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, nowhere = str(kept.config), str(tmp_path / "nowhere")
    how = f"itemeval-assets import PATH {config}"
    assert run_cli(["import", config, nowhere]) == 2
    said = capsys.readouterr().err
    assert f"PATH, the first argument, is a file: {config}" in said and how in said
    assert run_cli(["import", str(kept.source), nowhere]) == 2
    assert f"CONFIG, the second argument: there is no config file {nowhere}" in (
        capsys.readouterr().err
    )
