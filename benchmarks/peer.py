"""The same work through itemeval, in an environment of its own: `make bench` makes it.

Its datasets come from the Hugging Face hub alone; here they are handed over in memory, so that
it waits for no network. Its texts, conditions and items are those of our study.
"""

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from itemeval_assets.core.design.study import Study
from itemeval_assets.storage.study.store import ResultsStore, open_store

from .processes import Measured, measure

__all__ = ["end_to_end", "find_itemeval", "hand_over", "timed"]

ROOT = Path(__file__).parents[1]
FOLDER = "itemeval_studies"
RUN = """
import json, sys
import datasets
from itemeval import load_config, prepare_study, run_generate, run_grade
from itemeval.adapters._hf import HFAdapter
rows = [json.loads(line) for line in open(sys.argv[2])]
HFAdapter.resolve_revision = lambda self, spec: "0" * 40
datasets.load_dataset = lambda *_, **__: datasets.Dataset.from_list(rows)
prepared = prepare_study(load_config(sys.argv[1]))
run_generate(prepared, display="none", max_usd=1e9)
run_grade(prepared, display="none", max_usd=1e9)
from itemeval.store._gradings import read_gradings
print(json.dumps({"gradings": len(read_gradings(prepared.paths))}))
"""
TIMED = """
import json, resource, sys, time
from pathlib import Path
import pandas as pd
from itemeval import load_config, export_study
from itemeval.store import _solutions
from itemeval.store._layout import StudyPaths
config, what = load_config(sys.argv[1]), sys.argv[2]
paths = StudyPaths(config.study_dir)
times, rows = [], 0
if what == "upsert":
    stored = _solutions.read_solutions(paths)
    one = stored[stored.condition_id == stored.condition_id.iloc[0]].copy()
    del stored
    for trial in range(3):
        one["sample_uuid"] = [f"{trial}-{n}" for n in range(len(one))]
        begun = time.perf_counter()
        rows = _solutions.upsert_solutions(paths, one)
        times.append(time.perf_counter() - begun)
else:
    begun = time.perf_counter()
    rows = export_study(config).rows
    times.append(time.perf_counter() - begun)
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": sorted(times)[len(times) // 2], "peak_mb": peak_mb, "rows": rows}))
"""


def find_itemeval() -> Path | None:
    """The Python that has itemeval: `ITEMEVAL_PYTHON`, else the one of `.itemeval/`, if any."""
    given = Path(os.environ.get("ITEMEVAL_PYTHON") or ROOT / ".itemeval" / "bin" / "python")
    return given if given.exists() else None


def end_to_end(peer: Path, config: Path, gradings: int) -> Measured:
    """Generate and grade our study with itemeval, as one process."""
    theirs = _its_config(config)
    command = [str(peer), "-c", RUN, str(theirs), str(config.parent / "items.jsonl")]
    done = measure(command, config.parent)
    assert json.loads(done.output.splitlines()[-1])["gradings"] == gradings
    return done


def hand_over(study: Study) -> Path:
    """Write the rows of a study as itemeval stores them; its config."""
    config = _its_config(study.config_path)
    folder = config.parent / FOLDER / study.name
    folder.mkdir(parents=True)
    store = open_store(study)
    for name in ("solutions", "gradings", "ledger"):
        if store.partitions(name):
            _hand_over_table(store, name, folder / f"{name}.parquet")
    return config


def timed(peer: Path, config: Path, what: str) -> dict[str, Any]:
    """Seconds and peak of `upsert` of one condition's solutions, or of `export`."""
    return json.loads(measure([str(peer), "-c", TIMED, str(config), what], config.parent).output)


def _its_config(config: Path) -> Path:
    document = yaml.safe_load(config.read_text())
    document["output_dir"] = FOLDER
    document["benchmark"]["adapter"] = "hf"
    document["benchmark"]["datasets"] = [{"id": "made/here"}]
    path = config.with_name("itemeval.yaml")
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def _hand_over_table(store: ResultsStore, name: str, path: Path) -> None:
    """One file per table, in the order of its keys, partition after partition."""
    writer: pq.ParquetWriter | None = None
    for partition in sorted(store.partitions(name)):
        rows = store.read(name, [partition])
        if name != "ledger":
            zero = pa.array([0] * rows.num_rows, pa.int32())
            rows = rows.append_column("wave", zero)
            rows = rows.append_column("wave_label", pa.nulls(rows.num_rows, pa.string()))
        writer = writer or pq.ParquetWriter(path, rows.schema)
        writer.write_table(rows)
    assert writer is not None
    writer.close()
