"""Solutions of prompts: one call for each item and replication."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from itemeval_assets.core.design.cells.pending import (
    SOLUTION_STATE_COLUMNS,
    Cell,
    Pending,
    States,
    classify_solutions,
)
from itemeval_assets.core.design.partitions import GENERATE, Partition
from itemeval_assets.core.money.projection.estimate import (
    RepeatedCalls,
    SampleCalls,
    output_limit,
)
from itemeval_assets.core.money.providers import provider_of
from itemeval_assets.core.prompts.images import IMAGES
from itemeval_assets.core.prompts.prompts import Prompt
from itemeval_assets.engine.calls.evaluate import request_settings
from itemeval_assets.engine.calls.reroutes import Rerouting, routing_without
from itemeval_assets.engine.calls.tasks import (
    Target,
    generate_config,
    make_sample,
)
from itemeval_assets.engine.rows import call_rows

from .calls.stage_run import Scope, StageRun
from .prompt_calls import PromptCaller

if TYPE_CHECKING:
    from inspect_ai.dataset import Sample
    from inspect_ai.log import EvalLog
    from inspect_ai.model import Model


class SolutionCaller(PromptCaller):
    """Calls the models of generate conditions: a prompt per item, an epoch per replication."""

    stage = GENERATE
    state_columns = SOLUTION_STATE_COLUMNS

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._study = scope.study
        self._conditions = scope.study.design.generate_by_id
        self._items, self._grid = scope.items_by_id, scope.grid

    def states(self, partition: Partition, stored: pa.Table) -> States:
        return classify_solutions(self._grid, stored)

    def unsettled(self, partition: Partition, pending: Pending) -> Pending:
        return pending

    def prompts(self, partition: Partition, cells: list[Cell]) -> dict[Cell, Prompt]:
        condition = self._conditions[partition.generate]
        by_item = {id: condition.prompt_for(self._items[id]) for id, _ in dict.fromkeys(cells)}
        return {cell: by_item[cell.item_id] for cell in cells}

    def model(self, partition: Partition) -> str:
        return self._conditions[partition.generate].model

    def output_limit(self, partition: Partition) -> tuple[int, bool]:
        params = self._conditions[partition.generate].params
        given = params.get("max_tokens")
        return output_limit(given, params.get("reasoning_tokens")), given is not None

    def target(self, partition: Partition) -> Target:
        condition, solvers = self._conditions[partition.generate], self._study.config.solvers
        model = self._scope.resolve(
            condition.model, self._study.models_key, routing=solvers.provider_routing
        )
        request = {
            **request_settings(
                solvers,
                self._scope.called_as(condition.model),
                self._scope.batch(condition.model),
            ),
            "cache_prompt": {"on": True, "off": False}.get(solvers.cache_prompt, "auto"),
        }
        config = generate_config(condition, request)
        scopes = self._study.design.scopes_of(partition)
        return Target(condition.slug, model, config, scopes, self._rerouting(condition.model))

    def calls_per_cell(self, partition: Partition) -> SampleCalls:
        calls = 1 + self._reroutes(self.model(partition))
        return RepeatedCalls(calls)

    def _reroutes(self, model: str) -> int:
        """How often a call is made again at most: a line of a batch never, as that takes a day."""
        is_possible = provider_of(model) == "openrouter" and not self._scope.batch(model)
        return (self._study.config.solvers.max_reroutes or 0) if is_possible else 0

    def _rerouting(self, model: str) -> Rerouting | None:
        most, solvers = self._reroutes(model), self._study.config.solvers

        def without(providers: Sequence[str]) -> "Model":
            routing = routing_without(solvers.provider_routing, providers)
            return self._scope.models.resolve(model, self._study.models_key, routing=routing)

        return Rerouting(most, without) if most else None

    def finish(self, run: StageRun) -> None:
        """What is left to do once the calls of a run are rows: nothing."""

    def can_make_samples(self) -> bool:
        named = self._images_of(self._items)
        return not any(named.values()) or self._scope.images.has(chain(*named.values()))

    def _images_of(self, items: Iterable[str]) -> dict[str, list[str]]:
        """{item_id: the names of its images}."""
        if not self._study.config.benchmark.mapping.images:
            return {id: [] for id in items}
        return {id: json.loads(self._items[id]["metadata_json"])[IMAGES] for id in items}

    def samples(self, prompts: Mapping[Cell, Prompt]) -> "dict[Cell, tuple[Sample, int]]":
        by_item: dict[str, Sample] = {}
        named = self._images_of({cell.item_id: None for cell in prompts})
        uris = self._scope.images.uris(chain(*named.values()))
        for cell, prompt in prompts.items():
            if cell.item_id not in by_item:
                item = self._items[cell.item_id]
                facts = {name: item[name] for name in ("dataset_id", "dataset_revision")}
                images = [uris[name] for name in named[cell.item_id]]
                by_item[cell.item_id] = make_sample(
                    cell.item_id, prompt, item["target"], facts, images
                )
        return {cell: (by_item[cell.item_id], cell.epoch) for cell in prompts}

    def evidence(self, partition: Partition, cells: list[Cell]) -> dict[str, Any]:
        return {}

    def rows(
        self, partition: Partition, log: "EvalLog", log_file: str, run_id: str
    ) -> list[dict[str, Any]]:
        condition = self._conditions[partition.generate]
        params = condition.params
        constant = {
            "study": self._study.name,
            "run_id": run_id,
            "condition_id": condition.id,
            "condition_slug": condition.slug,
            "model": condition.model,
            "prompt_name": condition.prompt.name,
            "prompt_hash": condition.prompt.hash,
            "model_config_name": condition.model_config_name,
            "temperature_requested": params.get("temperature"),
            "top_p_requested": params.get("top_p"),
            "max_tokens_requested": params.get("max_tokens"),
            "seed_requested": params.get("seed"),
            "reasoning_effort": params.get("reasoning_effort"),
            "reasoning_tokens_requested": params.get("reasoning_tokens"),
            "log_file": log_file,
        }
        return [
            {**constant, **call, **cell._asdict(), "solution": call["completion"]}
            for cell, call in self._calls(log, condition.model)
        ]

    def _calls(self, log: "EvalLog", model: str) -> Iterator[tuple[Cell, dict[str, Any]]]:
        return call_rows(log, model, self._scope.prices)
