"""The report of a fault: what was injected, what was promised, and what was lost, as measured."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.whole.conftest import serve

from .study_runs import Loss

__all__ = ["report_fault", "serve"]

Report = Callable[..., None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = f"{Path(__file__).parent}{os.sep}"
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.faults)


@pytest.fixture
def report_fault() -> Report:
    """`report_fault(fault, promised, injected=..., loss=...)`: a line for `make faults`.

    Fails where anything was lost that must not be: rows, dollars, or calls made again beyond
    those in flight.
    """

    def report(fault: str, promised: str, *, injected: int, loss: Loss | None = None) -> None:
        assert injected > 0, f"{fault}: nothing was injected"
        found = loss or Loss()
        line = {"fault": fault, "promised": promised, "injected": injected, **found._asdict()}
        if path := os.environ.get("TEST_FAULT_REPORT"):
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        assert found.rows == 0 and abs(found.usd) < 1e-9 and found.calls_repeated == 0, line

    return report
