"""Puts names in the place of what differs from run to run: the same value has the same name."""

import json
import re
from collections.abc import Mapping
from types import NoneType
from typing import Any

from itemeval_assets.core.design.cells.pending import solution_fingerprint

__all__ = ["Tokens"]

# Longest first: a log's file name begins with a time.
CHANGING = re.compile(
    r"(?P<run>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)"
    r"|(?P<holder>\b[0-9a-f]{32}\b)"
    r"|(?P<time>\b20\d\d-\d\d-\d\dT\d\d[:-]\d\d[:-]\d\d(?:\.\d+)?(?:[+-]\d\d[:-]\d\d|Z)?)"
    r"|(?P<moment>\b20\d\d-\d\d-\d\d_\d\d-\d\d-\d\d)"
    r"|(?P<size>\b\d+(?:\.\d+)? [kM]?B\b)"
    r"|(?P<span>\b\d+(?:\.\d+)? \w+(?=, by the latency))"
    r"|(?P<version>(?<=inspect_ai )\d+(?:\.\w+)+)"
    r"|(?P<id>(?<![A-Za-z0-9])(?=[a-z0-9]*[A-Z])(?=[A-Z0-9]*[a-z])"
    r"[A-Za-z0-9]{22}(?![A-Za-z0-9]))"
)
MEASURED = ("latency_s", "wall_time_s", "size_bytes")
# Where results and the study's file lie, one seen from the other; digests of what has ids.
PLACES = ("output_dir", "config", "rows_sha256", "marks_sha256")
# Digests of where Dagster keeps its history.
HISTORIES = "homes"
# Which versions of packages are installed is no matter of the study.
VERSIONS = ("packages", "python_version", "itemeval_version", "itemeval_assets_version")


class Tokens:
    """The names given so far. `known`: places, such as folders and addresses, by what they are."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = dict(known)
        self._names: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._of_samples: set[str] = set()

    def name(self, value: str, token: str) -> None:
        """Give a value its name, unless it has one."""
        self._names.setdefault(value, f"<{token}>")

    def place(self, value: str, token: str) -> None:
        self._known[value] = token

    def text(self, text: str) -> str:
        """A text with names in it."""
        return CHANGING.sub(self._named, self._placed(text))

    def sortable(self, value: Any) -> str:
        """A value without what has no name yet, to sort by: names are given in that order."""
        text = self._placed(value if isinstance(value, str) else json.dumps(value, default=repr))
        return CHANGING.sub(lambda found: self._names.get(found.group(), ""), text)

    def value(self, value: Any, name: str = "") -> Any:
        """A value as JSON holds it. `name`: of its column or key."""
        if name in VERSIONS:
            return sorted(value) if isinstance(value, Mapping) else f"<{name}>"
        if name.endswith(MEASURED) and value is not None:
            return "<measured>"
        if name == "sample_uuid" and value:
            self._of_samples.add(solution_fingerprint(value))
        # The scorers of a task grade a sample, whose id is drawn, and not its text.
        if name == "solution_hash" and value in self._of_samples:
            return "<hash of its sample>"
        if name == HISTORIES or (name in PLACES and isinstance(value, str)):
            return f"<{name}>"
        if name == "traceback" and value is not None:
            return self.text(str(value).strip().splitlines()[-1])
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(v, str(key)) for key, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(part) for part in value]
        if isinstance(value, float):
            return float(f"{value:.10g}")  # sums may be made in any order
        if isinstance(value, (int, NoneType)):
            return value
        return self.text(str(value))

    def _placed(self, text: str) -> str:
        for value in sorted(self._known, key=len, reverse=True):
            text = text.replace(value, self._known[value])
        return text

    def _named(self, found: re.Match[str]) -> str:
        kind, value = str(found.lastgroup), found.group()
        if kind in {"time", "size", "span", "version"}:
            return f"<{kind}>"
        if value not in self._names:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._names[value] = f"<{kind} {self._counts[kind]}>"
        return self._names[value]
