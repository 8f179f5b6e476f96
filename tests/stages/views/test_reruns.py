"""What the schedule asks for: all of a study that never ran, and what the gate would allow."""

import json
from pathlib import Path
from typing import Any

import pytest

from itemeval_assets import api, stages
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.records.reruns import Decision
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.storage.study.inputs import load_prices
from itemeval_assets.storage.study.store import open_store
from tests.studies import write_study

CENT_PER_TOKEN = {"input_usd_per_mtok": 10_000.0, "output_usd_per_mtok": 10_000.0}
CHEAP = {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 1.0}
MODELS = ["dear", "unpriced", "cheap", "keyless", "cheap-2"]


def decide(config: Path, failed: set[Partition] = frozenset()) -> Decision:  # type: ignore[assignment]
    study = load_study(config)
    return stages.reruns.decide(study, open_store(study), load_prices(study), failed=failed)


def declare(folder: Path, budget: dict[str, Any] | None = None) -> Path:
    """Five models that nobody calls; two have a sensible price, and one has no key."""
    providers = {model: "nokey" if model == "keyless" else "test" for model in MODELS}
    ids = [f"openai-api/{provider}/{model}" for model, provider in providers.items()]
    prices = {ids[0]: CENT_PER_TOKEN, ids[2]: CHEAP, ids[3]: CHEAP, ids[4]: CHEAP}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prices.json").write_text(json.dumps({"models": prices}))
    return write_study(
        folder,
        models=ids,
        graders=[],
        solvers={"max_tokens": 100},
        extra={"cache": False, "budget": {"pricing_path": "prices.json", **(budget or {})}},
    )


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs on this machine has no bill; these models are somebody else's."""
    for name in ("TEST", "NOKEY"):
        monkeypatch.setenv(f"{name}_BASE_URL", "https://models.invalid/v1")
    monkeypatch.setenv("TEST_API_KEY", "sk-of-the-test")


def test_a_study_that_never_ran_lacks_every_cell(tmp_path: Path) -> None:
    config = write_study(tmp_path, models=["mockllm/a", "mockllm/b"], replications=2)
    found = api.status(config)
    grid = sum(part.grid.calls for part in api.estimate(config).generate)
    assert found.items == 4
    assert sum(part.missing for part in found.generate) == grid == 16
    assert sum(part.cells for part in found.grade) == 32
    decision = decide(config)
    assert decision.chosen == load_study(config).generate_partitions()
    assert not decision.left_out  # gradings lack nothing that grading could fill
    assert not open_store(load_study(config)).has("items")


def test_what_the_gate_would_refuse_bars_nothing_else(tmp_path: Path) -> None:
    config = declare(tmp_path)
    dear, unpriced, cheap, keyless, cheap_2 = load_study(config).generate_partitions()
    decision = decide(config)
    assert decision.chosen == [cheap, cheap_2]
    assert list(decision.refused) == [dear, unpriced, keyless]
    assert "4 missing; needs your consent: up to $" in decision.left_out[dear]
    assert "no price is known for openai-api/test/unpriced" in decision.left_out[unpriced]
    assert "NOKEY_API_KEY" in decision.left_out[keyless]


def test_together_they_may_not_pass_what_the_gate_allows(tmp_path: Path) -> None:
    one = max(
        part.remaining.usd
        for part in api.estimate(declare(tmp_path)).generate
        if "cheap" in part.model
    )
    *_, cheap, _, cheap_2 = load_study(declare(tmp_path)).generate_partitions()
    for budget in ({"confirm_above_usd": one * 1.5}, {"max_usd": one * 1.5}):
        decision = decide(declare(tmp_path, budget))
        assert decision.chosen == [cheap]
        assert "together with the partitions chosen before it: " in decision.left_out[cheap_2]
    assert decide(declare(tmp_path, {"confirm_above_usd": one * 2.5})).chosen == [cheap, cheap_2]


def test_the_order_is_that_of_the_design(tmp_path: Path) -> None:
    config = write_study(tmp_path, models=[f"mockllm/{n}" for n in range(11)], graders=[])
    api.run(config)
    study = load_study(config)
    every = [*study.generate_partitions(), *study.grade_partitions()]
    # Gradings wait for solutions that are asked for now.
    assert decide(config, failed=set(every)).chosen == study.generate_partitions()
    assert decide(config, failed=set(study.grade_partitions())).chosen == study.grade_partitions()
