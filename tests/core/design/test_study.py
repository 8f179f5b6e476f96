"""What a policy covers."""

import json
import pickle
from typing import Any

import pytest

from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.design.partitions import GENERATE, GRADE, PREFLIGHT, Partition
from itemeval_assets.core.design.study import RunPlan, run_plan
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


def test_a_partition_is_of_the_stage_that_its_ids_say() -> None:
    none, solved, graded = Partition(), Partition(("g",)), Partition(("g", "j"))
    assert [part.stage for part in (none, solved, graded)] == [PREFLIGHT, GENERATE, GRADE]
    assert none.condition_id == "(preflight)" and none.gen_condition_id is None
    assert (solved.generate, solved.condition_id, solved.gen_condition_id) == ("g", "g", None)
    assert (graded.grade, graded.condition_id, graded.gen_condition_id) == ("j", "j", "g")
    assert graded.solutions == solved == solved.solutions
    assert graded.columns == {"stage": "grade", "condition_id": "j", "gen_condition_id": "g"}
    with pytest.raises(ValueError, match="more conditions than a partition has"):
        Partition(("g", "j", "k"))


def test_a_partition_is_a_tuple_to_everybody_else() -> None:
    graded = Partition(("g", "j"))
    assert graded == ("g", "j") and hash(graded) == hash(("g", "j"))
    assert json.dumps([graded]) == '[["g", "j"]]' and str(graded) == "('g', 'j')"
    again = pickle.loads(pickle.dumps(graded))
    assert (again, type(again)) == (graded, Partition)


@pytest.mark.parametrize("policy", ["full", "Dev", "dev "])
def test_a_policy_that_there_is_not_is_refused(policy: str) -> None:
    config = StudyConfig.model_validate(study_yaml())
    with pytest.raises(ConfigError) as caught:
        run_plan(config, policy)
    message = f"there is no policy {policy!r}; there are: dev, full-interactive, full-batch"
    assert str(caught.value) == message
