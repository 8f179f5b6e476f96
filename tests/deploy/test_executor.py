"""Where the steps of a run run, as ITEMEVAL_ASSETS_EXECUTOR says."""

import sys

import dagster as dg
import pytest

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.defs.build import build_definitions, executor_of
from itemeval_assets.settings import Settings


@pytest.mark.parametrize(
    ("executor", "expected"),
    [("in_process", dg.in_process_executor), ("multiprocess", dg.multiprocess_executor)],
)
def test_executors_of_dagster(
    monkeypatch: pytest.MonkeyPatch, executor: str, expected: dg.ExecutorDefinition
) -> None:
    monkeypatch.setenv("ITEMEVAL_ASSETS_EXECUTOR", executor)
    assert executor_of(Settings()) is expected
    assert build_definitions(Settings(), []).executor is expected


def test_one_process_is_the_default() -> None:
    assert executor_of(Settings()) is dg.in_process_executor


def test_celery_reads_its_addresses_where_a_step_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("dagster_celery")
    executor = executor_of(Settings(executor="celery"))
    assert executor.name == "celery"
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://:secret@there:6379/0")
    monkeypatch.setenv("CELERY_RESULT_URL", "redis://:secret@there:6379/1")
    configured = executor.apply_config_mapping({"config": {}})
    assert configured.success and configured.value
    assert configured.value["config"]["broker"] == "redis://:secret@there:6379/0"


def test_celery_without_its_package_is_the_users_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dagster_celery", None)
    with pytest.raises(
        ConfigError, match=r"needs dagster-celery: .*install.* dagster-celery==\d.* 'celery"
    ):
        executor_of(Settings(executor="celery"))


def test_an_unknown_executor_is_refused() -> None:
    with pytest.raises(ConfigError, match="in_process"):
        Settings(executor="threads")  # type: ignore[arg-type]
