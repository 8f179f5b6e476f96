"""Ways to look at what a study left on disk, apart from the code under test where it counts."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from inspect_ai.log import EvalLog, EvalSample, read_eval_log
from inspect_ai.model import ModelUsage
from pandas.testing import assert_frame_equal

from itemeval_assets.engine.study_files import load_study
from itemeval_assets.storage.study.store import open_store
from tests.model_server import Request

__all__ = [
    "PRICE",
    "Row",
    "assert_reconciled",
    "cells",
    "judge_calls",
    "logged_samples",
    "mirrored_long_table",
    "read_log",
    "results_dir",
    "rows",
    "write_prices",
]

Row = dict[str, Any]
TOKENS = ("input_tokens", "output_tokens", "total_tokens", "cache_read_tokens", "reasoning_tokens")
PRICE = {"input_usd_per_mtok": 10.0, "output_usd_per_mtok": 30.0, "cache_read_usd_per_mtok": 1.0}


def results_dir(config: Path) -> Path:
    return Path(load_study(config).location)


def rows(config: Path, table: str) -> list[Row]:
    """The rows of a stored table, null as None."""
    return open_store(load_study(config)).read(table).to_pylist()


def mirrored_long_table(results: Path) -> pd.DataFrame:
    """The long table of an export, which its CSV holds as well, value by value."""
    export = results / "export"
    long = pd.read_parquet(export / "gradings_long.parquet", dtype_backend="pyarrow")
    mirror = pd.read_csv(
        export / "gradings_long.csv",
        dtype=long.dtypes.to_dict(),
        keep_default_na=False,
        na_values=[""],
    )
    assert_frame_equal(mirror, long)
    return long


def cells(found: Iterable[Mapping[str, Any]]) -> set[tuple[str, int]]:
    return {(row["item_id"], row["epoch"]) for row in found}


def judge_calls(requests: Iterable[Request]) -> int:
    return sum(request.model.startswith("judge") for request in requests)


def write_prices(folder: Path, *models: str) -> str:
    """A price file that gives these models of the server one price; its name for the YAML."""
    folder.mkdir(parents=True, exist_ok=True)
    prices = {"models": {f"openai-api/test/{model}": PRICE for model in models}}
    (folder / "prices.json").write_text(json.dumps(prices))
    return "prices.json"


@cache
def read_log(path: Path) -> EvalLog:
    return read_eval_log(str(path))


def logged_samples(config: Path, stage: str) -> list[tuple[str, EvalSample]]:
    """(run id, sample) of every sample in the archived logs of `generate` or `grade`."""
    return [
        ((log.eval.metadata or {})["run_id"], sample)
        for path in _logs_of(config, stage)
        for log in [read_log(path)]
        for sample in log.samples or []
    ]


def _logs_of(config: Path, stage: str) -> list[Path]:
    study = load_study(config)
    if not study.is_remote:
        return sorted((results_dir(config) / "logs" / stage).rglob("*.eval"))
    backend = open_store(study).backend
    return [backend.local_copy(key) for key in backend.list(f"logs/{stage}")]


def assert_reconciled(config: Path) -> None:
    """Ledger = stored rows plus replaced rows = usage in the logs, per run and stage."""
    ledger, replaced = rows(config, "ledger"), rows(config, "replaced")
    tables = {"generate": "solutions", "rubric": "item_rubrics", "grade": "gradings"}
    stored = {stage: rows(config, table) for stage, table in tables.items()}
    booked = _sums((row["stage"], row) for row in ledger)
    kept = _sums(
        (stage, row)
        for stage, own in stored.items()
        for row in [*own, *(lost for lost in replaced if lost["stage"] == stage)]
    )
    assert booked.keys() == kept.keys()
    for key, amount in booked.items():
        assert amount == pytest.approx(kept[key], abs=1e-6), key
    assert _total_tokens(booked) == _logged_tokens(config)


def _sums(found: Iterable[tuple[str, Row]]) -> Counter[tuple[str, str, str]]:
    """Sums by (run id, stage, quantity), without those that are zero."""
    sums: Counter[tuple[str, str, str]] = Counter()
    for stage, row in found:
        for name in (*TOKENS, "usd"):
            if row[name]:
                sums[row["run_id"], stage, name] += row[name]
    return sums


def _total_tokens(sums: Counter[tuple[str, str, str]]) -> dict[tuple[str, str], float]:
    return {
        (run_id, stage): amount
        for (run_id, stage, name), amount in sums.items()
        if name == "total_tokens"
    }


def _logged_tokens(config: Path) -> dict[tuple[str, str], int]:
    """Of each log the samples, or its header, which has replies that came into no sample."""
    totals: Counter[tuple[str, str]] = Counter()
    for stage in ("generate", "rubric", "grade"):
        for path in _logs_of(config, stage):
            log = read_log(path)
            used = [usage for sample in log.samples or [] for usage in sample.model_usage.values()]
            tokens = max(map(_tokens, (used, log.stats.model_usage.values())))
            totals[(log.eval.metadata or {})["run_id"], stage] += tokens
    return {key: total for key, total in totals.items() if total}


def _tokens(usages: Iterable[ModelUsage]) -> int:
    # A provider may count any nonsense; that is not booked.
    return sum(usage.total_tokens for usage in usages if usage.total_tokens < 10**9)
