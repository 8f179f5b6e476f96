"""The asset `results`, and the picture that each partition of gradings gets."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from itemeval_assets import api
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.stages.views.results import results
from tests.defs.runs import GRADINGS, SOLUTIONS, Runs, message, planted, runs_of, toy_study
from tests.studies import write_study

pytestmark = [pytest.mark.pictures, pytest.mark.shown]
PICTURES = ("score distribution", "score by item", "unparsed", "cost and latency")
PNG = "data:image/png;base64,iVBOR"


def made(runs: Runs) -> dict[str, Any]:
    """The metadata of the asset, made anew."""
    result = runs.run(["results"])
    assert result.success, message(result)
    return runs.metadata("results")[Partition(("",))]


def table(found: dict[str, Any]) -> dict[tuple[Any, ...], list[Any]]:
    """{(model, prompt, graded by): scored, left out}."""
    names, numbers = ("model", "prompt", "graded by"), ("scored", "left out")
    return {
        tuple(record.data[n] for n in names): [record.data[n] for n in numbers]
        for record in found["conditions"].records
    }


def pair_labels(study: Study) -> list[tuple[str, ...]]:
    design = study.design
    return [(*g.label.split(" · "), j.label) for g in design.generate for j in design.grade]


def test_a_finished_study_is_shown_in_a_table_and_four_pictures(copied: Runs) -> None:
    found = made(copied)
    for name in PICTURES:
        assert found[name].startswith(f"![{name}]({PNG}")
    assert (found["cells"], found["left out of the means"]) == (24, "none")
    shown = table(found)
    assert list(shown) == pair_labels(copied.study)
    assert list(shown.values()) == [[3, "none"]] * 8


def test_what_has_no_score_is_told_by_state(copied: Runs) -> None:
    partition = copied.study.grade_partitions()[1]
    first, second, third = copied.store.read("gradings", [partition]).to_pylist()
    unscored = {"score": None, "score_raw": None, "parse_ok": False}
    planted(
        copied,
        "gradings",
        partition,
        [
            {**first, "score": 7.0},
            {**second, **unscored, "parse_error": "no_json_object"},
            {**third, **unscored, "parse_error": None, "error": "the judge was out"},
        ],
    )
    found = made(copied)
    words = "1 unparsed, 1 errored"
    assert table(found)[pair_labels(copied.study)[1]] == [1, words]
    assert found["left out of the means"] == words


def test_a_study_without_gradings_has_a_table_and_no_pictures(fresh: Runs) -> None:
    found = made(fresh)
    assert found["cells"] == 0 and not set(PICTURES) & set(found)
    assert table(found) == {pair: [0, "none"] for pair in pair_labels(fresh.study)}


def test_conditions_that_left_the_design_are_left_out(copied: Runs) -> None:
    fewer = toy_study(copied.study.config_dir, models=["mockllm/a"])
    found = results(fewer, copied.store).per_pair
    assert [(*condition.split(" · "), judge) for condition, judge in found] == pair_labels(fewer)
    assert sum(graded.cells for graded in found.values()) == 12


def test_conditions_with_one_label_stay_two(tmp_path: Path) -> None:
    study = toy_study(tmp_path, models=["mockllm/a", "mockllm/other/a"])
    with runs_of(study) as runs:
        pairs = list(results(study, runs.store).per_pair)
    assert list(dict.fromkeys(condition for condition, _ in pairs)) == [
        f"{model} · {prompt}"
        for model in ("mockllm/a", "mockllm/other/a")
        for prompt in ("short", "long")
    ]


def test_a_partition_of_gradings_shows_its_scores(copied: Runs, finished: Runs) -> None:
    for partition, found in finished.metadata("gradings").items():
        scores = finished.store.read("gradings_long", [partition])["score"].to_pylist()
        assert found["mean score"] == round(sum(scores) / 3, 2)
        low, high = map(float, found["interval of the mean"].split(" (")[0].split(" to "))
        assert low <= found["mean score"] <= high and low < high
        assert found["interval of the mean"].endswith(" (95 %, 3 items)")
        assert found["left out of the mean"] == "none"
        bars = found["score distribution"].splitlines()
        assert (bars[0], len(bars[1:-1]), bars[-1]) == ("```", 11, "```")
        assert sum(int(line.split()[-1]) for line in bars[1:-1]) == 3
    assert all("score distribution" not in m for m in finished.metadata("solutions").values())
    pair = copied.study.grade_partitions()[1]
    assert copied.run(GRADINGS, only=pair).success
    assert "score distribution" in copied.metadata("gradings")[pair], "also where no row changed"


def test_no_paid_row_is_lost_for_a_picture(fresh: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> str:
        raise RuntimeError("no font")

    monkeypatch.setattr("itemeval_assets.report.plots.figures.markdown_image", broken)
    pair = fresh.study.grade_partitions()[1]
    for assets, partition in ((["items"], None), (SOLUTIONS, pair.solutions), (GRADINGS, pair)):
        result = fresh.run(assets, only=partition)
        assert result.success, message(result)
    assert fresh.store.read("gradings", [pair]).num_rows == 3
    said = "could not be drawn: RuntimeError: no font"
    assert {made(fresh)[name] for name in PICTURES} == {said}


def test_a_command_shows_the_results_of_what_it_called(tmp_path: Path) -> None:
    config = write_study(tmp_path, items=2)
    for _ in range(2):
        assert api.run(config).export.rows == 4
    with dg.DagsterInstance.get() as instance:
        key = dg.AssetKey(["toy", "results"])
        assert len(instance.fetch_materializations(key, limit=9).records) == 1
