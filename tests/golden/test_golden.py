"""What the studies leave is what they left before: equal, but for times, run ids and places."""

import difflib
import itertools
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.model_server import ModelServer
from tests.s3_server import empty_bucket

from .looking import Writer, layout, logs, manifests, to_json
from .scenes import SCENES
from .session import BUCKET, Place, Session

pytestmark = pytest.mark.shown

EXPECTED = Path(__file__).parent / "expected"
SCHEMAS = EXPECTED / "schemas.jsonl"
WRITES = "GOLDEN_WRITE" in os.environ
TICK_S = 0.1
# The others are as good, and take long.
SHORT = {("every_key", "bucket"), ("formats", "disk"), ("published", "disk")}
CASES = [
    pytest.param(*case, marks=[] if case in SHORT else [pytest.mark.long])
    for case in itertools.product(SCENES, ("disk", "bucket"))
]


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """An empty folder, or an empty bucket."""
    folder = tmp_path / "golden"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "160")
    if request.param == "disk":
        return Place(folder)
    endpoint = request.getfixturevalue("s3").endpoint
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "SCYTHE_STORAGE_BUCKET": BUCKET,
    }.items():
        monkeypatch.setenv(name, value)
    empty_bucket(BUCKET)
    return Place(folder, endpoint)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """The models `openai-api/test/<name>`, and OpenAI's."""
    from inspect_ai.model._providers.util import batch as inspect_batch

    monkeypatch.setattr(inspect_batch, "DEFAULT_BATCH_TICK", TICK_S)
    monkeypatch.setattr(inspect_batch, "DEFAULT_SEND_DELAY", TICK_S)
    with ModelServer() as server:
        monkeypatch.setenv("TEST_BASE_URL", server.base_url)
        monkeypatch.setenv("TEST_API_KEY", "sk-of-the-test")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-test")
        yield server


@pytest.mark.parametrize(("name", "place"), CASES, indirect=["place"])
def test_a_study_leaves_what_it_left_before(name: str, place: Place, server: ModelServer) -> None:
    session = SCENES[name](place, server)
    session.tokens.place(server.base_url, "<server>")
    check(name, lines_of(session))


def lines_of(session: Session) -> Mapping[str, Sequence[str]]:
    """All that a scene leaves, by the name of the file that holds it."""
    tokens, schemas = session.tokens, _known_schemas()
    objects, published = session.objects(), session.published()
    writer = Writer(tokens, schemas)
    found = {
        "said.txt": session.said,
        "manifests.jsonl": manifests(objects, tokens),
        "tables.jsonl": writer.lines(objects),
        "logs.jsonl": logs(objects, tokens),
        "layout.txt": layout(objects, tokens),
        "published.jsonl": writer.lines(published),
        "published.txt": layout(published, tokens),
    }
    _check_schemas(schemas)
    return {name: lines for name, lines in found.items() if lines}


def _known_schemas() -> dict[str, str]:
    """The columns of each table, with their types, by its name."""
    lines = SCHEMAS.read_text().splitlines() if SCHEMAS.exists() else []
    return {name: to_json(schema) for line in lines for name, schema in json.loads(line).items()}


def _check_schemas(found: Mapping[str, str]) -> None:
    lines = [to_json({name: json.loads(schema)}) for name, schema in sorted(found.items())]
    check_file(SCHEMAS, lines)


def check(name: str, found: Mapping[str, Sequence[str]]) -> None:
    """Compare with the files of a scene, or write them."""
    folder = EXPECTED / name
    for file, lines in found.items():
        check_file(folder / file, lines)
    assert sorted(found) == sorted(path.name for path in folder.iterdir())


def check_file(path: Path, lines: Sequence[str]) -> None:
    now = "".join(f"{line}\n" for line in lines)
    if WRITES:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(now)
    expected = path.read_text()
    assert now == expected, difference(path, expected.split("\n"), now.split("\n"))


def difference(path: Path, before: Sequence[str], now: Sequence[str]) -> str:
    lines = difflib.unified_diff(before, now, str(path), "now", n=0, lineterm="")
    return "\n".join(line[:600] for line in [*lines][:40])
