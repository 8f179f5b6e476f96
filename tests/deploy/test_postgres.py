"""Connections to Postgres: one engine in each process, whatever is opened there."""

import pytest

pytest.importorskip("dagster_postgres")

from sqlalchemy.pool import QueuePool

from deploy.postgres import HeldPostgresStorage, _engine

URL = "postgresql+psycopg2://nobody@127.0.0.1:1/nothing"


def test_all_parts_and_instances_of_a_process_share_their_connections() -> None:
    stores = [HeldPostgresStorage(URL, should_autocreate_tables=False) for _ in range(2)]
    engines = {
        part._engine
        for store in stores
        for part in (store._run_storage, store._event_log_storage, store._schedule_storage)
    }
    [engine] = engines
    assert isinstance(engine.pool, QueuePool) and engine.pool._pre_ping


def test_a_process_that_was_forked_opens_its_own() -> None:
    assert _engine(URL, 1) is _engine(URL, 1) is not _engine(URL, 2)
