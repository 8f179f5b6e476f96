"""The scenes leave out no option of a study."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

EXPECTED = Path(__file__).parent / "expected"
# The hub's own: a scene asks for them, and is told that it cannot be reached.
OF_THE_HUB = {"benchmark.datasets.revision"}


def test_every_key_of_the_yaml_has_a_value_in_a_scene() -> None:
    """A manifest has the whole config: keys that a study leaves out are null or empty."""
    values = [found for config in configs() for found in keys(config, "")]
    known, used = {path for path, _ in values}, {path for path, value in values if value}
    assert len(known) > 50
    unused = {p for p in known if not any(f"{u}.".startswith(f"{p}.") for u in used)}
    assert unused == OF_THE_HUB


def configs() -> Iterator[dict[str, Any]]:
    for path in EXPECTED.glob("*/manifests.jsonl"):
        for line in path.read_text().splitlines():
            if "config" in (found := json.loads(line)):
                yield found["config"]


def keys(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Keys by their paths; names that a study gives, as to its graders, are no part of them."""
    if isinstance(value, dict):
        for key, inner in value.items():
            of_named = path in ("graders", "scorers", "solvers.max_connections")
            yield from keys(inner, path if of_named else f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for inner in value or [None]:
            yield from keys(inner, path)
    else:
        yield path, value
