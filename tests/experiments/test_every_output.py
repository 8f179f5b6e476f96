"""Every kind of output, index, executor and store crossed: what is read back is what was given."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from itemeval_assets.experiments import BaseExperiment, ExperimentRunSettings
from tests.experiments.every_output import (
    BIG,
    COUNT,
    INDEXES,
    KINDS,
    NS,
    every_output,
    specs,
    stored_as,
)


@pytest.mark.parametrize(
    ("executor", "shard_size"), [("in_process", 6), ("in_process", 1), ("multiprocess", 2)]
)
def test_what_is_read_back_is_what_was_given(storage, instance, executor, shard_size):
    settings = ExperimentRunSettings(executor=executor, shard_size=shard_size, max_concurrent=2)
    experiment = BaseExperiment(every_output, storage_settings=storage)
    run, ref = experiment.allocate(specs(), run_settings=settings, instance=instance)
    scalars = ref.result()
    assert run.status().status == "complete"

    for kind in KINDS:
        assert plain(scalars[kind]) == [stored_as(kind, n) for n in range(COUNT)], kind
    assert scalars["n"].tolist() == scalars["mean"].tolist() == [float(n) for n in range(COUNT)]
    assert scalars["sort_index"].tolist() == ["x"] * COUNT
    levels = {str(name): scalars.index.get_level_values(str(name)) for name in scalars.index.names}
    assert levels["n"].tolist() == levels["sort_index"].tolist() == list(range(COUNT))
    assert levels["mean"].tolist() == [n / 2 for n in range(COUNT)]
    assert levels["instant"].tolist() == [NS.isoformat()] * COUNT
    assert plain(levels["some"]) == [n if n % 2 else None for n in range(COUNT)]
    assert plain(levels["id"]) == [str(BIG) if n % 2 else None for n in range(COUNT)]
    for name, index_of in INDEXES.items():
        check_frame(run.load_results(name), name, index_of)


def check_frame(frame: pd.DataFrame, name: str, index_of: Any) -> None:
    for kind in KINDS:
        wanted = [stored_as(kind, n) for n in range(COUNT) for _ in range(2)]
        assert plain(frame[f"c_{kind}"]) == wanted, (name, kind)
    assert frame["c_when"].tolist() == [NS, NS.floor("s")] * COUNT
    assert frame["c_price"].dropna().map(str).tolist() == [f"1.{n}" for n in range(COUNT)]
    own = [level for level, _ in index_of(0)[1]]
    assert list(frame.index.names)[-len(own) - 1 :] == ["sort_subindex", *own]
    for place, level in enumerate(own):
        wanted = [value for n in range(COUNT) for value in index_of(n)[1][place][1]]
        assert plain(frame.index.get_level_values(level)) == wanted, (name, level)


def plain(column: Any) -> list[Any]:
    """Values as Python has them: lists for arrays, None for what is missing."""
    return [_plain(value) for value in column.tolist()]


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return None if pd.isna(value) else value
