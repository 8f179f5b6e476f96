"""Sheets: blind, drawn by a seed, never the same answer twice, and safe in a spreadsheet."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest

from itemeval_assets import api, figures
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.errors import ItemevalAssetsError, StoreError
from itemeval_assets.core.text.times import now
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.ratings.content import SheetContent
from itemeval_assets.ratings.kept import kept_sheets
from itemeval_assets.ratings.records import Sheet
from itemeval_assets.report.render.pages.rating_page import rating_page
from itemeval_assets.storage.study.layout import sheet_key
from itemeval_assets.storage.study.store import open_store
from tests.ratings.study import JUDGE, RATER, as_csv, filled, rated_study, sheet_rows, sheets_of


def sheet(study: Any, path: Path, **more: Any) -> Any:
    return api.ratings_sheet(study, "anna", path, **more)


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "html"])
def test_nobody_sees_who_answered(tmp_path: Path, suffix: str) -> None:
    study, path = rated_study(tmp_path), tmp_path / f"sheet.{suffix}"
    found = sheet(study, path, n=10)
    assert (found.answers, found.left, found.scale) == (10, 24, (0.0, 1.0))
    text = path.read_bytes().decode("utf-8", "replace")
    if suffix == "xlsx":
        book = openpyxl.load_workbook(path)
        assert book.sheetnames == ["ratings", "rubric"]
        cells = [str(cell.value) for page in book.worksheets for row in page.rows for cell in row]
        text = " ".join(cells)
    told = {"alpha", "beta", "mockllm"}
    ids = {condition.id[-12:] for condition in study.design.generate}
    assert not [word for word in told | ids if word in text]
    assert "Grade the solution from 0 to 1" in text and "[input]" in text
    lines = sheets_of(study)[0].lines
    assert all(line.code in text for line in lines)
    assert Counter(line.gen_condition_id for line in lines).most_common()[0][1] == 5


def test_raters_are_told_of_criteria_in_words(tmp_path: Path) -> None:
    study = rated_study(tmp_path, graders={"judge": {"model": "mockllm/judge"}})
    rubric = tmp_path / "rubrics" / "strict.md"
    criteria = "---\ncriteria: {correct: [0, 6], clear: }\n---\n"
    rubric.write_text(f"{criteria}Is it good?\n\n{{input}}\n{{solution}}\n")
    path = tmp_path / "sheet.xlsx"
    sheet(load_study(study.config_path), path, n=2, scale=(0, 10))
    shown = "\n".join(str(row[0].value) for row in openpyxl.load_workbook(path)["rubric"].rows)
    assert "Criteria: correct (from 0 to 6), clear.\n\nIs it good?\n\n[input]" in shown
    assert "criteria:" not in shown and "---" not in shown


def test_a_seed_draws_and_codes_are_random(tmp_path: Path) -> None:
    study = rated_study(tmp_path)
    for number, seed in enumerate((3, 3, 4)):
        api.ratings_sheet(study, f"rater{number}", tmp_path / f"{number}.csv", n=6, seed=seed)
    drawn = [
        [(line.gen_condition_id, line.cell) for line in one.lines]
        for one in sorted(sheets_of(study), key=lambda one: one.rater)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    codes = [line.code for one in sheets_of(study) for line in one.lines]
    assert len(set(codes)) == 18
    assert all(code.isalpha() and not set(code) & set("aeiou") for code in codes)


def test_no_answer_comes_twice_unless_asked(tmp_path: Path) -> None:
    study = rated_study(tmp_path, items=4)
    for number in range(2):
        sheet(study, tmp_path / f"{number}.csv", n=4)
    lines = [line for one in sheets_of(study) for line in one.lines]
    assert len({(line.gen_condition_id, line.cell) for line in lines}) == 8
    with pytest.raises(ItemevalAssetsError, match=r"anna has rated all 8 answers.*--again"):
        sheet(study, tmp_path / "2.csv")
    assert sheet(study, tmp_path / "2.csv", again=True).answers == 8
    assert api.ratings_sheet(study, "ben", tmp_path / "3.csv").answers == 8


def test_answers_of_waves_come_only_by_name(tmp_path: Path) -> None:
    study = rated_study(
        tmp_path, items=4, graders={"judge": JUDGE, "anna": RATER}, extra={"waves": ["w2"]}
    )
    wave = {one.id for one in study.design.generate if one.wave}
    _forget_ratings(study)
    assert sheet(study, tmp_path / "first.csv").answers == 8
    again = {"again": True, "conditions": "mockllm/alpha"}
    assert sheet(study, tmp_path / "model.csv", **again).answers == 4
    assert not wave & {line.gen_condition_id for one in sheets_of(study) for line in one.lines}
    named = next(one.label for one in study.design.generate if one.wave)
    found = sheet(study, tmp_path / "wave.csv", conditions=[named])
    [kept] = [one for one in sheets_of(study) if one.id == found.sheet]
    assert len(kept.lines) == 4 and {line.gen_condition_id for line in kept.lines} < wave
    file = as_csv(tmp_path / "done.csv", filled(study, tmp_path / "wave.csv"))
    api.import_ratings(file, study)
    told = " ".join(figures.agreement(study).words)
    assert "4 ratings by anna · strict are of answers of waves" in told


def _forget_ratings(study: Any) -> None:
    store = open_store(study)
    for part in study.grade_partitions():
        if study.design.grade_by_id[part.grade].grader.by_people:
            store.replace("gradings", part, _none(store))


def test_an_answer_is_no_formula(tmp_path: Path) -> None:
    study = rated_study(tmp_path, items=2)
    store, [first, *_] = open_store(study), study.generate_partitions()
    rows = store.read("solutions", [first])
    texts = ["=HYPERLINK(1)", "- a\n\x07- <script>alert(1)</script></script>"]
    place = rows.column_names.index("solution")
    store.replace("solutions", first, rows.set_column(place, "solution", pa.array(texts)))
    for suffix in ("csv", "xlsx", "html"):
        sheet(study, tmp_path / f"sheet.{suffix}", again=True)
    shown = {row["solution"][:2] for row in sheet_rows(tmp_path / "sheet.csv")}
    assert shown == {"'=", "'-", "4"}
    page: Any = openpyxl.load_workbook(tmp_path / "sheet.xlsx")["ratings"]
    assert {cell.data_type for row in page.rows for cell in row if cell.value is not None} == {"s"}
    html = (tmp_path / "sheet.html").read_text()
    assert html.count("<script") == 2 and "<script>alert" not in html


def test_a_page_leaves_out_what_no_answer_has() -> None:
    named = Sheet(
        id="s",
        rater="anna",
        scale=(0.0, 1.0),
        rubric="r",
        grade_condition_id="g",
        seed=0,
        created_at=now(),
        lines=[],
    )
    names = ["input", "target", "grading_scheme", "solution"]
    row = {"code": "b", "input": "q", "target": "", "grading_scheme": "", "solution": ""}
    shown = rating_page(SheetContent(named, "", names, [row]))
    assert "Reference" not in shown and "grading scheme" not in shown.lower()
    shown = rating_page(SheetContent(named, "", names, [row, {**row, "grading_scheme": "x"}]))
    assert '"Grading scheme"' in shown and '"Answer to rate"' in shown and "Reference" not in shown


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    study = rated_study(tmp_path, items=2, extra={"scorers": {"rx": {"type": "contains"}}})
    (tmp_path / "there.csv").write_text("filled in")
    cases: dict[str, dict[str, Any]] = {
        "ends with .csv, .xlsx, .html": {"out": tmp_path / "sheet.txt"},
        "there is such a file already": {"out": tmp_path / "there.csv"},
        "there is no folder": {"out": tmp_path / "no" / "sheet.csv"},
        "graders.judge is a judge": {"rater": "judge"},
        "'judge' already, .* 'JUDGE' reads as the same name": {"rater": "JUDGE"},
        "'rx' is a scorer": {"rater": "rx"},
        "is no name": {"rater": "a/b"},
        "has 201 bytes; a name may have at most 200": {"rater": "x" * 201},
        "the lowest score comes first": {"scale": (1.0, 0.0)},
        "is no rubric of the study": {"rubric": "lenient"},
        "n at least 1": {"n": 0},
    }
    for message, given in cases.items():
        asked = {"rater": "anna", "out": tmp_path / "sheet.csv", **given}
        with pytest.raises(ItemevalAssetsError, match=message):
            api.ratings_sheet(study, **asked)
    assert sheets_of(study) == [] and not (tmp_path / "sheet.csv").exists()


def test_a_sheet_that_cannot_be_written_takes_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = rated_study(tmp_path, items=2)

    def full(path: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ItemevalAssetsError, match="No space left"):
        sheet(study, tmp_path / "sheet.csv")
    monkeypatch.undo()
    assert sheets_of(study) == [] and not (tmp_path / "sheet.csv").exists()


def test_a_scale_is_asked_for_where_judges_have_none(tmp_path: Path) -> None:
    study = rated_study(tmp_path, items=2, graders={"judge": {**JUDGE, "scale": None}})
    with pytest.raises(ItemevalAssetsError, match="--scale 0,10"):
        sheet(study, tmp_path / "sheet.csv")
    assert sheet(study, tmp_path / "sheet.csv", n=1, scale=(0.0, 10.0)).scale == (0.0, 10.0)
    with pytest.raises(ItemevalAssetsError, match=r"one rater has one scale: give --scale 0,10"):
        sheet(study, tmp_path / "next.csv", scale=(0.0, 5.0))
    with pytest.raises(ItemevalAssetsError, match=r"delete it and (.+), and give the same") as told:
        sheet(study, tmp_path / "next.csv", scale=(0.0, 5.0))
    Path(str(told.value).partition("delete it and ")[2].partition(", and give")[0]).unlink()
    assert sheet(study, tmp_path / "next.csv", n=1, scale=(0.0, 5.0)).scale == (0.0, 5.0)


def test_a_rubric_with_another_scale_is_told(tmp_path: Path) -> None:
    study = rated_study(tmp_path, items=2)
    (tmp_path / "rubrics" / "strict.md").write_text("Score it from 0 to 10.\n{input}\n{solution}")
    told = "template 'strict': it asks for scores from 0 to 10, and `scale` is [0, 1] for {}; say"
    found = sheet(load_study(study.config_path), tmp_path / "sheet.csv", n=1)
    assert [words.startswith(told.format("anna")) for words in found.words] == [True]
    assert told.format("judge") in " ".join(load_study(study.config_path).design.doubts)


def test_a_rater_of_the_yaml_has_its_scale(tmp_path: Path) -> None:
    study = rated_study(tmp_path, items=2, graders={"judge": JUDGE, "anna": RATER})
    rater = next(one for one in study.design.grade if one.grader.by_people)
    assert (rater.grader.kind, rater.label) == ("human", "anna · strict")
    assert rater.payload["grader"] == {"kind": "human", "name": "anna"}
    with pytest.raises(ItemevalAssetsError, match=r"graders.anna.scale is 0 to 1, and not 0 to 5"):
        sheet(study, tmp_path / "sheet.csv", scale=(0, 5))
    store = open_store(study)
    store.replace("gradings", Partition((study.design.generate[0].id, rater.id)), _none(store))
    store.replace("gradings", Partition((study.design.generate[1].id, rater.id)), _none(store))
    found = api.next_ratings(study, "anna", n=3)
    assert (found.answers, found.left, sheets_of(study)) == (3, 4, [])
    assert json.dumps([one._asdict() for one in found.expected])


def _none(store: Any) -> pa.Table:
    return store.read("gradings", [])


@pytest.mark.parametrize(
    "change",
    [{"rater": 3}, {"scale": ["0", "1"]}, {"seed": "x"}, {"more": 1}, {"lines": [["c", "g"]]}],
)
def test_a_kept_sheet_of_other_types_is_damaged(tmp_path: Path, change: dict[str, Any]) -> None:
    store = open_store(rated_study(tmp_path, items=1))
    sheet = {"id": "x", "rater": "anna", "scale": [0, 1], "rubric": "strict", "seed": 0}
    sheet |= {"grade_condition_id": "g", "created_at": "t", "lines": [["c", "g", "i", 1, "h"]]}
    store.update_json(sheet_key("x"), lambda known: sheet)
    [kept] = kept_sheets(store)
    assert (kept.scale, kept.lines[0].epoch) == ((0.0, 1.0), 1)
    store.update_json(sheet_key("x"), lambda known: {**sheet, **change})
    with pytest.raises(StoreError, match=r"x\.json is not as a sheet is kept; restore it"):
        list(kept_sheets(store))
