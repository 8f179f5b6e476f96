"""An experiment whose outputs are of every kind; in a module, so that other processes import it."""

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from pydantic import computed_field

from itemeval_assets.experiments import ExperimentInputSpec, ExperimentOutputSpec, experiment

BIG = 2**60 + 1
NS = pd.Timestamp("2024-01-02 03:04:05.123456789")
COUNT = 6


def value_of(kind: str, n: int) -> Any:
    """The value of a kind that spec `n` gives, in fields and in cells of frames."""
    return {
        "lists": [n, n + 1],
        "floats": [0.5, n],
        "array": np.arange(n),
        "matrix": np.eye(2) * n,
        "nested": [{"a": [n]}, {"b": {"c": None}}],
        "tuples": (n, "a"),
        "sets": {n, -1},
        "mapping": {"a": n, "b": [n]},
        "id": BIG + n if n % 2 else None,
        "unsigned": np.uint64(2**63 + n) if n % 2 else -n,
        "mixed": [n, str(n), n / 2, None][n % 4],
        "flag": [True, None][n % 2],
        "none": None,
    }[kind]


def stored_as(kind: str, n: int) -> Any:
    """What is read back, in the columns of fields and of frames."""
    return {
        "array": list(range(n)),
        "matrix": [[float(n), 0.0], [0.0, float(n)]],
        "nested": f'[{{"a": [{n}]}}, {{"b": {{"c": null}}}}]',
        "tuples": f'[{n}, "a"]',
        "sets": [-1, n],
        "unsigned": str(2**63 + n if n % 2 else -n),
        "mixed": [str(n), str(n), str(n / 2), None][n % 4],
    }.get(kind, value_of(kind, n))


KINDS = (
    *("lists", "floats", "array", "matrix", "nested", "tuples", "sets", "mapping"),
    *("id", "unsigned", "mixed", "flag", "none"),
)
# {name: (the index of two rows of spec n, its levels, what is read back of them)}
INDEXES: dict[str, Any] = {
    "numbers": lambda n: (pd.RangeIndex(2), []),
    "years": lambda n: (pd.Index([2020 + n, 2021]), [("index", [2020 + n, 2021])]),
    "ids": lambda n: (
        pd.Index([BIG + n, None], dtype=object, name="own"),
        [("own", [str(BIG + n), None])],
    ),
    "times": lambda n: (
        pd.DatetimeIndex([NS, NS.floor("us")], name="when"),
        [("when", [NS, NS.floor("us")])],
    ),
    "sets": lambda n: (
        pd.Index([frozenset({n}), frozenset()], name="set"),
        [("set", [f"[{n}]", "[]"])],
    ),
    "several": lambda n: (
        pd.MultiIndex.from_arrays([["a", "b"], [0.5, n]], names=["zone", None]),
        [("zone", ["a", "b"]), ("level_1", [0.5, float(n)])],
    ),
}


class Given(ExperimentInputSpec):
    n: int
    id: int | None = None

    @property
    def computed_features(self) -> dict[str, Any]:
        return {"mean": self.n / 2, "instant": NS, "some": self.n if self.n % 2 else None}


class Every(ExperimentOutputSpec):
    """Fields of every kind, and fields with the name of an input, of a feature and of a level."""

    n: float
    sort_index: str
    values: dict[str, Any]
    lists: Any
    floats: Any
    array: Any
    matrix: Any
    nested: Any
    tuples: Any
    sets: Any
    mapping: Any
    id: Any
    unsigned: Any
    mixed: Any
    flag: Any
    none: Any

    @computed_field
    @property
    def mean(self) -> Any:
        return np.float32(self.n)


@experiment
def every_output(spec: Given) -> Every:
    """All kinds of values, and frames of them with all kinds of indexes."""
    given = {kind: value_of(kind, spec.n) for kind in KINDS}
    frames = {}
    for name, index_of in INDEXES.items():
        index, _ = index_of(spec.n)
        # A frame has no name of a level of its spec: its columns have a prefix.
        columns: dict[str, Any] = {
            f"c_{kind}": pd.Series([value, value], index=index, dtype=object)
            for kind, value in given.items()
        }
        columns["c_when"] = pd.Series([NS, NS.floor("s")], index=index)
        columns["c_price"] = pd.Series([Decimal(f"1.{spec.n}"), None], index=index, dtype=object)
        frames[name] = pd.DataFrame(columns)
    return Every(n=spec.n, sort_index="x", values=given, dataframes=frames, **given)


def specs() -> list[Given]:
    return [Given(n=n, id=BIG if n % 2 else None) for n in range(COUNT)]
