"""Studies of any size, on a disk at once: finished ones, as if mock models had been called.

Rows are made of the study's own conditions and items, with texts of a usual length, so that the
code under measurement finds nothing pending.
"""

import json
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import yaml

from itemeval_assets.core.design.cells.pending import solution_fingerprint
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.money.ledger import bookings_of
from itemeval_assets.core.tables.schemas import TABLES, arrow_schema
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.stages import gradings_long, items
from itemeval_assets.storage.study.store import ResultsStore, open_store

__all__ = ["declare", "fill"]

STAMP = "2026-01-01T00:00:00Z"
ANSWER = "The sum is found by adding both numbers, digit by digit, from the right. " * 4
REPLY = "The solution adds both numbers as it should and states the result. " * 3


def declare(
    folder: Path,
    *,
    prompts: int,
    judges: int,
    item_count: int,
    replications: int,
    scorer: str | None = None,
) -> Path:
    """Write a study of `prompts` generate conditions, graded by `judges` and maybe a scorer."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = (
        json.dumps({"id": f"q{n}", "question": f"What is {n} + {n}?", "answer": 2 * n})
        for n in range(item_count)
    )
    (folder / "items.jsonl").write_text("\n".join(lines) + "\n")
    solver = folder / "prompts" / "solver"
    solver.mkdir(parents=True, exist_ok=True)
    for number in range(prompts):
        (solver / f"p{number}.md").write_text(f"Prompt {number}.\n\n{{input}}\n")
    (folder / "rubrics").mkdir(exist_ok=True)
    (folder / "rubrics" / "strict.md").write_text("Grade it: {input}\n{solution}\n")
    document = {
        "study": "big",
        "benchmark": {
            "adapter": "local",
            "datasets": [{"id": "items.jsonl"}],
            "mapping": {"id": "id", "input": "question", "target": "answer"},
        },
        "solvers": {"models": ["mockllm/model"], "max_tokens": 100},
        "graders": {f"judge_{n}": {"model": f"mockllm/judge{n}"} for n in range(judges)},
        "facets": {
            "prompt": [f"p{number}" for number in range(prompts)],
            "grader": [f"judge_{number}" for number in range(judges)],
            "rubric": ["strict"],
            "scorer": scorer,
            "replications": replications,
        },
        "cache": False,
        "budget": {"policy": "full-interactive"},
    }
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def fill(config: Path, *, is_graded: bool = True) -> Study:
    """Store every row of the study: items, solutions, ledger; if graded, gradings(_long), too."""
    study = load_study(config)
    store = open_store(study)
    store.take_ownership(study)
    store.replace("items", Partition(()), items.load(study, store).table)
    for partition in study.generate_partitions():
        solutions = _solutions(study, store, partition)
        store.replace("solutions", partition, solutions)
        _book(store, partition, solutions.num_rows)
        for judge in study.design.grade if is_graded else ():
            pair = Partition((*partition, judge.id))
            gradings = _gradings(study, solutions, pair)
            store.replace("gradings", pair, gradings)
            store.replace("gradings_long", pair, gradings_long.join(gradings, solutions))
            _book(store, pair, gradings.num_rows)
    return study


def _solutions(study: Study, store: ResultsStore, partition: Partition) -> pa.Table:
    condition = study.design.generate_by_id[partition[0]]
    rows = store.read("items", columns=["item_id", "dataset_id", "dataset_revision"])
    replications = study.config.facets.replications
    count = rows.num_rows * replications
    place = np.repeat(np.arange(rows.num_rows), replications)
    epochs = np.tile(np.arange(1, replications + 1), rows.num_rows)
    keys = rows.take(pa.array(place))
    constants = {
        "study": study.name,
        "run_id": "run-generate",
        "condition_id": condition.id,
        "condition_slug": condition.slug,
        "model": condition.model,
        "prompt_name": condition.prompt.name,
        "prompt_hash": condition.prompt.hash,
        "model_config_name": condition.model_config_name,
        "log_file": _log(partition),
    }
    names = keys["item_id"].to_pylist()
    own = {
        **{name: keys[name] for name in keys.column_names},
        "epoch": pa.array(epochs, pa.int32()),
        "solution": pa.array(
            [f"{ANSWER} ANSWER: {name} {e}" for name, e in zip(names, epochs, strict=True)]
        ),
        "sample_uuid": pa.array([f"{partition[0][-12:]}-{n}" for n in range(count)]),
    }
    return _table("solutions", count, {**constants, **_paid()}, own)


def _gradings(study: Study, solutions: pa.Table, pair: Partition) -> pa.Table:
    condition = study.design.grade_by_id[pair[1]]
    count = solutions.num_rows
    constants = {
        "study": study.name,
        "run_id": "run-grade",
        "gen_condition_id": pair.generate,
        **condition.columns,
        "parse_ok": True,
        "judge_completion": REPLY + '{"score": 0.5}',
        "reasoning": REPLY,
        "log_file": _log(pair),
    }
    texts = solutions["solution"].to_pylist()
    random = np.random.default_rng(zlib.crc32(str(pair).encode()))
    scores = random.integers(0, 11, count) / 10
    own = {
        "item_id": solutions["item_id"],
        "epoch": solutions["epoch"],
        "score": pa.array(scores),
        "score_raw": pa.array([repr(float(score)) for score in scores]),
        "solution_hash": pa.array([solution_fingerprint(text) for text in texts]),
        "sample_uuid": pa.array([f"{pair[0][-12:]}-{pair[1][-12:]}-{n}" for n in range(count)]),
    }
    return _table("gradings", count, {**constants, **_paid()}, own)


def _log(partition: Partition) -> str:
    return f"logs/{partition.stage.name}/{partition.condition_id}/{partition.generate}.eval"


def _paid() -> dict[str, object]:
    return {
        "input_tokens": 100,
        "output_tokens": 80,
        "total_tokens": 180,
        "usd": 0.001,
        "latency_s": 1.25,
        "created_at": STAMP,
    }


def _table(
    name: str, count: int, constants: dict[str, object], own: dict[str, pa.Array]
) -> pa.Table:
    schema = arrow_schema(TABLES[name])
    columns = [
        own[field.name].cast(field.type)
        if field.name in own
        else pa.array([constants.get(field.name)] * count, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _book(store: ResultsStore, partition: Partition, count: int) -> None:
    """Index one log of `count` calls, and its ledger row; the log itself holds nothing."""
    store.backend.create(_log(partition), b"")
    entry = {
        "log_file": _log(partition),
        "run_id": f"run-{partition.stage.name}",
        **partition.columns,
        "task_name": partition.condition_id,
        "model": "mockllm/model",
        "status": "success",
        "total_samples": count,
        "completed_samples": count,
        "cached_samples": 0,
        "input_tokens": 100 * count,
        "output_tokens": 80 * count,
        "total_tokens": 180 * count,
        "usd": 0.001 * count,
        "priced": True,
        "batch": False,
        "created_at": STAMP,
    }
    index = pa.Table.from_pylist([entry], schema=arrow_schema(TABLES["log_index"]))
    store.replace("log_index", partition, index)
    store.replace("bookings", partition, bookings_of(index))
