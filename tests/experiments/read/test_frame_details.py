"""What `experiments show` tells of a frame: and its line of pandas, which runs as printed."""

import ast
from typing import Any

import numpy as np
import pandas as pd
import pytest

from itemeval_assets.core.errors import StoreError
from itemeval_assets.experiments import (
    BaseExperiment,
    run_details,
)
from itemeval_assets.experiments.read.frame_details import frame_details
from itemeval_assets.report.screens.experiments import _bytes, _frame, run_shown
from itemeval_assets.storage.objects.backends import open_backend
from itemeval_assets.storage.objects.s3 import S3Backend
from tests.experiments.toys import simulate_energy, simulations


def as_printed(line: str) -> pd.DataFrame:
    """What Python shows after a line."""
    *before, last = ast.parse(line).body
    names: dict[str, Any] = {}
    exec(compile(ast.Module(before, []), "line", "exec"), names)
    assert isinstance(last, ast.Expr)
    found = eval(compile(ast.Expression(last.value), "line", "eval"), names)
    assert isinstance(found, pd.DataFrame)
    return found


def test_the_line_of_pandas_reads_each_frame(storage, instance, capsys) -> None:
    run, ref = BaseExperiment(simulate_energy).allocate(simulations(2), instance=instance)
    ref.result()
    details = run_details(run)
    run_shown(details)
    printed = [line.strip() for line in capsys.readouterr().out.splitlines()]
    for name, frame in details.frames.items():
        assert frame.load in printed
        pd.testing.assert_frame_equal(as_printed(frame.load), run.load_results(name))


@pytest.mark.parametrize("place", ["folder", "bucket", "settings", "profile"])
def test_it_does_whatever_the_place_is_called(place, s3, tmp_path, request, monkeypatch) -> None:
    location = str(tmp_path) if place == "folder" else request.getfixturevalue("s3_location")
    backend = open_backend(location)
    odd = "plain/x.pq" if place in ("settings", "profile") else "a 'b\"#1?%20ü/x=1/y.pq"
    if place == "settings":
        monkeypatch.delenv("AWS_ENDPOINT_URL")
        monkeypatch.setenv("ITEMEVAL_ASSETS_S3_ENDPOINT_URL", s3.endpoint)
        monkeypatch.setenv("ITEMEVAL_ASSETS_S3_REGION_NAME", "us-east-1")
    if place == "profile":
        (tmp_path / "config").write_text(
            "[profile lab]\naws_access_key_id = x\naws_secret_access_key = y\nregion = eu-north-1\n"
        )
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        monkeypatch.setenv("AWS_PROFILE", "")  # the line sets it; it is as before at the end
        monkeypatch.setenv("ITEMEVAL_ASSETS_S3_PROFILE_NAME", "lab")
    frame = pd.DataFrame({"a": [1, 2]})
    backend.update(odd, lambda _: frame.to_parquet())
    found = frame_details(backend, odd, {}, {"a": "in metres"})
    assert (found.rows, found.index, found.columns) == (2, {}, {"a": "int64: in metres"})
    pd.testing.assert_frame_equal(as_printed(found.load), frame)


def test_a_level_that_has_the_name_of_a_column(tmp_path) -> None:
    frame = pd.DataFrame(
        {"a": [1.5]}, index=pd.MultiIndex.from_arrays([["x"], [2]], names=["a", "b"])
    )
    backend = open_backend(str(tmp_path))
    backend.update("x.pq", lambda _: frame.to_parquet())
    found = frame_details(backend, "x.pq", {"b": "of the lab"}, {})
    assert found.index == {"a": "large_string", "b": "int64: of the lab"}
    assert found.columns == {"a": "double"}


def test_of_a_large_frame_in_a_bucket_the_end_is_fetched(s3_location, s3) -> None:
    backend = open_backend(s3_location)
    data = pd.DataFrame({"a": np.random.default_rng(1).random(1_000_000)}).to_parquet()
    backend.update("x.pq", lambda _: data)
    fetched: list[int] = []
    get = S3Backend._get

    def counted(self, key, asked):
        found = get(self, key, asked)
        fetched.append(len(found.data) if found else 0)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(S3Backend, "_get", counted)
        assert frame_details(backend, "x.pq", {}, {}).rows == 1_000_000
    assert sum(fetched) < 200_000 < 7_000_000 < len(data)


def test_a_file_that_is_no_frame_is_named(tmp_path) -> None:
    backend = open_backend(str(tmp_path))
    backend.update("final/x.pq", lambda _: b"broken")
    with pytest.raises(StoreError, match=r"final/x\.pq is no readable Parquet file"):
        frame_details(backend, "final/x.pq", {}, {})


def test_of_thousands_of_columns_the_first_are_printed(tmp_path, capsys) -> None:
    backend = open_backend(str(tmp_path))
    columns = {f"hour_{hour}": [1.0] for hour in range(8760)}
    backend.update("wide.pq", lambda _: pd.DataFrame(columns).to_parquet())
    found = frame_details(backend, "wide.pq", {}, {})
    assert len(found.columns) == 8760
    _frame("wide", found, {})
    text = capsys.readouterr().out
    assert "wide: 1 row, 8,760 columns, " in text and "  hour_38  double\n" in text
    assert "hour_100" not in text and "and 8,720 more: see --json" in text


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (12_345, "12.3 kB"), (5_000_000, "5 MB")],
)
def test_sizes_are_read_easily(size, shown) -> None:
    assert _bytes(size) == shown
