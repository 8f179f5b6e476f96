"""Data that cannot be read, through the command line: a message, exit code 2, nothing written."""

import json
from pathlib import Path

import pytest

from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.design.items.items import DEEPEST
from tests.studies import write_study

from .looking import results_dir

CSV = "id,question,answer,scheme,topic\nq1,1+1?,2,s,t\n"


def declare(folder: Path, content: bytes, **keys: str) -> Path:
    (folder / "items.csv").write_bytes(content)
    datasets = [{"id": "items.csv", **keys}]
    return write_study(folder, graders=(), extra={"benchmark": {"datasets": datasets}})


def contents(folder: Path) -> list[str]:
    """What lies in a folder of results, without locks."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(str(path) for path in found if path.parts[0] != ".locks")


@pytest.mark.parametrize(
    ("command", "content", "message"),
    [
        (
            "run",
            CSV.replace("1+1?", '"1+1?').encode(),
            "items.csv, row that begins in line 2: a quotation",
        ),
        (
            "estimate",
            CSV.replace("1+1?", "é?").encode("latin-1"),
            "is no UTF-8; set `encoding`",
        ),
        ("estimate", CSV.splitlines()[0].encode(), "'items.csv' has no items"),
    ],
)
def test_unreadable_data_end_with_a_message(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: str,
    content: bytes,
    message: str,
) -> None:
    config = declare(tmp_path, content)
    assert run_cli([command, str(config)]) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert "Traceback" not in shown.out + shown.err
    assert contents(results_dir(config)) == []


def test_a_study_on_csv_of_another_program_runs(tmp_path: Path) -> None:
    content = CSV.replace(",", ";").replace("1+1?", "Über 1,5?").encode("cp1252")
    config = declare(tmp_path, content, delimiter=";", encoding="cp1252")
    assert run_cli(["run", str(config)]) == 0


def test_metadata_at_the_limit_of_their_depth_go_through_every_command(tmp_path: Path) -> None:
    config = write_study(
        tmp_path,
        items=1,
        extra={"benchmark": {"mapping": {"metadata": ["deep"]}}},
    )
    [item] = (json.loads(line) for line in (tmp_path / "items.jsonl").read_text().splitlines())
    item["deep"] = "core"
    for _ in range(DEEPEST):
        item["deep"] = [item["deep"]]
    (tmp_path / "items.jsonl").write_text(json.dumps(item))
    for command in (["run", "--yes"], ["export"], ["cells"], ["estimate"], ["status"]):
        assert run_cli([command[0], str(config), *command[1:]]) == 0
