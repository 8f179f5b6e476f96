"""Frames of grading events for tests: with chosen scores, and published ones."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

__all__ = [
    "BRENNAN",
    "KRIPPENDORFF",
    "LSAT6",
    "SHROUT_FLEISS",
    "crossed",
    "random_scores",
    "scored",
    "table",
]


def scored(scores: Sequence[Any], **columns: Sequence[Any]) -> pd.DataFrame:
    """One row per item, with further columns."""
    items = [f"q{place}" for place in range(len(scores))]
    return pd.DataFrame({"item_id": items, "score": scores, **columns})


def crossed(scores: np.ndarray, *facets: str) -> pd.DataFrame:
    """One row per entry of an array, with a column of levels per axis."""
    levels = np.unravel_index(np.arange(scores.size), scores.shape)
    columns = dict(zip(facets, levels, strict=True))
    return pd.DataFrame({**columns, "score": scores.ravel()})


def table(name: str) -> pd.DataFrame:
    """A published table of this folder. Its first line says where it comes from."""
    return pd.read_csv(Path(__file__).parent / f"{name}.csv", comment="#")


def random_scores(
    models: int = 3,
    items: int = 40,
    replications: int = 2,
    *,
    binary: bool = True,
    seed: int = 7,
) -> pd.DataFrame:
    """Scores of models on the same items, with models and items that differ in level."""
    random = np.random.default_rng(seed)
    level = random.normal(0, 0.8, (models, 1, 1)) + random.normal(0, 1, (1, items, 1))
    noise = random.normal(0, 1, (models, items, replications))
    found = (level + noise > 0).astype(float) if binary else np.round(5 + 2 * level + noise)
    frame = crossed(found, "model", "item_id", "replication")
    frame["model"] = [f"lab/m{place}" for place in frame["model"]]
    frame["item_id"] = [f"q{place:03d}" for place in frame["item_id"]]
    frame["passage"] = [f"p{int(name[1:]) // 2:03d}" for name in frame["item_id"]]
    return frame


_PERSONS = """
    101000000000 111001000000 111110000000 110110010000 111110100000
    111011100000 111111100000 111101111100 111111111110 111111111111
"""
BRENNAN = crossed(
    np.array([[int(digit) for digit in row] for row in _PERSONS.split()]), "person", "item"
)
SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
)
_OBSERVERS = """
    1 2 3 3 2 1 4 1 2 . . .
    1 2 3 3 2 2 4 1 2 5 . 3
    . 3 3 3 2 3 4 2 2 5 1 .
    1 2 3 3 2 4 4 1 2 5 1 .
"""
KRIPPENDORFF = np.array(
    [
        [np.nan if word == "." else float(word) for word in row.split()]
        for row in _OBSERVERS.strip().splitlines()
    ]
)
_PATTERNS = """
    3 6 2 11 1 1 3 4 1 8 0 16 0 3 2 15 10 29 14 81 3 28 15 80 16 56 21 173 11 61 28 298
"""
LSAT6 = np.array(
    [
        [int(digit) for digit in f"{pattern:05b}"]
        for pattern, count in enumerate(_PATTERNS.split())
        for _ in range(int(count))
    ]
)
