"""Items that change after a run: no old answer becomes one to a new question."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from tests.studies import write_study
from tests.whole.looking import results_dir, rows

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
            "was '1+1?', and is '1*1?'. This is so for 2 items.",
        ),
        (
            of("sums", target="square"),
            "item '1' of 'sums.jsonl' is not the one that this study has gradings of: its target "
            "was '2', and is '1'.",
        ),
    ],
)
def test_an_item_with_answers_stays_what_it_was(
    tmp_path: Path,
    command: str,
    benchmark: Document,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = declare(tmp_path)
    api.run(config)
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
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = declare(tmp_path)
    api.run(config)

    def ask_anew(study: Document) -> None:
        study["benchmark"].update(of("products"))
        study["solvers"]["max_tokens"] = 77

    edit(config, ask_anew)
    assert run_cli(["run", str(config)]) == 2
    assert "is not the one that this study has answers to" in capsys.readouterr().err
