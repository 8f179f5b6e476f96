"""The commands that show figures: on the terminal, as JSON, as CSV and as a page."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from itemeval_assets import api, figures
from itemeval_assets.cli.main import run_cli
from tests.scored import scored_study
from tests.studies import write_study

GRADERS = ["numeric", "strict_judge · strict", "mild_judge · strict"]
COMMANDS = ["scores", "compare", "reliability", "agreement", "items", "conditions"]


def score(model: str, grader: str, n: int, epoch: int) -> float:
    return round(((3 * n + len(model) + len(grader)) % 7) / 7, 3)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> str:
    study = scored_study(tmp_path_factory.mktemp("scored"), score, items=12)
    for log in figures.item_answers(study, "q3")[0].logs:
        Path(log).parent.mkdir(parents=True, exist_ok=True)
        Path(log).touch()
    return str(study.config_path)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_figure_is_told_in_four_ways(
    config: str, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_cli([command, config]) == 0
    shown = capsys.readouterr().out
    page, rows = tmp_path / "figures.html", tmp_path / "figures.csv"
    assert run_cli([command, config, "--out", str(page)]) == 0
    assert capsys.readouterr().out == f"{shown}  {page}\n"
    assert run_cli([command, config, "--out", str(rows), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)
    told = page.read_text().partition("</style>")[2]
    assert "<table>" in told and "prefers" not in told
    frame = pd.read_csv(rows)
    assert len(frame) and frame.columns.is_unique
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("command", [*COMMANDS, "cells"])
def test_no_file_of_the_study_is_written_over(
    config: str, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = shutil.copytree(Path(config).parent, tmp_path / "study")
    copy = study / Path(config).name
    document = yaml.safe_load(copy.read_text())
    data = study / document["benchmark"]["datasets"][0]["id"]
    csv_data = data.with_suffix(".csv")
    data.rename(csv_data)
    document["benchmark"]["datasets"][0]["id"] = csv_data.name
    copy.write_text(yaml.safe_dump(document))
    results = study / "studies" / document["study"]
    export = results / "export" / "gradings_long.csv"
    export.parent.mkdir(exist_ok=True)
    export.write_text("rows\n")
    of_another = shutil.copytree(results, tmp_path / "another") / "export" / "cells.csv"
    of_another.write_text("rows\n")
    (tmp_path / "another" / "study.json").touch()
    link = tmp_path / "link.csv"
    link.symlink_to(csv_data)
    for out, what in ((csv_data, "benchmark.datasets[0]"), (link, "benchmark.datasets[0]"),
                      (export, f"a file of the study in {results}"),
                      (of_another, f"a file of the study in {tmp_path / 'another'}")):  # fmt: skip
        before = out.read_bytes()
        assert run_cli([command, str(copy), "--out", str(out), "--json"]) == 2
        assert f"--out {out}: this is {what}" in capsys.readouterr().err
        assert out.read_bytes() == before


@pytest.mark.parametrize("name", ["figures.html", "figures.csv"])
def test_only_a_file_of_ours_is_written_over(
    config: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / name
    out.write_text("question,answer\nWhat is 2 + 2?,4\n")
    assert run_cli(["scores", config, "--out", str(out)]) == 2
    assert "would be lost; give another name, or remove the file first" in capsys.readouterr().err
    assert out.read_text().startswith("question,answer\n")
    out.write_text(" \n")
    assert run_cli(["scores", config, "--out", str(out)]) == 0
    written = out.read_bytes()
    assert run_cli(["scores", config, "--by", "topic", "--out", str(out)]) == 0
    assert out.read_bytes() != written


@pytest.mark.parametrize("command", ["scores", "report", "cells"])
def test_what_is_no_file_of_ours_is_told_and_stays(
    command: str, config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blank, folder, pipe = (tmp_path / name for name in ("blank.html", "folder.html", "pipe.html"))
    blank.write_text(" " * 5000 + "mine")
    folder.mkdir()
    os.mkfifo(pipe)
    link = tmp_path / "link.html"
    link.symlink_to("/dev/null")
    there_was = sorted(tmp_path.rglob("*"))
    for out, said in (
        (blank, "this file is not by itemeval-assets"),
        (folder, "this is a folder"),
        (pipe, "this is no file, but a pipe or a device"),
        (link, "this is no file, but a pipe or a device"),
        (Path("/dev/stdout"), "give a file that ends with"),
    ):
        assert run_cli([command, config, "--out", str(out)]) == 2
        assert said in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == there_was
    assert blank.read_text().endswith("mine") and pipe.is_fifo() and link.is_symlink()


def test_a_file_that_cannot_be_read_is_not_written_over(
    config: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "figures.csv"
    out.write_text("mine")

    def refuse(*_: Any) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("itemeval_assets.report.render.replaced._start_in", refuse)
    assert run_cli(["scores", config, "--out", str(out)]) == 2
    assert "cannot be read (Permission denied)" in capsys.readouterr().err
    assert out.read_text() == "mine"


def test_a_page_of_another_study_is_not_written_over(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report.html"
    assert run_cli(["report", config, "--out", str(out)]) == 0
    assert run_cli(["scores", config, "--out", str(out)]) == 0
    page = out.read_text().replace("itemeval-assets, study ", "itemeval-assets, study an")
    out.write_text(page)
    for command in ("report", "scores"):
        assert run_cli([command, config, "--out", str(out)]) == 2
        assert "this page is of the study an" in capsys.readouterr().err
    assert out.read_text() == page


@pytest.mark.parametrize("option", [("--pass-at", "1"), ("--majority-at", "1"), ("--panel",)])
def test_another_figure_than_the_mean(
    config: str, option: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = tmp_path / "rates.csv"
    assert run_cli(["scores", config, *option, "--json", "--out", str(rows)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert all(row["low"] <= row["mean"] <= row["high"] for row in found["rows"])
    assert found["figure"] in pd.read_csv(rows).columns
    assert run_cli(["scores", config, *option]) == 0
    assert found["figure"].split()[0] in capsys.readouterr().out


def test_the_card_of_a_judge(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["agreement", config, "--judge", "mild_judge"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("card of mild_judge · strict\n") and "failed parses" in shown
    assert "strict_judge" not in shown
    assert run_cli(["agreement", config, "--judge", "mild_judge", "--json"]) == 0
    [card] = json.loads(capsys.readouterr().out)
    assert (card["judge"], card["replies"], card["usd"]) == ("mild_judge · strict", 24, 12.0)


def test_the_answers_to_an_item(
    config: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rows = tmp_path / "answers.csv"
    line = ["show", config, "q3", "--grader", "numeric"]
    assert run_cli([*line, "--out", str(rows)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("q3 of items.jsonl: What is q3?\nTarget: 4\n") and "Log: " in shown
    frame = pd.read_csv(rows)
    assert len(frame) == 2 and frame["log of the answer"].str.endswith(".eval").all()
    assert run_cli([*line, "--json"]) == 0
    [item] = json.loads(capsys.readouterr().out)
    assert (item["item_id"], len(item["answers"])) == ("q3", 2)


def test_of_a_log_that_was_deleted_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_study(tmp_path, items=1, graders=[])
    api.run(path)
    line = ["show", str(path), "q1"]
    assert run_cli([*line, "--json"]) == 0
    [item] = json.loads(capsys.readouterr().out)
    log = item["answers"][0]["gen_log"]
    assert item["gone"] == []
    Path(log).unlink()
    assert run_cli(line) == 0
    shown = capsys.readouterr().out
    assert f"Gone: {log}\nA log that is gone was deleted or moved" in shown
    assert "Log: " not in shown
    assert run_cli([*line, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["gone"] == [log]


@pytest.mark.pictures
def test_a_page_holds_pictures_and_no_markup_of_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = scored_study(tmp_path, score, models=("mockllm/<b>x", "mockllm/y"))
    page = tmp_path / "scores.html"
    assert run_cli(["scores", str(study.config_path), "--out", str(page)]) == 0
    text = page.read_text()
    assert "&lt;b&gt;x" in text and "<b>" not in text
    assert 'src="data:image/png;base64,iVBOR' in text


def test_a_column_of_the_data_that_has_the_name_of_one_of_ours_is_refused(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(Path(config).parent, tmp_path, dirs_exist_ok=True)
    copy = tmp_path / Path(config).name
    document = yaml.safe_load(copy.read_text())
    document["benchmark"]["mapping"]["metadata"] = ["topic", "score"]
    copy.write_text(yaml.safe_dump(document))
    capsys.readouterr()
    assert run_cli(["scores", str(copy), "--by", "score"]) == 2
    assert "by: 'score' is a column of the results" in capsys.readouterr().err


def test_a_page_has_the_digits_of_the_terminal_and_links_to_logs(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    assert run_cli(["compare", config, "alpha", "beta", "--out", str(page)]) == 0
    shown, text = capsys.readouterr().out, page.read_text()
    assert "verdict" not in text
    assert "Holm" not in shown and "`" not in text
    assert run_cli(["compare", config, "--of", "condition", "--out", str(page)]) == 0
    assert "`" not in page.read_text()
    capsys.readouterr()
    for figure in re.findall(r"-?\d\.\d{3} to -?\d\.\d{3}", shown):
        assert ">{}<".format(figure.replace(" ", "\N{NO-BREAK SPACE}")) in text
    assert run_cli(["show", config, "q3", "--out", str(page)]) == 0
    assert re.search(r'<a href="file:///[^"]+/a\.eval">a\.eval</a>', page.read_text())


def test_tables_are_legible_at_80_columns(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("scores", "compare", "reliability", "agreement", "conditions"):
        assert run_cli([command, config]) == 0
        shown = capsys.readouterr().out
        assert max(map(len, shown.splitlines())) <= 80
        assert re.search("scale (is )?0 to 1", shown.lower())
        table = [line for line in shown.splitlines() if line.startswith("│")]
        words = {word for line in table for word in line.replace("│", " ").split()}
        parts = {word for word in words if "strict_judge".startswith(word)}
        assert parts <= {"strict_judge", "strict"}
    assert run_cli(["scores", config]) == 0
    titles = [line for line in capsys.readouterr().out.splitlines() if line.startswith("scores")]
    assert titles == [f"scores by {name}" for name in GRADERS]


def test_a_csv_has_the_rows_of_all_graders_with_their_certainty(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = {"level", "standard error", "low", "high", "items", "clusters", "scale"}
    for command, columns in {"scores": known, "compare": known, "items": {"scale"}}.items():
        rows = tmp_path / f"{command}.csv"
        assert run_cli([command, config, "--out", str(rows)]) == 0
        frame = pd.read_csv(rows)
        assert set(frame["graded by"]) == set(GRADERS) and columns <= set(frame.columns)
    rows = tmp_path / "agreement.csv"
    assert run_cli(["agreement", config, "--out", str(rows)]) == 0
    assert {*known, "warnings"} <= set(pd.read_csv(rows).columns)
    rows = tmp_path / "reliability.csv"
    assert run_cli(["reliability", config, "--out", str(rows)]) == 0
    frame = pd.read_csv(rows)
    assert {"graded by", "level", "scale"} <= set(frame.columns)
    assert set(frame["table"]) == {"components", "designs"}
    components, designs = (
        frame[frame["table"] == name].dropna(axis="columns", how="all")
        for name in ("components", "designs")
    )
    assert {"item", "model x item"} <= set(components["source"]) and "n" not in components
    assert set(designs["facet"]) == {"items"} and designs["relative error"].notna().all()
    assert (designs["now"] == "yes").sum() == designs["graded by"].nunique() == 3
    capsys.readouterr()


def test_words_come_before_the_table(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["compare", config, "alpha", "beta", "--grader", "numeric"]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("By numeric: ") and "12 items" in first


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["scores", "--out", "x.txt"], "give a file that ends with .csv or .html"),
        (["scores", "--out", "no/where.csv"], "there is no folder no"),
        (["scores", "--by", "x"], "'x' is no column of the items"),
        (["scores", "--pass-at", "2"], "choose k from 1 to 1"),
        (["scores", "--pass-at", "0"], "--pass-at"),
        (["scores", "--panel", "--grader", "numeric"], "a panel needs two judges"),
        (["compare", "alpha", "beta", "--of", "grader"], "--of is for all pairs"),
        (["reliability", "--random", "grader"], "--random grader needs --crossed"),
        (["compare", "alpha"], "name what to compare 'alpha' with"),
        (["compare", "--by", "topic"], "--by needs the names"),
        (["compare", "alpha", "gamma"], "'gamma' is no condition"),
        (["reliability", "--random", "item"], "'item' is no facet that is fixed"),
        (["items", "--grader", "nobody"], "nobody"),
        (["show", "q99"], "the study has no item 'q99'"),
        (["show"], "Missing argument 'ITEM...'"),
        (["agreement", "--judge", "nobody"], "nobody"),
        (
            ["agreement", "--judge", "numeric"],
            "judge: numeric is no judge of this study; its judges are: strict",
        ),
    ],
)
def test_a_mistake_is_a_message(
    config: str,
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_cli([arguments[0], config, *arguments[1:]]) == 2
    told = capsys.readouterr()
    assert message in told.err and not told.out and not list(tmp_path.iterdir())


def test_what_allows_no_estimate_is_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(scored_study(tmp_path, score, items=1).config_path)
    assert run_cli(["compare", path, "alpha", "beta", "--json"]) == 2
    told = capsys.readouterr()
    assert json.loads(told.out)["error"] == "MeasurementError"
    assert told.err.startswith("error: mockllm/alpha and mockllm/beta share one item")


# What a user of Python writes: arguments, functions, and columns of ids.
_OF_PYTHON = re.compile(
    r"\w+=|\b[a-z_]+\(|_id\b|krippendorff_alpha|item_statistics|mean_score|compare_all|grader_model"
)
_ODD: dict[str, dict[str, Any]] = {
    "one item": {"items": 1},
    "one cluster": {
        "items": 4,
        "metadata": lambda n: '{"topic": "t"}',
        "extra": {
            "benchmark": {"mapping": {"metadata": ["topic"]}},
            "measurement": {"cluster": "topic"},
        },
    },
    "one condition": {"items": 4, "models": ("mockllm/alpha",)},
    "no judge": {"items": 4, "graders": {}},
}


@pytest.mark.parametrize("odd", _ODD)
def test_a_message_of_a_command_names_nothing_of_python(
    odd: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(scored_study(tmp_path, score, **_ODD[odd]).config_path)
    for asked in (
        ["scores"],
        ["scores", "--panel"],
        ["scores", "--pass-at", "1"],
        ["compare"],
        ["compare", "--of", "grader"],
        ["compare", "alpha", "beta"],
        ["reliability"],
        ["reliability", "--crossed", "--random", "prompt"],
        ["agreement"],
        ["agreement", "--grader", "numeric"],
        ["items"],
        ["irt"],
    ):
        assert run_cli([asked[0], path, *asked[1:]]) in (0, 2)
        told = capsys.readouterr()
        assert not _OF_PYTHON.findall(told.out + told.err), (asked, told)


def test_a_terminal_shows_the_odd_items_and_a_page_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(scored_study(tmp_path, lambda *_: 1.0, items=12).config_path)
    page = tmp_path / "items.html"
    assert run_cli(["items", path, "--grader", "numeric", "--out", str(page)]) == 0
    shown, text = capsys.readouterr().out, page.read_text()
    assert "12 of 12 items are flagged; the first 10 are shown" in shown
    assert sum(line.startswith("│ q") for line in shown.splitlines()) == 10
    assert sum(f">q{n}<" in text for n in range(20)) == 12
    assert ">clusters<" not in text, "each item is its own cluster"
    told = " ".join(shown.split())
    assert told.count("Item-total is the correlation") == 1 and "quarrels the answers" in told
    row = next(line for line in shown.splitlines() if line.startswith("│ q"))
    assert [cell.strip() for cell in row.split("│")][2:6] == ["1.00", "-", "100 %", "-"]


def test_a_table_of_another_study_is_not_replaced(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = str(write_study(tmp_path, study="other", items=2))
    api.run(other)
    for command in ("scores", "cells", "items", "compare", "conditions"):
        out = tmp_path / f"{command}.csv"
        assert run_cli([command, config, "--out", str(out)]) == 0
        before = out.read_bytes()
        capsys.readouterr()
        if b"\n" in before.rstrip():
            assert run_cli([command, other, "--out", str(out)]) == 2
            assert "this table is of the study toy, and not of other" in capsys.readouterr().err
        assert out.read_bytes() == before
        assert run_cli([command, config, "--out", str(out)]) == 0
