"""Two releases of a study, or one and what is there now: paired on the items of both."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import itemeval_assets as ie
from itemeval_assets import measurement
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.errors import ConfigError, ItemevalAssetsError
from itemeval_assets.measurement import MeasurementError
from itemeval_assets.report.comparison_words import words_of_comparisons
from tests.studies import merged, write_study

ALPHA, BETA, GAMMA = "mockllm/alpha", "mockllm/beta", "mockllm/gamma"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """v1.0.0; then another prompt `long`, and another model; gamma is there only now."""
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("SCYTHE_STORAGE_BUCKET", raising=False)
        folder = tmp_path_factory.mktemp("releases")
        path = write_study(
            folder, models=[ALPHA, BETA], prompts=["short", "long"], items=8, extra={"cache": False}
        )
        ie.run(path)
        ie.release(path)
        prompt = folder / "prompts/solver/long.md"
        prompt.write_text(prompt.read_text() + "Be careful.\n")
        edit(path, {"solvers": {"models": [ALPHA, GAMMA]}})
        ie.run(path)
        ie.release(path)
        yield path


def edit(path: Path, changes: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(merged(yaml.safe_load(path.read_text()), changes)))


def test_conditions_are_matched_by_their_names(config: Path) -> None:
    found = ie.compare_releases(config, "v1.0.0", "v2.0.0")
    assert (found.facet, [one.graded_by for one in found.by_grader]) == (
        "release",
        ["numeric", "judge · strict"],
    )
    for family in found.by_grader:
        [difference] = family.differences
        assert (difference.a, difference.b) == ("alpha · long v1.0.0", "alpha · long v2.0.0")
        assert difference.n_items == 8
        assert family.left_out == [
            (
                "alpha · short v1.0.0",
                "alpha · short v2.0.0",
                "alpha · short: the grading events of v1.0.0 and v2.0.0 are the same, and there is"
                " nothing to compare.",
            )
        ]
        said = " ".join(family.words)
        assert "Only v1.0.0 has beta · short, beta · long." in said
        assert "Only v2.0.0 has gamma · short, gamma · long." in said
        assert "Another prompt text: alpha · long." in said
        assert "settings" not in said
        assert "8 of 32 grading events of v2.0.0 are in v1.0.0 already" in said


def test_a_difference_is_that_of_the_published_rows(config: Path) -> None:
    [family] = ie.compare_releases(config, "1.0.0", "v2", graders="numeric").by_grader
    [difference] = family.differences
    rows = ie.table(config, "gradings_long")
    ours = rows[(rows["model"] == ALPHA) & (rows["prompt_name"] == "long")]
    ours = ours[ours["scorer_name"] == "numeric"]
    assert ours["prompt_hash"].nunique() == 2  # the rows of v1 are still there
    before = ours["prompt_hash"] == ours.sort_values("created_at")["prompt_hash"].iloc[0]
    frame = ours.assign(side=before.map({True: "a", False: "b"})).drop(columns="grade_condition_id")
    expected = measurement.compare(
        frame[["side", "item_id", "score"]].astype({"side": object, "score": float}),
        "a",
        "b",
        object="side",
        scale=(0, 1),
    )
    assert (difference.value, difference.low, difference.p) == pytest.approx(
        (expected.value, expected.low, expected.p)
    )


def test_the_study_as_it_stands_is_compared_by_default(config: Path) -> None:
    [family] = ie.compare_releases(config, "v2.0.0", graders="numeric").by_grader
    assert not family.differences
    assert len(family.left_out) == 4
    [said] = words_of_comparisons([family], "release")
    assert said.count("the grading events of v2.0.0 and now are the same") == 1
    assert "and 1 more: " in said
    [before] = ie.compare_releases(config, "v1.0.0", graders="numeric").by_grader
    [released] = ie.compare_releases(config, "v1.0.0", "v2.0.0", graders="numeric").by_grader
    assert before.differences[0].value == released.differences[0].value


def test_clusters_are_those_that_items_have_now(config: Path) -> None:
    before = config.read_text()
    try:
        edit(config, {"measurement": {"cluster": "dataset_id"}})
        [family] = ie.compare_releases(config, "v1", "v2", graders="numeric").by_grader
        assert any("one cluster" in why for _, _, why in family.left_out)
    finally:
        config.write_text(before)


@pytest.mark.parametrize(
    ("before", "after", "error", "message"),
    [
        ("v1.0.0", "1.0", ConfigError, "are the same release: name two"),
        ("v9", None, ItemevalAssetsError, "versions there: v2.0.0, v1.0.0"),
        ("newest", None, ItemevalAssetsError, "'newest' is no version"),
        ("v1/2020-01-01_00-00-00", None, ItemevalAssetsError, "2020-01-01_00-00-00"),
    ],
)
def test_releases_that_there_are_not(
    config: Path, before: str, after: str | None, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ie.compare_releases(config, before, after)


@pytest.mark.long
def test_repeats_of_a_judge_are_never_pooled(tmp_path: Path) -> None:
    graders = {"j": {"model": "mockllm/j", "scale": [0, 1], "repeats": 2}}
    path = write_study(
        tmp_path,
        models=[ALPHA],
        graders=["j"],
        scorer=None,
        items=6,
        extra={"cache": False, "graders": graders},
    )
    ie.run(path)
    ie.release(path)
    rubric = tmp_path / "rubrics/strict.md"
    rubric.write_text(rubric.read_text() + "Be strict.\n")
    ie.run(path)
    with pytest.raises(MeasurementError, match="which repeat or criterion of a judge is which"):
        ie.compare_releases(path, "v1")
    ie.release(path)
    edit(path, {"graders": {"j": {"scale": [0, 2]}}})
    families = ie.compare_releases(path, "v2").by_grader
    assert [family.graded_by for family in families] == ["j · strict", "j · strict · repeat 2"]
    assert all(family.left_out for family in families)


def test_nothing_in_common(config: Path) -> None:
    before = config.read_text()
    try:
        edit(config, {"facets": {"scorer": "exact_match"}})
        with pytest.raises(MeasurementError, match="no condition and grader in common"):
            ie.compare_releases(config, "v1", "v2", graders="exact_match")
    finally:
        config.write_text(before)


def test_the_command(config: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = tmp_path / "releases.csv"
    line = ["compare", str(config), "--release", "v1", "--with", "v2", "--grader", "numeric"]
    assert run_cli([*line, "--out", str(page)]) == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[0].startswith("By numeric: ") and "alpha · long v2.0.0" in shown
    assert "alpha · long v1.0.0" in page.read_text()
    assert run_cli([*line, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["facet"] == "release"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--with", "v1"], "--with needs --release"),
        (["alpha", "beta", "--release", "v1"], "--release compares all conditions"),
        (["--release", "v1", "--of", "model"], "--release compares all conditions"),
        (["--release", "v1", "--by", "topic"], "--release compares all conditions"),
    ],
)
def test_options_that_do_not_go_together(
    config: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_cli(["compare", str(config), *arguments]) == 2
    assert message in capsys.readouterr().err
