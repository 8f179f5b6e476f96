"""Studies that an earlier version wrote are read, continued, and brought to this layout.

`older/layout_1.tar.gz` is a finished study as the version before layout 2 left it: two models,
a scorer and a judge, two items.
"""

import json
import tarfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from itemeval_assets import api
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.tables.schemas import BOOKINGS, LEDGER
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.stages import ledger
from itemeval_assets.stages.views.status import survey
from itemeval_assets.storage.objects.backends import open_backend
from itemeval_assets.storage.study.store import open_store

OLDER = Path(__file__).with_name("layout_1.tar.gz")
KEY = list(LEDGER.key)


def unpack(folder: Path) -> Path:
    with tarfile.open(OLDER) as archive:
        archive.extractall(folder, filter="data")
    return folder / "study.yaml"


def change(config: Path, **values: Any) -> None:
    document = yaml.safe_load(config.read_text())
    config.write_text(yaml.safe_dump(document | values))


@pytest.fixture(params=["disk", "bucket"])
def study(request: pytest.FixtureRequest, tmp_path: Path) -> Study:
    """The older study, on a disk or in a bucket."""
    config = unpack(tmp_path)
    if request.param == "bucket":
        change(config, output_dir=request.getfixturevalue("s3_location"))
        found = load_study(config)
        backend, home = open_backend(found.location), tmp_path / "studies" / "old"
        mark = json.loads((home / "study.json").read_text())
        (home / "study.json").write_text(json.dumps(mark | {"config": "study.yaml"}))
        for path in (path for path in home.rglob("*") if path.is_file()):
            backend.upload(path, path.relative_to(home).as_posix())
    return load_study(config)


def test_an_older_study_is_read_as_it_lies_and_status_says_so(study: Study) -> None:
    store = open_store(study)
    before = store.backend.list("")
    bookings = store.read("bookings")
    assert bookings.schema.names == BOOKINGS.column_names and bookings.num_rows == 6
    assert ledger.ledger(store).num_rows == 4
    assert ledger.mismatches(store) == []
    found = survey(study, store)
    assert found.is_older and found.usd == sum(bookings["usd"].to_pylist()) > 0
    assert store.backend.list("") == before


def test_the_first_write_brings_it_to_this_layout(study: Study) -> None:
    store = open_store(study)
    before = store.read("bookings")
    ledger.bring_up_to_date(store)
    assert not store.is_older() and store.read("bookings").equals(before)
    assert store.backend.list("ledger.parquet") == []
    frame = pd.read_parquet(store.backend.uri("ledger.parquet"))
    assert list(frame.columns) == LEDGER.column_names and not frame.duplicated(KEY).any()
    assert frame["usd"].sum() == pytest.approx(sum(before["usd"].to_pylist()))
    assert sorted(frame["calls"]) == [2, 2, 4, 4]
    assert len(pd.read_parquet(store.backend.uri("bookings.parquet"))) == 6
    assert ledger.mismatches(store) == []


class Killed(BaseException):
    """What a test ends a process with."""


def dying(after: int, method: Callable[..., Any]) -> Callable[..., Any]:
    """`method`, up to a call of it that kills."""
    left = [after]

    def call(*arguments: Any, **options: Any) -> Any:
        if not left[0]:
            raise Killed
        left[0] -= 1
        return method(*arguments, **options)

    return call


LATER = [pytest.param(after, marks=pytest.mark.long) for after in (2, 3)]


@pytest.mark.parametrize("after", [0, 1, *LATER])
@pytest.mark.parametrize("name", ["move", "move_folder", "update"])
def test_who_is_killed_meanwhile_leaves_a_study_that_can_be_read_and_brought_on(
    study: Study, monkeypatch: pytest.MonkeyPatch, name: str, after: int
) -> None:
    store = open_store(study)
    before = store.read("bookings")
    with monkeypatch.context() as patched:
        patched.setattr(store.backend, name, dying(after, getattr(store.backend, name)))
        try:
            ledger.bring_up_to_date(store)
        except Killed:
            assert store.is_older()
    store = open_store(study)
    assert store.read("bookings").equals(before)
    assert ledger.ledger(store).num_rows == 4 and ledger.mismatches(store) == []
    ledger.bring_up_to_date(store)
    assert not store.is_older() and store.read("bookings").equals(before)
    assert len(pd.read_parquet(store.backend.uri("ledger.parquet"))) == 4


def test_two_at_once_bring_it_up_once(study: Study) -> None:
    before = open_store(study).read("bookings")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(ledger.bring_up_to_date, [open_store(study) for _ in range(2)]))
    store = open_store(study)
    assert not store.is_older() and store.read("bookings").equals(before)
    assert store.read("ledger").num_rows == 4


def test_a_run_of_an_older_study_calls_nobody_twice_and_goes_on_from_there(tmp_path: Path) -> None:
    config = unpack(tmp_path)
    spent = api.status(config).usd
    done = api.run(config)
    assert (done.calls, done.failed_checks, done.errored) == (0, [], 0)
    assert not done.status.is_older and done.status.usd == pytest.approx(spent)
    booked = len(pd.read_parquet(tmp_path / "studies" / "old" / "ledger.parquet"))
    document = yaml.safe_load(config.read_text())
    change(
        config, solvers={**document["solvers"], "models": ["mockllm/a", "mockllm/b", "mockllm/c"]}
    )
    more = api.run(config)
    assert more.failed_checks == [] and more.errored == 0
    exported = pd.read_csv(tmp_path / "studies" / "old" / "export" / "ledger.csv")
    stored = pd.read_parquet(tmp_path / "studies" / "old" / "ledger.parquet")
    assert not stored.duplicated(KEY).any() and len(exported) == len(stored) == booked + 3
    assert more.export.usd == pytest.approx(stored["usd"].sum())
    assert ledger.mismatches(open_store(load_study(config))) == []
