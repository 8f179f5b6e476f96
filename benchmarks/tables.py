"""(c), (d), (e) Tables of a million rows: an upsert, export, gradings_long, status, planning.

    python -m benchmarks.tables

Sizes of finished studies, as if mock models had been called; each figure of memory is the peak
of a process of its own.
"""

import json
import tempfile
import time
from pathlib import Path
from statistics import median

import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.storage.store import open_store

from .big_study import declare, fill
from .processes import measure, python
from .targets import Target, report

ROWS_OF_ONE_CONDITION = 2_000
EVENTS = 1_000_000
PROGRAM = """
import json, resource, sys, time
from itemeval_assets import api
from itemeval_assets.core.study import Asked
from itemeval_assets.runs.study import foreseen
from itemeval_assets.stages import export, gradings_long
from itemeval_assets.storage.inputs import load_study
from itemeval_assets.storage.store import open_store
study = load_study(sys.argv[1])
store, what = open_store(study), sys.argv[2]
begun = time.perf_counter()
if what == "status":
    assert all(part.done == part.cells for part in api.status(study).grade)
elif what == "plan":
    asked = Asked(generate=[c.id for c in study.design.generate],
        grade=[c.id for c in study.design.grade])
    assert foreseen(study, store, asked).remaining.calls == 0
elif what == "export":
    assert export.write(study, store).rows
elif what == "gradings_long":
    for _ in gradings_long.write(store, study.grade_partitions()): pass
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": time.perf_counter() - begun, "peak_mb": peak}))
"""


def main() -> None:
    """Measure, and report seconds, peaks and slopes."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        upserts = {rows: _upsert_s(root / f"upsert{rows}", rows) for rows in (10_000, EVENTS)}
        studies = {}
        for events in (EVENTS, 2 * EVENTS):
            config = declare(
                root / str(events),
                prompts=10 * events // EVENTS,
                judges=10,
                item_count=2_000,
                replications=5,
            )
            fill(config)
            studies[events] = config
        found = {
            what: _measured(studies[EVENTS], what)
            for what in ("status", "plan", "export", "gradings_long")
        }
        twice = {what: _measured(studies[2 * EVENTS], what) for what in ("export", "gradings_long")}
    slope = {what: (twice[what]["peak_mb"] - found[what]["peak_mb"]) for what in twice}
    report(
        [
            Target(
                "upsert into 1 M rows",
                upserts[EVENTS] / upserts[10_000],
                1.3,
                "seconds to upsert 2,000 rows into a study of 1 M rows / of 10,000",
            ),
            Target("status of 1 M gradings, s", found["status"]["seconds"], 5.0, "after imports"),
            Target("planning a no-op run, s", found["plan"]["seconds"], 5.0, "after imports"),
            Target(
                "memory of the export",
                twice["export"]["peak_mb"] / found["export"]["peak_mb"],
                1.15,
                "peak at 2 M gradings / at 1 M",
            ),
            Target(
                "memory of gradings_long",
                twice["gradings_long"]["peak_mb"] / found["gradings_long"]["peak_mb"],
                1.15,
                "peak at 2 M gradings / at 1 M",
            ),
        ],
        upsert_s={str(rows): seconds for rows, seconds in upserts.items()},
        one_million=found,
        two_million=twice,
        slope_mb_per_million=slope,
    )


def _upsert_s(folder: Path, rows: int) -> float:
    """The median seconds of an upsert of one condition's rows."""
    count = rows // ROWS_OF_ONE_CONDITION
    config = declare(
        folder, prompts=count, judges=0, item_count=ROWS_OF_ONE_CONDITION, replications=1
    )
    study = fill(config)
    store, partition = open_store(study), study.generate_partitions()[0]
    stored, times = store.read("solutions", [partition]), []
    for trial in range(9):
        fresh = pa.array([f"{trial}-{n}" for n in range(stored.num_rows)])
        place = stored.column_names.index("sample_uuid")
        begun = time.perf_counter()
        store.upsert("solutions", partition, stored.set_column(place, "sample_uuid", fresh))
        times.append(time.perf_counter() - begun)
    assert pc.count_distinct(store.read("solutions", [partition])["item_id"]).as_py() == len(stored)  # type: ignore[attr-defined]
    return median(times)


def _measured(config: Path, what: str) -> dict[str, float]:
    return json.loads(measure(python(PROGRAM, config, what), config.parent).output)


if __name__ == "__main__":
    main()
