"""What the webhook is told once that what had failed is well again."""

from pathlib import Path
from typing import Any

import dagster as dg

from itemeval_assets.defs.build import build_definitions
from itemeval_assets.settings import Settings
from tests.defs.runs import SOLUTIONS, Runs, planted, runs_of, toy_study
from tests.studies import write_study
from tests.ticks import ticked

from .listening import RECOVERIES, Receiver, Ticks


def test_runs_are_well_when_no_partition_of_theirs_fails(
    tmp_path: Path, receiver: Receiver
) -> None:
    with runs_of(toy_study(tmp_path), on_disk=True) as runs:
        ticks = Ticks(runs, receiver.url, (RECOVERIES,), ui_url="http://ui")
        one, two, *_ = runs.study.generate_partitions()
        assert not runs.run(SOLUTIONS, span=[one, two]).success  # there are no items
        ticks()
        assert runs.run(["items"]).success
        assert runs.run(SOLUTIONS, only=one).success
        ticks()
        assert receiver.told == []
        result = runs.run(SOLUTIONS, only=two)
        ticks()
        ticks()
        assert receiver.told == [
            "Study toy: well again\nruns of generation_ledger succeed\nruns of solutions succeed\n"
            f"run {result.run_id}\nhttp://ui/runs/{result.run_id}"
        ]


def test_checks_are_well_when_they_pass_in_each_partition(copied: Runs, receiver: Receiver) -> None:
    ticks = Ticks(copied, receiver.url, (RECOVERIES,))
    span = copied.study.generate_partitions()[:2]
    sound = {part: copied.store.read("solutions", [part]).to_pylist() for part in span}
    for part, rows in sound.items():
        planted(copied, "solutions", part, rows[:2])
    copied.run(checks=["solutions"], span=span)
    ticks()
    results = []
    for part in span:
        assert receiver.told == []
        planted(copied, "solutions", part, sound[part])
        results.append(copied.run(checks=["solutions"], span=[part]))
        ticks()
    assert receiver.told == [
        f"Study toy: well again\ncheck solutions complete passes\nrun {results[-1].run_id}"
    ]


def test_what_failed_last_is_not_well_however_many_runs_ended_between_two_looks(
    fresh: Runs, receiver: Receiver
) -> None:
    ticks = Ticks(fresh, receiver.url, (RECOVERIES,))
    data = fresh.study.config_dir / "items.jsonl"
    text = data.read_text()
    for content in (None, text, None):
        data.unlink(missing_ok=True)
        if content:
            data.write_text(content)
        assert fresh.run(["items"]).success == bool(content)
    ticks()
    [told] = receiver.told  # of the second run
    assert told.startswith("Study toy: well again\nruns of items succeed\n")
    data.write_text(text)
    assert fresh.run(["items"]).success
    ticks()
    assert [one.splitlines()[:2] for one in receiver.told] == [told.splitlines()[:2]] * 2


def test_a_study_that_can_be_loaded_again_is_told_once(tmp_path: Path, receiver: Receiver) -> None:
    config = write_study(tmp_path / "toy", extra={"budgett": {}})
    url: Any = receiver.url
    with dg.DagsterInstance.ephemeral() as instance:
        cursor = None
        for _ in range(2):
            for _ in range(2):
                sensor = build_definitions(
                    Settings(root=tmp_path, webhook_url=url)
                ).resolve_sensor_def(RECOVERIES)
                cursor = ticked(sensor, dg.build_sensor_context(instance, cursor)).cursor
            write_study(tmp_path / "toy")
    assert receiver.told == [f"Study toy: can be loaded again\n{config}"]
