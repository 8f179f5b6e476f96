"""Studies of a sample of items: what is asked, what stays, and what people are told."""

import json
from pathlib import Path
from typing import Any

import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from tests.studies import write_study
from tests.task_files import write_task_study
from tests.whole.looking import results_dir, rows

WORDS = "sample of 4 of 9 items, seed 7, by topic"


def declare(folder: Path, n: int, policy: str = "full-interactive", location: str = "") -> Path:
    extra: dict[str, Any] = {
        "benchmark": {"sample": {"n": n, "seed": 7, "by": "topic"}},
        **({"output_dir": location} if location else {}),
    }
    config = write_study(folder, graders=[], items=9, policy=policy, extra=extra)
    lines = [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
    for number, line in enumerate(lines):
        line["topic"] = "sums" if number % 3 else "words"
    (folder / "items.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return config


def asked(config: Path) -> set[str]:
    return {row["item_id"] for row in rows(config, "solutions")}


@pytest.mark.parametrize("in_bucket", [pytest.param(False, marks=pytest.mark.long), True])
def test_a_larger_sample_asks_the_new_items_and_a_smaller_one_keeps_all_rows(
    tmp_path: Path, in_bucket: bool, request: pytest.FixtureRequest
) -> None:
    location = request.getfixturevalue("s3_location") if in_bucket else ""
    config = declare(tmp_path, 3, location=location)
    assert api.run(config).calls == 3
    first, ids = asked(config), {row["condition_id"] for row in rows(config, "solutions")}
    assert api.run(declare(tmp_path, 6, location=location)).calls == 3
    assert first < asked(config)
    fewer = api.run(declare(tmp_path, 4, location=location))
    assert fewer.calls == 0
    assert len(asked(config)) == 6
    assert [part.cells for part in fewer.status.generate] == [4]
    assert [part.done for part in fewer.status.grade] == [4]
    # What left the sample is no cell of the design; its rows stay.
    assert len(api.cells(config)) == 4
    assert {row["condition_id"] for row in rows(config, "solutions")} == ids
    assert api.run(declare(tmp_path, 6, location=location)).calls == 0


def test_dev_takes_the_first_items_of_the_sample(tmp_path: Path) -> None:
    config = declare(tmp_path, 6, policy="dev")
    assert api.run(config).calls == 2
    drawn = asked(config)
    assert api.run(declare(tmp_path, 2)).calls == 0
    assert asked(config) == drawn


def test_people_are_told_of_the_sample(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = declare(tmp_path, 4)
    for command in ("estimate", "status"):
        capsys.readouterr()
        assert run_cli([command, str(config)]) == 0
        assert f"The items are a {WORDS}." in capsys.readouterr().out
        assert run_cli([command, str(config), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)["sample"]
        assert found == {"n": 4, "seed": 7, "by": "topic", "of": 9}
    assert not results_dir(config).exists()
    assert run_cli(["run", str(config)]) == 0
    assert run_cli(["status", str(config)]) == 0
    assert WORDS in capsys.readouterr().out
    assert run_cli(["report", str(config), "--out", str(tmp_path / "report.html")]) == 0
    assert WORDS in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["run", "estimate", "status"])
@pytest.mark.parametrize(
    ("sample", "said"),
    [
        ({"n": 10}, "benchmark.sample.n: 10 items are to be drawn, and the data have 9; give at"),
        ({"n": 0}, "benchmark.sample.n: "),
        ({"seed": 1}, "benchmark.sample.n: "),
        ({"n": 2, "by": "topc"}, "benchmark.sample.by: 'topc' is no column of benchmark.mapping"),
        ({"n": 2, "sed": 1}, "benchmark.sample.sed"),
    ],
)
def test_what_is_no_sample(
    tmp_path: Path,
    command: str,
    sample: dict[str, Any],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = write_study(tmp_path, items=9, extra={"benchmark": {"sample": sample}})
    assert run_cli([command, str(config)]) == 2
    told = capsys.readouterr().err
    assert said in told and "Traceback" not in told
    assert not (tmp_path / "studies").exists()


def test_a_sample_of_a_task(tmp_path: Path) -> None:
    config = write_task_study(tmp_path, extra={"benchmark": {"sample": {"n": 1, "seed": 2}}})
    done = api.run(config)
    assert done.status.items == 1
    assert len(asked(config)) == 1
    assert done.status.sample and done.status.sample.n == 1
