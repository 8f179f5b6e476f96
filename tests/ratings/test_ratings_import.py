"""Filled-in sheets come in: in any order, as spreadsheets save them, whole or not at all."""

import json
import re
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
import yaml

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError, ItemevalAssetsError, StoreError
from itemeval_assets.core.text.yaml.edits import with_entry
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.ratings.records import Line
from itemeval_assets.ratings.taking import new_rater
from itemeval_assets.ratings.taking.reading import read_sheet
from itemeval_assets.stages import ledger
from itemeval_assets.storage.objects.given_file import GivenFile
from itemeval_assets.storage.study.store import ResultsStore, open_store
from tests.ratings.study import as_csv, filled, line_of, rated_study, sheets_of, truth
from tests.whole.looking import results_dir, rows


def with_sheet(folder: Path, **more: Any) -> tuple[Study, Path]:
    study, path = rated_study(folder, **more), folder / "sheet.csv"
    api.ratings_sheet(study, "anna", path, n=10)
    return study, path


def ratings(config: Path) -> list[dict[str, Any]]:
    return [row for row in rows(config, "gradings_long") if row["grade_kind"] == "human"]


def assert_ratings_cost_nothing(config: Path) -> None:
    """No run that brought ratings differs from the ledger, which has none of them."""
    runs = {row["grade_run_id"] for row in ratings(config)}
    store = open_store(load_study(config))
    assert runs and runs.isdisjoint(one.run_id for one in ledger.mismatches(store))
    assert runs.isdisjoint(row["run_id"] for row in rows(config, "ledger"))


def state(folder: Path) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".locks" not in path.parts and "claims" not in path.parts
    }


def test_ratings_are_gradings_of_a_new_rater(tmp_path: Path) -> None:
    study, path = with_sheet(tmp_path)
    config = study.config_path
    config.write_text("# mine\n" + config.read_text())
    study = load_study(config)
    done = filled(study, path, comment="fine")
    for row in done[7:]:
        row["score"] = ""
    file = as_csv(tmp_path / "done.csv", done)
    found = api.import_ratings(file, study, rater="anna")
    assert (found.ratings, found.known, found.blank, found.is_new_rater) == (7, 0, 3, True)
    assert config.read_text().startswith("# mine\n")
    declared = yaml.safe_load(config.read_text())
    assert declared["graders"]["anna"] == {"kind": "human", "scale": [0, 1]}
    assert declared["facets"]["grader"] == ["judge", "anna"]
    long = ratings(config)
    assert len(long) == 7
    for row in long:
        told = json.loads(row["judge_completion"])
        line = line_of(study, told["code"])
        assert (row["item_id"], row["gen_condition_id"]) == (line.item_id, line.gen_condition_id)
        assert (row["score"], row["parse_ok"], row["reasoning"]) == (truth(line), True, "fine")
        assert (row["grade_usd"], row["grade_latency_s"], row["grader_name"]) == (0.0, None, "anna")
        assert told["sheet"] == found.kept and told["row"].startswith("line ")
        assert row["grade_run_id"] == found.run_id
    assert Path(str(found.kept)).read_bytes() == file.read_bytes()
    manifest = json.loads((results_dir(config) / f"manifests/{found.run_id}.json").read_text())
    assert (manifest["rater"], manifest["ratings"], manifest["kept"]) == ("anna", 7, found.kept)
    assert_ratings_cost_nothing(config)
    before = state(tmp_path)
    again = api.import_ratings(file, config)
    assert (again.ratings, again.known, again.run_id, again.is_new_rater) == (0, 7, None, False)
    assert state(tmp_path) == before
    # What was blank comes in later, and a score may be corrected.
    done[0]["score"], done[8]["score"] = str(1 - float(done[0]["score"])), "1"
    later = api.import_ratings(as_csv(tmp_path / "done.csv", done), config)
    assert (later.ratings, later.known) == (2, 6)
    assert len(ratings(config)) == 8
    assert_ratings_cost_nothing(config)


@pytest.mark.parametrize(
    "how",
    [
        {"delimiter": ";", "encoding": "utf-8-sig"},
        {"delimiter": "\t", "encoding": "utf-16"},
        {"delimiter": ",", "encoding": "cp1252", "line_end": "\n"},
    ],
    ids=["semicolons", "unicode text", "cp1252"],
)
def test_a_sheet_as_spreadsheets_save_it(tmp_path: Path, how: dict[str, str]) -> None:
    study, path = with_sheet(tmp_path)
    rate = lambda line: "0,5" if truth(line) else "0"  # noqa: E731
    done = [
        {name.upper(): text.replace("\n", "\r\n") for name, text in row.items()}
        for row in filled(study, path, rate)
    ]
    found = api.import_ratings(as_csv(tmp_path / "done.csv", done[::-1], **how), study)
    assert found.ratings == 10
    assert {row["score"] for row in ratings(study.config_path)} == {0.0, 0.5}


def test_a_workbook(tmp_path: Path) -> None:
    study = rated_study(tmp_path)
    path = tmp_path / "sheet.xlsx"
    api.ratings_sheet(study, "anna", path, n=5)
    book = openpyxl.load_workbook(path)
    page: Any = book["ratings"]
    names = [cell.value for cell in page[1]]
    for row in page.iter_rows(min_row=2):
        row[names.index("score")].value = truth(line_of(study, row[0].value))
    book.save(path)
    assert api.import_ratings(path, study).ratings == 5
    assert "row " in ratings(study.config_path)[0]["judge_completion"]


def test_each_row_that_cannot_be_taken_is_named(tmp_path: Path) -> None:
    study, path = with_sheet(tmp_path)
    done = filled(study, path)
    code = done[3]["code"]
    done[0]["score"] = "7"
    done[1]["score"] = "good"
    done[2]["solution"] = "another answer"
    done[3]["code"] = code[:-1] + ("b" if code[-1] != "b" else "c")
    before = state(tmp_path)
    done.append({**done[4], "score": str(1 - float(done[4]["score"]))})
    file = as_csv(tmp_path / "done.csv", done)
    with pytest.raises(ItemevalAssetsError) as caught:
        api.import_ratings(file, study)
    message = str(caught.value)
    for words in (
        "5 rows cannot be taken. Nothing was taken",
        "it is of another study, or was changed",
        "the score 7 is outside of the scale; write one from 0 to 1",
        "the score 'good' is no number",
        "the solution is not the text that was written beside the code",
        f"the code {done[4]['code']} has another score in",
    ):
        assert words in message, message
    # Codes are random: one that looks alike is of another answer.
    assert "did you mean" not in message
    file.unlink()
    assert state(tmp_path) == before


def test_of_two_rows_of_an_answer_neither_a_comment_nor_a_score_is_lost(tmp_path: Path) -> None:
    study, path = with_sheet(tmp_path)
    one = {**filled(study, path)[0], "comment": "fine"}
    other, blank, plain = ({**one, **change} for change in ({"comment": "bad"}, {"score": ""}, {}))
    plain["comment"] = ""
    with pytest.raises(ItemevalAssetsError, match="has another comment in line 2; keep one of the"):
        api.import_ratings(as_csv(tmp_path / "done.csv", [one, other]), study)
    for both in ([blank, one], [one, blank], [plain, one], [one, plain]):
        api.import_ratings(as_csv(tmp_path / "done.csv", both), study.config_path)
        [row] = ratings(study.config_path)
        assert "fine" in row["judge_completion"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_a_sheet_without_a_mark_of_its_encoding(tmp_path: Path, encoding: str) -> None:
    file = as_csv(tmp_path / "done.csv", [{"code": "abc", "score": "1"}], encoding=encoding)
    [row] = read_sheet(file)
    assert (row.code, row.score) == ("abc", "1")


@pytest.mark.parametrize("content", [b"\0" * 100, b"code,score\na\0,1\n", b"code\x81,score\n"])
def test_a_file_of_no_text_is_no_sheet(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "done.csv").write_bytes(content)
    with pytest.raises(ItemevalAssetsError, match=r"done\.csv is no text in UTF-8.*: save it"):
        read_sheet(tmp_path / "done.csv")
    (tmp_path / "done.csv").write_bytes(b"PK\x03\x04\0")
    with pytest.raises(ItemevalAssetsError, match=r"done\.csv is an Excel workbook"):
        read_sheet(tmp_path / "done.csv")


def test_whose_sheet_it_is(tmp_path: Path) -> None:
    study, path = with_sheet(tmp_path)
    api.ratings_sheet(study, "ben", tmp_path / "ben.csv", n=4)
    both = [*filled(study, path), *filled(study, tmp_path / "ben.csv")]
    cases = {
        r"differ in their rater: anna \(line 2\), ben": (as_csv(tmp_path / "both.csv", both), None),
        "was written for 'anna', and not for 'ben'": (path, "ben"),
        "there is no file": (tmp_path / "no.csv", None),
        "press `Save ratings`": (_page(tmp_path), None),
        "there is no column 'score'": (as_csv(tmp_path / "x.csv", [{"code": "b"}]), None),
    }
    for message, (file, rater) in cases.items():
        with pytest.raises(ItemevalAssetsError, match=message):
            api.import_ratings(file, study, rater=rater)
    assert ratings(study.config_path) == []


def _page(folder: Path) -> Path:
    path = folder / "page.html"
    path.write_text("<p>")
    return path


def test_names_that_read_as_one_are_refused_before_anybody_rates(tmp_path: Path) -> None:
    study, path = with_sheet(tmp_path, items=4)
    for name in ("Anna", "ANNA", "\uff41nna"):
        for ask in (api.ratings_sheet, api.next_ratings):
            with pytest.raises(ConfigError, match=r"'anna' already.*reads as the same name"):
                ask(study, name, *([tmp_path / "no.csv"] if ask is api.ratings_sheet else []))
    assert len(sheets_of(study)) == 1
    api.import_ratings(as_csv(tmp_path / "done.csv", filled(study, path)), study)


def test_sheets_of_two_raters_that_read_as_one_can_be_imported(tmp_path: Path) -> None:
    """They were written by earlier code, or before the YAML had the other rater."""
    study, path = with_sheet(tmp_path, items=4)
    done = as_csv(tmp_path / "done.csv", filled(study, path))
    config = study.config_path
    before = config.read_text()
    config.write_text(with_entry(before, ("graders",), "ANNA", "{kind: human, scale: [0, 1]}"))
    with pytest.raises(ConfigError, match=r"write anna: (\{.*\}) under graders") as caught:
        api.import_ratings(done, config)
    entry = re.search(r"write anna: (\{.*?\}) under", str(caught.value))
    assert entry
    config.write_text(with_entry(config.read_text(), ("graders",), "anna", entry.group(1)))
    assert api.import_ratings(done, config).ratings == 8
    # Both are named now: each may have further sheets.
    for name in ("anna", "ANNA"):
        api.ratings_sheet(config, name, tmp_path / f"{name}.csv", again=True)


def test_an_import_that_fails_leaves_the_yaml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, path = with_sheet(tmp_path)
    file, config = as_csv(tmp_path / "done.csv", filled(study, path)), study.config_path
    before = state(tmp_path)
    config.chmod(0o444)
    with pytest.raises(ConfigError, match="is read-only, and a new rater is written into it"):
        api.import_ratings(file, config)
    config.chmod(0o644)
    assert state(tmp_path) == before
    text = config.read_text()
    config.write_text(f"{text}# edited\n")
    with pytest.raises(ConfigError, match="changed since it was read; give the same command again"):
        api.import_ratings(file, study)
    config.write_text(text)
    assert state(tmp_path) == before

    def full(*args: Any) -> None:
        raise StoreError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(ResultsStore, "upsert", full)
        with pytest.raises(StoreError):
            api.import_ratings(file, config)
    assert config.read_text() == text and not ratings(config)
    found = api.import_ratings(file, config)
    assert (found.ratings, found.is_new_rater, len(ratings(config))) == (10, True, 10)


def test_another_rubric_is_another_rating(tmp_path: Path) -> None:
    study, path = with_sheet(tmp_path)
    file = as_csv(tmp_path / "done.csv", filled(study, path))
    rubric = tmp_path / "rubrics" / "strict.md"
    rubric.write_text(rubric.read_text() + "\nBe kind.\n")
    with pytest.raises(ItemevalAssetsError, match="'strict' has other words than when the sheet"):
        api.import_ratings(file, load_study(study.config_path))


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = rated_study(tmp_path, items=30).config_path
    out = tmp_path / "sheet.csv"
    asked = ["ratings", "sheet", str(config), "--rater", "anna", "--out", str(out)]
    assert run_cli([*asked, "--scale", "0..1"]) == 2
    assert run_cli([*asked, "--n", "40", "--scale", "0,1"]) == 0
    study = load_study(config)
    as_csv(out, filled(study, out))
    assert run_cli(["ratings", "import", str(out), str(config)]) == 0
    assert run_cli(["ratings", "next", str(config), "--rater", "anna", "--n", "20"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "40 answers for anna to rate from 0 to 1; 20 more are left" in told
    assert "40 ratings by anna came in, 0 were there already, 0 rows have no score" in told
    assert "would shrink from ±" in told and "on the rater's scale." in told
    [sheet] = sheets_of(study)
    assert len(sheet.lines) == 40


def test_a_stale_answer_is_not_rated(tmp_path: Path) -> None:
    study, path = with_sheet(tmp_path)
    file = as_csv(tmp_path / "done.csv", filled(study, path))
    _change_answers(study, sheets_of(study)[0].lines[:2])
    with pytest.raises(
        ItemevalAssetsError, match=r"2 rows cannot be taken[\s\S]*has changed since"
    ):
        api.import_ratings(file, study)
    gone = {line.code for line in sheets_of(study)[0].lines[:2]}
    done = [{**row, "score": "" if row["code"] in gone else "1"} for row in filled(study, path)]
    assert api.import_ratings(as_csv(file, done), study).ratings == 8


def _change_answers(study: Study, lines: list[Line]) -> None:
    store = open_store(study)
    for line in lines:
        part = Partition((line.gen_condition_id,))
        table = store.read("solutions", [part])
        rows = [
            {**row, "solution": "5"} if row["item_id"] == line.item_id else row
            for row in table.to_pylist()
        ]
        store.replace("solutions", part, pa.Table.from_pylist(rows, schema=table.schema))


def test_a_study_in_a_bucket(tmp_path: Path, s3_location: str) -> None:
    study, path = with_sheet(tmp_path, extra={"output_dir": s3_location})
    found = api.import_ratings(as_csv(tmp_path / "done.csv", filled(study, path)), study)
    assert (found.ratings, str(found.kept).startswith(s3_location)) == (10, True)
    assert len(ratings(study.config_path)) == 10


@pytest.mark.parametrize("at", range(9))
def test_a_killed_import_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Before each thing that is written: the file, the manifest, the tables, the YAML."""
    study, path = with_sheet(tmp_path)
    file = as_csv(tmp_path / "done.csv", filled(study, path))
    done = list[str]()

    def dies(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def killed(*args: Any, **more: Any) -> Any:
            done.append(name)
            if len(done) == at + 1:
                raise KeyboardInterrupt
            return real(*args, **more)

        monkeypatch.setattr(owner, name, killed)

    dies(new_rater, "replace_file")
    dies(GivenFile, "keep")
    for name in ("update_json", "upsert", "replace"):
        dies(ResultsStore, name)
    was_killed = True
    try:
        api.import_ratings(file, study)
        was_killed = False
    except KeyboardInterrupt:
        pass
    monkeypatch.undo()
    assert was_killed == (at < len(done))
    config = study.config_path
    found = api.import_ratings(file, config)
    assert found.ratings + found.known == 10
    assert len(ratings(config)) == 10
    assert "anna" in load_study(config).config.graders
    assert_ratings_cost_nothing(config)
