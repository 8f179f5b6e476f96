"""A sealed environment: no keys, no network look-ups, and nothing outside temporary folders."""

import gc
import itertools
import os
import re
import signal
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

from itemeval_assets.storage.s3.bucket import s3_client
from tests.forked_pytest import fork_workers_of_pytest
from tests.history import know_empty_databases
from tests.s3_server import S3Server, s3_server
from tests.spared import draw_no_pictures, fork_workers, read_once, show_no_figures

# Packages leave no garbage as they load.
gc.disable()

_SECRET = re.compile(r"(API_?KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS)$|^(AWS|AZURE|GOOGLE)_")
_SETTINGS = ("INSPECT_", "ITEMEVAL_", "DAGSTER_", "SCYTHE_")
# A worker of pytest-xdist says 80 columns, and a console keeps what it reads when it is made.
_SIZE = {"COLUMNS", "LINES"}

# At import: libraries read some of these once, and fixtures of a whole module run before any
# fixture of a test.
for _name in list(os.environ):
    if _SECRET.search(_name) or _name.startswith(_SETTINGS) or _name in _SIZE:
        del os.environ[_name]
# The first process makes it, for all workers of the session.
if "TESTS_FOLDER" not in os.environ:
    _session = tempfile.TemporaryDirectory(prefix="itemeval_assets_tests_")
    os.environ["TESTS_FOLDER"] = _session.name
_own = Path(os.environ["TESTS_FOLDER"]) / os.environ.get("PYTEST_XDIST_WORKER", "main")
_own.mkdir(exist_ok=True)
_numbers = itertools.count()
os.environ |= {
    "DAGSTER_DISABLE_TELEMETRY": "true",
    "DAGSTER_HOME": str(_own),
    "HF_DATASETS_CACHE": f"{_own}/huggingface/datasets",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HOME": f"{_own}/huggingface",
    "HF_HUB_OFFLINE": "1",
    "INSPECT_CACHE_DIR": f"{_own}/inspect",
    "MPLCONFIGDIR": f"{os.environ['TESTS_FOLDER']}/matplotlib",
    "XDG_CACHE_HOME": f"{_own}/cache",
    "XDG_DATA_HOME": f"{_own}/data",
}

# The list of fonts takes a second: one worker makes it, and the others wait.
if "PYTEST_XDIST_WORKER" in os.environ:
    with FileLock(f"{os.environ['TESTS_FOLDER']}/matplotlib.lock"):
        import matplotlib.font_manager  # noqa: F401

# Ctrl-C is a part of tests, also of those started in the background of a script, which ignore it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Deterministic, so that a failure seen once is seen again; no deadline, for busy machines.
settings.register_profile(
    "sealed",
    deadline=None,
    derandomize=True,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("sealed")


# Files and folders of whole runs, the slowest tests first.
SLOW = (
    "test_project.py",
    "test_component.py",
    "golden",
    "guard",
    "browser",
    "whole",
    "faults",
    "releases",
    "runs",
    "work",
)
# What tests call the two kinds of storage.
PLACES = {"disk", "folder", "bucket"}


def pytest_xdist_auto_num_workers() -> int:
    """Of `-n auto`: more than there are cores, since tests wait for a third of their time."""
    return 2 + (os.cpu_count() or 1)


def pytest_xdist_setupnodes() -> None:
    fork_workers_of_pytest()


def pytest_collection_finish() -> None:
    gc.enable()


def pytest_sessionfinish() -> None:
    # pytest looks for garbage once more, among all objects of the process.
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow ones first: what is left at the end is short, and keeps every worker busy."""
    items.sort(key=_place_in_line)
    _cross_in_turn(items)
    if "TEST_LONG" not in os.environ:
        left_out = pytest.mark.skip(reason="takes long: part of make faults, or TEST_LONG=1")
        for item in items:
            if _is_long(item):
                item.add_marker(left_out)


def _place_in_line(item: pytest.Item) -> int:
    parts = item.path.parts
    return next((place for place, name in enumerate(SLOW) if name in parts), len(SLOW))


def _is_long(item: pytest.Item) -> bool:
    return item.get_closest_marker("long") is not None


def _cross_in_turn(items: list[pytest.Item]) -> None:
    """Cases that meet both a disk and a bucket take them in turn; in the long form, both.

    So do tests of experiments that have no other cases, one after the other.
    """
    crossed: dict[tuple[str, str], dict[bool, pytest.Item]] = {}
    for item in items:
        name, _, cases = item.nodeid.rstrip("]").partition("[")
        words = cases.split("-")
        others = "-".join(word for word in words if word not in PLACES)
        is_alone = len(words) == 1
        if is_alone and "experiments" in item.path.parts:
            name, is_alone, others = item.path.name, False, name
        if not is_alone and (place := PLACES & {*words}):
            crossed.setdefault((name, others), {})[place == {"bucket"}] = item
    turns: Counter[str] = Counter()
    for (name, _), both in crossed.items():
        if len(both) > 1 and not any(map(_is_long, both.values())):
            both[turns[name] % 2 == 1].add_marker(pytest.mark.long)
            turns[name] += 1


@pytest.fixture(autouse=True)
def sealed_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has a DAGSTER_HOME and a response cache (of inspect) of its own."""
    home = _own / f"home_{next(_numbers)}"
    home.mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(home / "inspect"))


@pytest.fixture(scope="session", autouse=True)
def spared() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        read_once(patch)
        fork_workers(patch)
        know_empty_databases()
        yield


@pytest.fixture(autouse=True)
def undrawn_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test marked `pictures` has them all."""
    if request.node.get_closest_marker("pictures") is None:
        draw_no_pictures(monkeypatch)


@pytest.fixture(scope="module", autouse=True)
def no_figures(request: pytest.FixtureRequest) -> Iterator[None]:
    """Modules marked `shown` have those of each run, and so has the long form."""
    with pytest.MonkeyPatch.context() as patch:
        if request.node.get_closest_marker("shown") is None and "TEST_LONG" not in os.environ:
            show_no_figures(patch)
        yield


@pytest.fixture(autouse=True)
def started_workers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are forks, but those of a test marked `interpreters`."""
    if request.node.get_closest_marker("interpreters") is not None:
        monkeypatch.setenv("TESTS_INTERPRETERS", "1")


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """An S3 server of this test session."""
    with s3_server() as server:
        yield server


@pytest.fixture
def s3_location(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """`s3://<a new bucket>/prefix`, with the environment set for it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    bucket = f"bucket-{uuid.uuid4().hex[:12]}"
    s3_client().create_bucket(Bucket=bucket)
    return f"s3://{bucket}/prefix"
