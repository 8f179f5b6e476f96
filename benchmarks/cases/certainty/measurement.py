"""Estimates over a million grading events: scores, all comparisons, components, and REML.

    python -m benchmarks.cases.certainty.measurement [--events 1000000]

Seconds are after imports, on tables that are in memory. REML is on 20,000 rows with 5 % of the
cells missing, five facets crossed and replications nested.
"""

import argparse
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import linalg, special  # noqa: F401 - loaded before anything is measured

from benchmarks.targets import Target, report
from itemeval_assets import measurement as m

MODELS, REPLICATIONS = 20, 3


def main() -> None:
    """Measure, and report seconds and the peak of memory."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    events = parser.parse_args().events
    frame = _events(events)
    scores = _seconds(lambda: m.mean_scores(frame, by="gen_condition_id", scale=(0, 1)))
    pairs = _seconds(lambda: m.compare_all(frame, object="gen_condition_id", scale=(0, 1)))
    components = _seconds(lambda: m.variance_components(frame, ["model", "item_id"]))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    holes = _with_holes()
    facets = [str(name) for name in holes if name != "score"]
    reml = _seconds(
        lambda: m.variance_components(holes, facets, nested={"replication": facets[:-1]})
    )
    size = f"{events:,} grading events, {MODELS} conditions, after imports"
    report(
        [
            Target("scores and all comparisons, s", scores + pairs, 3, size),
            Target("components, balanced, s", components, 5, size),
            Target("memory of both, GB", peak_mb / 1024, 1, f"{size}, with the table"),
            Target("components by REML, s", reml, 30, f"{len(holes):,} rows, 5 % missing"),
        ],
        seconds={"scores": scores, "comparisons": pairs, "components": components, "reml": reml},
    )


def _seconds(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _events(events: int) -> pa.Table:
    """Answers of models of different ability, with the columns that the estimates read."""
    random = np.random.default_rng(0)
    items = events // (MODELS * REPLICATIONS)
    model, item, replication = (
        axis.ravel() for axis in np.indices((MODELS, items, REPLICATIONS), dtype=np.int32)
    )
    ability, difficulty = random.normal(0, 0.5, MODELS), random.normal(0, 1, items)
    right = random.logistic(size=len(model)) < ability[model] - difficulty[item]
    models = pa.array([f"provider/model-{n}" for n in range(MODELS)])
    conditions = pa.array([f"model-{n}_standard_default--0123456789ab" for n in range(MODELS)])
    return pa.table(
        {
            "model": models.take(model),
            "gen_condition_id": conditions.take(model),
            "item_id": pa.array([f"item-{n:06d}" for n in range(items)]).take(item),
            "replication": replication,
            "grade_condition_id": pa.repeat("scorer_numeric--0123456789ab", len(model)),
            "prompt_name": pa.repeat("standard", len(model)),
            "model_config_name": pa.repeat("default", len(model)),
            "score": right.astype(float),
        }
    )


def _with_holes() -> pd.DataFrame:
    random = np.random.default_rng(0)
    shape = (5, 125, 2, 2, 2, 4)
    names = ["model", "item", "prompt", "config", "grader", "replication"]
    scores = random.normal(0, 0.4, shape)
    for kept, deviation in (((0,), 0.2), ((1,), 0.3), ((0, 1), 0.2), ((1, 4), 0.1)):
        scores += random.normal(0, deviation, [n if k in kept else 1 for k, n in enumerate(shape)])
    levels = dict(zip(names, np.indices(shape).reshape(len(shape), -1), strict=True))
    frame = pd.DataFrame({**levels, "score": scores.ravel()})
    return frame[random.random(len(frame)) >= 0.05]


if __name__ == "__main__":
    main()
