"""The Dagster runs of one stage: one after the other in this process, or shared among workers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from itemeval_assets.core.design.options import RunOptions
from itemeval_assets.core.design.partitions import GRADE, Partition, Stage
from itemeval_assets.core.design.selection import Selection
from itemeval_assets.core.design.spans import shares, split
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.money.budget import agreed_usd, shares_of_consent
from itemeval_assets.core.money.providers import provider_of
from itemeval_assets.engine.calls.evaluate import connections_to
from itemeval_assets.stages.ledger import usd_of_runs
from itemeval_assets.stages.projection.estimate import StudyEstimate
from itemeval_assets.storage.study.store import ResultsStore

from .joining import key_ranges
from .launcher import Launcher
from .workers import Ended, Share, Workers


@dataclass
class StageRuns:
    """Runs the stages of one command. `foreseen`: what its calls may cost, null for no calls."""

    study: Study
    store: ResultsStore
    selection: Selection
    options: RunOptions
    launch: Launcher
    holder: str
    foreseen: StudyEstimate | None = None
    workers: Workers | None = None

    def __post_init__(self) -> None:
        self._looked_after = len(self.launch.run_ids)

    def __call__(self, stage: Stage) -> None:
        """Run what is asked of a stage. Raises the first error of a run."""
        wanted = self.selection.of(stage)
        if self.workers is None or len(wanted) < 2:
            for span in key_ranges(self.study, stage, wanted):
                config = {**self._config, "consent_usd": self._consent_left_usd()}
                self.launch(stage.assets, span, config, self.holder)
        else:
            self._take_in(self.workers(self._shares(stage, wanted, self.workers.count)))

    def _shares(self, stage: Stage, wanted: Sequence[Partition], count: int) -> list[Share]:
        """A share per worker, of like many calls, which may cost its part of the consent."""
        parts = [] if self.foreseen is None else self.foreseen.parts
        calls = {part.partition: part.remaining.calls for part in parts}
        usd = {part.partition: part.remaining.usd for part in parts}
        # The scores of criteria are read from replies that the same worker has asked for.
        criteria = {part for part in wanted if stage is GRADE and self.study.design.total_of(part)}
        each = shares(wanted, calls, count, criteria)
        consents = shares_of_consent(
            self._consent_left_usd(),
            [sum(usd.get(partition, 0.0) for partition in part) for part in each],
        )
        connections = self._connections(each, calls)
        return [
            Share(
                stage.assets,
                key_ranges(self.study, stage, part),
                self._config,
                consent,
                self.holder,
                limits,
            )
            for part, consent, limits in zip(each, consents, connections, strict=True)
        ]

    def _connections(
        self, each: Sequence[Sequence[Partition]], calls: Mapping[Partition, int]
    ) -> list[dict[str, int]]:
        """What each share has of the study's limits: so much that all end at the same time."""
        asked: list[Counter[str]] = [Counter() for _ in each]
        limits: dict[str, int | None] = {}
        for of_share, part in zip(asked, each, strict=True):
            for partition in part:
                if model := self.study.design.model_of(partition):
                    of_share[provider_of(model)] += calls.get(partition, 0)
                    limits[provider_of(model)] = connections_to(self.study.config.solvers, model)
        found: list[dict[str, int]] = [{} for _ in each]
        for provider, limit in limits.items():
            if limit is not None:
                sharers = [n for n, of_share in enumerate(asked) if provider in of_share]
                parts = split(limit, [asked[n][provider] for n in sharers])
                for n, connections in zip(sharers, parts, strict=True):
                    found[n][provider] = connections
        return found

    @property
    def _config(self) -> dict[str, Any]:
        return self.options.model_dump(exclude={"consent_usd"})

    def _consent_left_usd(self) -> float:
        """What the user consented to, less what the command's runs have spent of it."""
        if self._looked_after != len(self.launch.run_ids):
            self.store.look()
            self._looked_after = len(self.launch.run_ids)
        agreed = agreed_usd(self.options.consent_usd, self.study.config.budget)
        return max(0.0, agreed - usd_of_runs(self.store, self.launch.run_ids))

    def _take_in(self, ended: Sequence[Ended]) -> None:
        """Add what the workers did to what this process did. Raises their first error."""
        for part in ended:
            self.launch.run_ids += part.run_ids
            self.launch.recovered += part.recovered
            self.launch.held_back += part.held_back
            self.launch.failed_checks += part.failed_checks
        for part in ended:
            if part.error is not None:
                raise part.error
