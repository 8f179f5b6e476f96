"""Items that change after a run: no old answer becomes one to a new question."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.errors import DatasetError
from itemeval_assets.engine.study_files import load_study
from tests.defs.runs import message, runs_of
from tests.studies import write_study
from tests.whole.looking import results_dir, rows

from .conftest import HasRun

Document = dict[str, Any]
ROWS = [
    {"id": n, "problem": f"{n}+{n}?", "other": f"{n}*{n}?", "answer": str(2 * n), "square": str(n)}
    for n in range(1, 5)
]


def declare(folder: Path) -> Path:
    """Two items of sums. Their products are in other columns, and in another file."""
    config = write_study(folder, graders=["mockllm/judge"], scorer="numeric")
    for name, kept in (("sums", ROWS[:2]), ("more", ROWS), ("others", ROWS[2:])):
        lines = (json.dumps(row) for row in kept)
        (folder / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines))
    swapped = [{**row, "problem": row["other"], "answer": row["square"]} for row in ROWS]
    (folder / "products.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in swapped))
    edit(config, lambda study: study["benchmark"].update(of("sums")))
    return config


def of(name: str, **mapping: Any) -> Document:
    columns = {"id": "id", "input": "problem", "target": "answer", "grading_scheme": None}
    return {"datasets": [{"id": f"{name}.jsonl"}], "mapping": {**columns, **mapping}}


def edit(config: Path, change: Callable[[Document], None]) -> None:
    document = yaml.safe_load(config.read_text())
    change(document)
    config.write_text(yaml.safe_dump(document))


@pytest.mark.parametrize("command", ["run", "estimate"])
@pytest.mark.parametrize(
    ("benchmark", "said"),
    [
        (
            of("products"),
            "item '1' of 'products.jsonl' is not the one that this study has answers to: its input "
            "was '1+1?', and is '1*1?'. This is so for 2 items: '1', '2'.",
        ),
        (
            of("sums", target="square"),
            "item '1' of 'sums.jsonl' is not the one that this study has gradings of: its target "
            "was '2', and is '1'.",
        ),
    ],
)
def test_an_item_with_answers_stays_what_it_was(
    has_run: HasRun,
    command: str,
    benchmark: Document,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = has_run("sums", declare)
    before = {table: rows(config, table) for table in ("items", "solutions", "gradings")}
    locks = (results_dir(config) / "dataset_locks.json").read_bytes()
    edit(config, lambda study: study["benchmark"].update(benchmark))
    capsys.readouterr()
    assert run_cli([command, str(config)]) == 2
    assert said in capsys.readouterr().err
    assert before == {table: rows(config, table) for table in before}
    assert (results_dir(config) / "dataset_locks.json").read_bytes() == locks
    edit(config, lambda study: study["benchmark"].update(of("sums")))
    assert api.run(config).calls == 0


@pytest.mark.long
def test_new_data_by_the_way_that_the_message_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, data = declare(tmp_path), tmp_path / "sums.jsonl"
    api.run(config)
    data.write_bytes((tmp_path / "products.jsonl").read_bytes())
    for said in ("changed since this study pinned it", "is not the one that this study has"):
        assert run_cli(["run", str(config)]) == 2
        assert said in capsys.readouterr().err
        (results_dir(config) / "dataset_locks.json").unlink(missing_ok=True)
    data.write_bytes((tmp_path / "more.jsonl").read_bytes())
    assert api.run(config).calls == 2 * 2


@pytest.mark.long
def test_other_items_and_columns_that_nobody_is_shown_may_come_and_go(tmp_path: Path) -> None:
    config = declare(tmp_path)
    assert api.run(config).calls == 2 * 2
    for benchmark, calls in (
        (of("more"), 2 * 2),
        (of("more", metadata=["square"]), 0),
        (of("others"), 0),
    ):
        edit(config, lambda study: study["benchmark"].update(benchmark))  # noqa: B023
        assert api.run(config).calls == calls


def test_a_condition_that_left_the_design_keeps_its_items(
    has_run: HasRun, capsys: pytest.CaptureFixture[str]
) -> None:
    config = has_run("sums", declare)

    def ask_anew(study: Document) -> None:
        study["benchmark"].update(of("products"))
        study["solvers"]["max_tokens"] = 77

    edit(config, ask_anew)
    assert run_cli(["run", str(config)]) == 2
    assert "is not the one that this study has answers to" in capsys.readouterr().err


OPTIONS = ["Paris", "Rome", "Bern"]


def declare_choices(folder: Path, rows: list[Document] | None = None) -> Path:
    """Two items of multiple choice, whose order follows from a seed."""
    config = write_study(folder, graders=[], prompts=["builtin:multiple_choice"])
    found = rows or [{"id": n, "problem": f"{n}?", "options": OPTIONS, "right": 1} for n in (1, 2)]
    (folder / "items.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in found))
    mapping = {"id": "id", "input": "problem", "choices": "options", "target": "right"}
    mapping |= {"target_is": "number", "shuffle_choices": 3}

    def ask(study: Document) -> None:
        study["benchmark"]["mapping"] = mapping
        study["facets"]["scorer"] = "multiple_choice"

    edit(config, ask)
    return config


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"right": 2}, "gradings of: its target was 'Paris', and is 'Rome'"),
        (
            {"options": ["Paris", "Roma", "Bern"]},
            r"answers to: its choices were 'A) Bern\nB) Paris\nC) Rome', and are",
        ),
    ],
)
def test_a_corrected_target_or_choice_is_noticed(
    has_run: HasRun, changed: Document, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = has_run("choices", declare_choices)
    row = {"id": 1, "problem": "1?", "options": OPTIONS, "right": 1}
    declare_choices(config.parent, [{**row, **changed}, {**row, "id": 2, "problem": "2?"}])
    (results_dir(config) / "dataset_locks.json").unlink()
    assert run_cli(["run", str(config)]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.long
def test_another_order_of_choices_is_no_other_item(tmp_path: Path) -> None:
    config = declare_choices(tmp_path)
    assert api.run(config).calls == 2
    letters = {row["item_id"]: row["target"] for row in rows(config, "items")}
    for seed in range(4, 20):
        edit(config, lambda study: study["benchmark"]["mapping"].update(shuffle_choices=seed))  # noqa: B023
        assert api.run(config).calls == 2
        if letters != {row["item_id"]: row["target"] for row in rows(config, "items")}:
            return
    raise AssertionError("no seed has changed a letter")


@pytest.mark.long
def test_changed_items_in_a_bucket(
    tmp_path: Path, s3_location: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = declare(tmp_path)
    edit(config, lambda study: study.update(output_dir=s3_location))
    api.run(config)
    before = {table: rows(config, table) for table in ("items", "solutions", "gradings")}
    edit(config, lambda study: study["benchmark"].update(of("products")))
    assert run_cli(["run", str(config), "--json"]) == 2
    told = json.loads(capsys.readouterr().out)["message"]
    assert "item '1' of 'products.jsonl' is not the one that this study has answers to" in told
    assert before == {table: rows(config, table) for table in before}


def test_two_workers_are_not_started_for_changed_items(has_run: HasRun) -> None:
    config = has_run("sums", declare)
    edit(config, lambda study: study["benchmark"].update(of("products")))
    with pytest.raises(DatasetError, match="is not the one that this study has answers to"):
        api.run(config, workers=2, max_usd=math.inf)


@pytest.mark.long
def test_a_launch_by_dagster_refuses_changed_items(has_run: HasRun) -> None:
    config = has_run("sums", declare)
    before = rows(config, "items")
    edit(config, lambda study: study["benchmark"].update(of("products")))
    with runs_of(load_study(config)) as runs:
        result = runs.run(["items"])
    assert not result.success
    assert "is not the one that this study has answers to" in message(result)
    assert rows(config, "items") == before
