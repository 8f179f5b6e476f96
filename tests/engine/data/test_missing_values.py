"""What a dataset leaves empty is empty in what a judge reads, whatever the file's format."""

from pathlib import Path

import pytest

from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.design.conditions.expansion import expand_design
from itemeval_assets.core.grading.judges.judge_reply import FORMAT_NOTICE
from itemeval_assets.core.prompts.templates import make_template
from tests.studies import study_yaml

from .test_datasets import ROWS, WRITERS, benchmark, load

RUBRIC = "<{target}><{grading_scheme}><{topic}><{n}>{input}{solution}"


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("empty", [None, float("nan")])
def test_no_null_none_or_nan_is_shown(tmp_path: Path, name: str, empty: float | None) -> None:
    if empty is not None and name.endswith("csv"):
        pytest.skip("a CSV holds texts: `nan` in it is one")
    gone = {"answer": empty, "scheme": empty, "topic": empty, "n": empty, "question": "?"}
    WRITERS[name](tmp_path / name, [{**ROWS[0], **gone}])
    [item] = load(benchmark({"id": name}, metadata=["topic", "n"]), tmp_path)
    config = StudyConfig.model_validate(study_yaml())
    design = expand_design(
        config,
        {"short": make_template("short", "short.md", "{input}")},
        {"strict": make_template("strict", "strict.md", RUBRIC)},
    )
    judge = design.grade[-1].grader.call
    assert judge is not None
    assert judge.prompt_for(item, None).text == "<><><><>?" + FORMAT_NOTICE
