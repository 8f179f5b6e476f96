"""Usage in the header of a log that none of its samples has: of an eval that was cut off."""

from pathlib import Path

import pyarrow as pa
import pytest
from inspect_ai.log import read_eval_log, write_eval_log

from itemeval_assets import api, stages
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.money.ledger import bookings_of
from itemeval_assets.core.tables.schemas import LOG_INDEX, arrow_schema
from itemeval_assets.engine.logs.reading import read_log
from itemeval_assets.engine.rows import log_facts
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.storage.study.inputs import load_prices
from itemeval_assets.storage.study.layout import log_dir
from itemeval_assets.storage.study.store import ResultsStore, open_store
from tests.studies import write_study

from .conftest import Serve
from .looking import results_dir, rows, write_prices

LOST = 3  # the usage of as many calls is in no sample


@pytest.fixture
def config(tmp_path: Path, serve: Serve) -> Path:
    serve()
    return write_study(
        tmp_path,
        models=["openai-api/test/m"],
        graders=["openai-api/test/judge"],
        items=4,
        solvers={"max_tokens": 100},
        extra={
            "cache": False,
            "budget": {"pricing_path": write_prices(tmp_path, "m", "judge"), "max_usd": 50},
        },
    )


def grow_header(path: Path) -> None:
    """Make the header of a log tell of more calls than its samples, as a lost sample leaves it."""
    log = read_eval_log(str(path))
    assert log.samples
    (lost,) = log.samples[0].model_usage.values()
    for _ in range(LOST):
        for model in log.stats.model_usage:
            log.stats.model_usage[model] += lost
    write_eval_log(log, str(path))


def book_header(store: ResultsStore, partition: Partition, path: Path, model: str) -> None:
    """Index and ledger as a version that knew of headers alone wrote them."""
    study = load_study(results_dir_of(store))
    facts = log_facts(read_log(path), model, load_prices(study))
    index = store.read("log_index", [partition]).to_pylist()
    grown = [{**row, **facts} for row in index]
    store.replace("log_index", partition, pa.Table.from_pylist(grown, arrow_schema(LOG_INDEX)))
    store.upsert("bookings", partition, bookings_of(store.read("log_index", [partition])))
    stages.ledger.unite(store, [partition])


def results_dir_of(store: ResultsStore) -> Path:
    return Path(store.uri("study")).parents[2] / "study.yaml"


@pytest.mark.long
@pytest.mark.parametrize("command", ["recover", pytest.param("run", marks=pytest.mark.long)])
def test_a_study_that_was_booked_by_its_headers_is_mended(config: Path, command: str) -> None:
    api.run(config, max_usd=50)
    store = open_store(study := load_study(config))
    for partition, model in (
        (study.generate_partitions()[0], "openai-api/test/m"),
        (_judged(store), "openai-api/test/judge"),
    ):
        (path,) = (results_dir(config) / log_dir(partition)).glob("*.eval")
        grow_header(path)
        book_header(store, partition, path, model)
    assert {found.stage for found in stages.ledger.mismatches(store)} == {"generate", "grade"}
    booked = sum(row["usd"] or 0.0 for row in rows(config, "ledger"))

    assert run_cli([command, str(config)]) == 0
    assert stages.ledger.mismatches(store) == []
    assert sum(row["usd"] or 0.0 for row in rows(config, "ledger")) == pytest.approx(booked)
    unlogged = [row for row in rows(config, "replaced") if row["item_id"] == "(unlogged)"]
    assert {row["stage"] for row in unlogged} == {"generate", "grade"}
    assert all(row["usd"] > 0 for row in unlogged)
    for again in ("run", "export", "recover"):
        assert run_cli([again, str(config)]) == 0
    assert len(rows(config, "replaced")) == 2


def test_what_a_new_log_was_charged_for_beyond_its_samples_is_kept(config: Path) -> None:
    api.run(config, only="solutions", max_usd=50)
    before = rows(config, "ledger")
    store = open_store(study := load_study(config))
    (partition,) = study.generate_partitions()
    (path,) = (results_dir(config) / log_dir(partition)).glob("*.eval")
    grow_header(path)
    for table in ("solutions", "log_index"):  # read back from the log
        store.backend.delete(f"{table}.parquet/{partition[0]}.parquet")
    assert run_cli(["recover", str(config)]) == 0
    assert stages.ledger.mismatches(store) == []
    (row,) = (row for row in rows(config, "ledger") if row["stage"] == "generate")
    assert row["calls"] == before[0]["calls"] == 4
    assert row["total_tokens"] > before[0]["total_tokens"]


def _judged(store: ResultsStore) -> Partition:
    (found,) = {
        Partition((row["gen_condition_id"], row["grade_condition_id"]))
        for row in store.read("gradings").to_pylist()
        if row["grade_kind"] == "judge"
    }
    return found
