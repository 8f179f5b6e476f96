"""What a policy covers."""

from typing import Any

import pytest

from itemeval_assets.core.config.sections import StudyConfig
from itemeval_assets.core.design.study import RunPlan, run_plan, stage_of
from itemeval_assets.core.errors import ConfigError
from tests.studies import study_yaml


@pytest.mark.parametrize(
    ("budget", "policy", "plan"),
    [
        ({"policy": "dev"}, None, RunPlan("dev", 2, 5, None)),
        (
            {"policy": "dev", "dev_items": 7, "dev_replications": 2, "batch": True},
            None,
            RunPlan("dev", 7, 2, None),
        ),
        ({"policy": "dev", "dev_replications": 9}, None, RunPlan("dev", 2, 5, None)),
        ({"policy": "full-interactive"}, None, RunPlan("full-interactive", None, 5, None)),
        ({"policy": "full-batch"}, None, RunPlan("full-batch", None, 5, True)),
        (
            {"policy": "full-interactive", "batch": True},
            None,
            RunPlan("full-interactive", None, 5, True),
        ),
        ({"policy": "full-interactive", "batch": 9}, None, RunPlan("full-interactive", None, 5, 9)),
        ({"policy": "full-batch", "batch": False}, None, RunPlan("full-batch", None, 5, None)),
        ({"policy": "dev"}, "full-batch", RunPlan("full-batch", None, 5, True)),
        ({"policy": "full-batch"}, "dev", RunPlan("dev", 2, 5, None)),
    ],
)
def test_policies(budget: dict[str, Any], policy: str | None, plan: RunPlan) -> None:
    document = study_yaml(replications=5, extra={"budget": budget})
    assert run_plan(StudyConfig.model_validate(document), policy) == plan


def test_the_stage_of_a_partition() -> None:
    assert (stage_of(("g",)), stage_of(("g", "j"))) == ("generate", "grade")


@pytest.mark.parametrize("policy", ["full", "Dev", "dev "])
def test_a_policy_that_there_is_not_is_refused(policy: str) -> None:
    config = StudyConfig.model_validate(study_yaml())
    with pytest.raises(ConfigError) as caught:
        run_plan(config, policy)
    message = f"there is no policy {policy!r}; there are: dev, full-interactive, full-batch"
    assert str(caught.value) == message
