"""costs: each condition by itself, whatever it is called."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from itemeval_assets.engine.study_files import load_study
from itemeval_assets.stages.views.costs import costs
from tests.rows import STAMP, table
from tests.studies import write_study


def test_two_models_of_one_name_are_not_added_up(tmp_path: Path) -> None:
    config = write_study(tmp_path, models=["mockllm/a", "mockllm/other/a"], prompts=["short"])
    study = load_study(config)
    logs: list[dict[str, Any]] = [
        {
            "stage": "generate",
            "condition_id": condition.id,
            "model": condition.model,
            "usd": float(usd),
            "created_at": STAMP,
        }
        for usd, condition in enumerate(study.design.generate, 1)
    ]
    judge = study.design.grade[-1].id
    pair = {"stage": "grade", "gen_condition_id": study.design.generate[0].id}
    logs += [{**logs[0], **pair, "condition_id": judge}, {**logs[0], "condition_id": "gone--0"}]
    store = cast(Any, SimpleNamespace(read=lambda name: table(name, logs)))
    assert costs(study, store).per_condition == {
        "mockllm/a · short": {"generate": 1.0},
        "mockllm/other/a · short": {"generate": 2.0},
        "mockllm/a · short | judge · strict": {"grade": 1.0},
        "gone--0": {"generate": 1.0},
    }
