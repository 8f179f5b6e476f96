"""(c) An upsert of one condition's 2,000 rows into studies of 10 k, 100 k and 1 M rows.

    python -m benchmarks.cases.storage.upsert

Beside itemeval, where it is installed (see `benchmarks.peer`), at 1 M rows.
"""

import tempfile
import time
from pathlib import Path
from statistics import median

import pyarrow as pa

from benchmarks.big_study import declare, fill
from benchmarks.peer import find_itemeval, hand_over, timed
from benchmarks.targets import Target, report
from itemeval_assets.core.design.study import Study
from itemeval_assets.storage.study.store import open_store

ROWS_OF_ONE_CONDITION = 2_000
SIZES = (10_000, 100_000, 1_000_000)
TRIALS = 9


def main() -> None:
    """Measure, and report how the time of an upsert grows with the study."""
    peer = find_itemeval()
    with tempfile.TemporaryDirectory() as folder:
        studies = {rows: _study(Path(folder) / str(rows), rows) for rows in SIZES}
        seconds = {rows: _upsert_s(study) for rows, study in studies.items()}
        theirs = peer and timed(peer, hand_over(studies[SIZES[-1]]), "upsert")
    smallest, largest = seconds[SIZES[0]], seconds[SIZES[-1]]
    targets = [
        Target(
            "upsert into 1 M rows, beside 10 k",
            largest / smallest,
            1.3,
            "seconds to upsert 2,000 rows into a study of 1 M rows / of 10,000",
        )
    ]
    if theirs:
        targets.append(
            Target(
                "upsert into 1 M rows, beside itemeval",
                theirs["seconds"] / largest,
                20,
                "its seconds for the same 2,000 rows / ours",
                at_least=True,
            )
        )
    report(targets, upsert_s={str(rows): found for rows, found in seconds.items()}, itemeval=theirs)


def _study(folder: Path, rows: int) -> Study:
    count = rows // ROWS_OF_ONE_CONDITION
    config = declare(
        folder, prompts=count, judges=1, item_count=ROWS_OF_ONE_CONDITION, replications=1
    )
    return fill(config, is_graded=False)


def _upsert_s(study: Study) -> float:
    """The median seconds of an upsert that changes every row of one condition."""
    store, partition = open_store(study), study.generate_partitions()[0]
    stored, times = store.read("solutions", [partition]), []
    place = stored.column_names.index("sample_uuid")
    for trial in range(TRIALS):
        fresh = [f"{trial}-{n}" for n in range(stored.num_rows)]
        rows = stored.set_column(place, "sample_uuid", pa.array(fresh))
        begun = time.perf_counter()
        store.upsert("solutions", partition, rows)
        times.append(time.perf_counter() - begun)
        kept = store.read("solutions", [partition])["sample_uuid"].to_pylist()
        assert sorted(kept) == sorted(fresh)
    return median(times)


if __name__ == "__main__":
    main()
