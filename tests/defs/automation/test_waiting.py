"""What the schedule cannot do by itself is told to the webhook once, until it is over."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from itemeval_assets.core.design.study import Study
from itemeval_assets.defs.build import build_definitions
from itemeval_assets.settings import Settings
from tests.defs.runs import toy_study
from tests.ticks import ticked

from .listening import Receiver
from .test_spend import priced


def tick(study: Study, instance: dg.DagsterInstance, receiver: Receiver) -> int:
    """A tick of the schedule; how many runs it asks for."""
    definitions = build_definitions(Settings(webhook_url=receiver.url), [study])  # type: ignore[arg-type]
    context = dg.build_schedule_context(
        instance=instance,
        scheduled_execution_time=datetime.now(UTC),
        repository_def=definitions.get_repository_def(),
    )
    found = ticked(definitions.resolve_schedule_def("toy_reruns"), context)
    return len(found.run_requests or [])


def test_what_the_gate_would_refuse_is_told_once(tmp_path: Path, receiver: Receiver) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        for _ in range(2):
            assert tick(priced(tmp_path / "lab", 1.0), instance, receiver) == 0
        [text] = receiver.told
        headline, *partitions = text.splitlines()
        assert headline == "Study toy: the schedule leaves out what the gate would refuse"
        assert len(partitions) == 4 and all("over budget.max_usd $1" in one for one in partitions)
        assert tick(toy_study(tmp_path / "lab"), instance, receiver) == 1
        assert tick(priced(tmp_path / "lab", 1.0), instance, receiver) == 0
        assert receiver.told == [text, text]


def test_a_study_whose_schedule_cannot_look_is_told_once(
    tmp_path: Path, receiver: Receiver
) -> None:
    study = toy_study(tmp_path / "lab")
    (tmp_path / "lab" / "studies" / "toy").mkdir(parents=True)
    (tmp_path / "lab" / "studies" / "toy" / "items.parquet").write_text("torn")
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        for _ in range(2):
            assert tick(study, instance, receiver) == 0
    [text] = receiver.told
    assert text.startswith("Study toy: no run is started: ") and "items.parquet" in text
