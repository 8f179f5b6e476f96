"""The webhook that notifications go to."""

import threading
from collections.abc import Iterator

import pytest

from .listening import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
