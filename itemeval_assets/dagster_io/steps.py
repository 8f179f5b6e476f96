"""What the bodies of assets share: the store, a stage's run, errors a user can act on."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.storage.tags import PARENT_RUN_ID_TAG

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError, DatasetError, RunFailed
from itemeval_assets.storage.study.inputs import prices_if_needed

from .config import RunConfig
from .naming.names import CONSENT_TAG, RERUN_TAG, RESERVED_BY_TAG
from .progress import progress_log

if TYPE_CHECKING:
    from itemeval_assets.stages.calls.gate import Gate
    from itemeval_assets.stages.calls.stage_run import StageRun
    from itemeval_assets.storage.study.store import ResultsStore


def store_of(
    study: Study,
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext,
    *,
    only_shows: bool = False,
) -> "ResultsStore":
    """The store of a study in a step. All steps of a run in this process share it.

    So nothing is read twice that nobody else has changed. `only_shows`: the step stores nothing,
    and shows what the steps of its run have seen and stored. Raises StoreError where the study
    directory belongs to another config, or something lies in a wrong place.
    """
    step = context.op_execution_context
    looks = not only_shows and isinstance(context, dg.AssetExecutionContext)
    return store_of_step(study, step.run_id, step.op_def.name if looks else None)


# The store of the latest run of this process, under its run and its place, with its latest step.
_opened: dict[tuple[str, str], tuple["ResultsStore", str | None]] = {}


def store_of_step(study: Study, run_id: str, step: str | None) -> "ResultsStore":
    """See `store_of`. What a step reads is as its first look found it, or a later one.

    `step` null: a check, or what only shows: what the steps of its run have seen and stored.
    """
    place = (run_id, study.location)
    store, looked_in = _opened.get(place, (None, None))
    if store is None:
        store = opened(study, look=True)
        _opened.clear()
    elif step and step != looked_in:
        store.look()
    _opened[place] = store, step or looked_in
    return store


def opened(study: Study, *, look: bool = False) -> "ResultsStore":
    """A store of a study for who is in no run; see `open_store`."""
    # Late: definitions load without pyarrow.
    from itemeval_assets.storage.study.store import open_store

    store = open_store(study, look=look)
    store.require_layout()
    return store


def gate_of(
    context: dg.AssetExecutionContext, study: Study, consent_usd: float | None
) -> "AbstractContextManager[Gate]":
    """The gate of a run: open until what it admitted is booked."""
    from itemeval_assets.stages.calls.gate import open_gate

    step = context.op_execution_context
    return open_gate(
        study,
        store_of(study, context),
        prices_if_needed(study),
        holder=step.run_id,
        within=_reserved_by(step.run_tags),
        consent_usd=_consent(step.run_tags) if consent_usd is None else consent_usd,
    )


def _reserved_by(tags: Mapping[str, str]) -> str | None:
    """The reservation that the run draws on, of the command that has started it.

    One that Dagster executes again has the tags of the first run, and reserves for itself.
    """
    return None if PARENT_RUN_ID_TAG in tags else tags.get(RESERVED_BY_TAG)


@contextmanager
def stage_run(
    context: dg.AssetExecutionContext,
    study: Study,
    config: RunConfig,
    items: Any,
    partitions: list[Partition],
) -> "Iterator[StageRun]":
    """The run of a paid stage, as `stages` takes it; attempts of the schedule are counted."""
    from itemeval_assets import stages
    from itemeval_assets.stages.calls.stage_run import StageRun

    store = store_of(study, context)
    # First of all: an attempt counts, whatever becomes of it.
    if RERUN_TAG in context.op_execution_context.run_tags:
        stages.reruns.count_attempt(store, partitions)
    # An input that was never materialized arrives as an empty table: without items, nothing
    # would be pending, and the partition would turn green for nothing.
    if not items.num_rows:
        raise DatasetError(f"study {study.name} has no items yet: materialize items first")
    with gate_of(context, study, config.consent_usd) as gate:
        yield StageRun(
            study=study,
            store=store,
            prices=prices_if_needed(study),
            items=items,
            options=config.options(),
            run_id=context.op_execution_context.run_id,
            gate=gate,
            listener=progress_log(context.log.info),
            say=context.log.info,
        )
    stages.reruns.settle(study, store, partitions)


# What steps of this process hold that have not ended.
_held: list[ExitStack] = []


@contextmanager
def held_by_step() -> Iterator[ExitStack]:
    """What a step holds while it yields its outputs: its claims, and its reservation.

    Dagster leaves a step where it is when an output of it cannot be stored: what it holds would
    stay held for as long as this process lives. `end_steps` ends it.
    """
    with ExitStack() as stack:
        _held.append(stack)
        try:
            yield stack
        finally:
            if stack in _held:
                _held.remove(stack)


def end_steps() -> None:
    """Release what steps of ended runs of this process still hold, as where they have failed."""
    error = RunFailed("an output of the step was not stored")
    while _held:
        _held.pop().__exit__(type(error), error, None)


def _consent(tags: Mapping[str, str]) -> float | None:
    given = tags.get(CONSENT_TAG)
    if given is None:
        return None
    try:
        return float(given)
    except ValueError as error:
        raise ConfigError(f"run tag {CONSENT_TAG}: {given!r} is no amount of USD") from error
