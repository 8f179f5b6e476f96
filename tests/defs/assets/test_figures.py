"""The assets about certainty: tables, words and pictures, and an error that the user can act on."""

from typing import Any

import dagster as dg
import pytest

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.dagster_io.failures import users_errors
from itemeval_assets.dagster_io.naming.names import FIGURES
from itemeval_assets.measurement import MeasurementError
from itemeval_assets.stages.figures import reliability
from tests.defs.runs import Runs, message

PNG = "data:image/png;base64,iVBOR"


def made(runs: Runs) -> dict[str, dict[str, Any]]:
    result = runs.run(list(FIGURES))
    assert result.success, message(result)
    return {name: runs.metadata(name)[Partition(("",))] for name in FIGURES}


@pytest.mark.pictures
def test_each_shows_its_table_and_says_how_to_read_it(copied: Runs) -> None:
    found = made(copied)
    assert {name: "in words" in metadata for name, metadata in found.items()} == dict.fromkeys(
        FIGURES, True
    )
    design = copied.study.design
    by_grader = [found["scores"][f"scores by {one.label}"].records for one in design.grade]
    assert list(map(len, by_grader)) == [len(design.generate)] * len(design.grade)
    for records in by_grader:
        known = set(records[0].data)
        assert {"model", "prompt", "mean score", "interval"} == known
    common = [found["scores"][f"scores by {one.label}, all rows"] for one in design.grade]
    assert common == [
        "items 3; scale 0 to 1; left out none",
        "items 3; scale not declared; left out none",
    ]
    pairs = found["comparisons"][f"comparisons by {design.grade[0].label}"].records
    assert "graded by" not in pairs[0].data and "p (Holm)" in pairs[0].data
    assert found["scores"]["scores with intervals"].startswith(f"![scores with intervals]({PNG}")
    assert "so few prove nothing" in found["scores"]["in words"]
    tables = [
        found["item_statistics"][f"items by {one.label}, the odd ones first"]
        for one in design.grade
    ]
    assert all("logs" not in table.records[0].data for table in tables)
    assert found["item_statistics"]["items"].startswith(f"![items]({PNG}")


def test_no_figure_is_worth_a_failed_run(copied: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise FloatingPointError("a bug")

    monkeypatch.setattr(reliability, "variance_components", broken)
    found = made(copied)
    assert found["reliability"]["in words"] == "could not be estimated: FloatingPointError: a bug"
    assert any(name.startswith("scores by") for name in found["scores"])


def test_an_error_of_the_measurement_is_the_users() -> None:
    with pytest.raises(dg.Failure) as caught, users_errors():
        raise MeasurementError("One item tells nothing.")
    assert caught.value.description == "One item tells nothing."
    assert caught.value.metadata["exit_code"].value == 2
    assert caught.value.metadata["error"].value == "MeasurementError"
