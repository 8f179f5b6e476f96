"""A pilot: the cells that tell the variances, run before anything is planned."""

import math
from pathlib import Path
from typing import Any

from itemeval_assets.core.config.sections import SampleConfig
from itemeval_assets.core.design.options import PlanOptions
from itemeval_assets.core.design.selection import select
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.host.installation import how_to_call
from itemeval_assets.measurement.planning.variances import FEWEST_ITEMS
from itemeval_assets.stages.projection.estimate import preview

from ..planned import PlannedCells
from .lines import as_lines
from .records import Pilot

__all__ = ["pilot_of"]

# Each item is asked twice: else nobody knows what replications bring.
_REPLICATIONS = 2


def pilot_of(planned: PlannedCells, items: int) -> Pilot:
    """What the policy dev runs with the lines of the pilot. Raises ConfigError for its size."""
    study, n_items = planned.study, planned.items.num_rows
    if items < FEWEST_ITEMS:
        raise ConfigError(
            f"pilot: {items:,} is too few items to plan with; give {FEWEST_ITEMS} or more, such as"
            " 30"
        )
    if items > n_items:
        raise ConfigError(
            f"pilot: {items:,} items, and the study has {n_items:,}; give at most {n_items:,}"
        )
    keys = _keys(study, items, n_items)
    changed = _with(study, keys)
    options, selection = PlanOptions(policy="dev"), select(changed.design)
    remaining = preview(changed, planned.store, options, selection).remaining
    at_most = None if remaining.unpriced else remaining.usd
    expected = at_most if remaining.expected_usd is None else remaining.expected_usd
    return Pilot(
        items=items,
        replications=_REPLICATIONS,
        calls=remaining.calls - remaining.cached,
        usd=None if at_most is None else expected,
        at_most_usd=at_most,
        lines=as_lines(keys),
        commands=_commands(study.config_path, at_most),
    )


def _keys(study: Study, items: int, n_items: int) -> dict[str, Any]:
    """Of a sample of all items, the first ones are drawn at random."""
    found: dict[str, Any] = {}
    if study.config.benchmark.sample is None and items < n_items:
        found["benchmark"] = {"sample": {"n": n_items, "seed": 0}}
    if study.config.facets.replications < _REPLICATIONS:
        found["facets"] = {"replications": _REPLICATIONS}
    found["budget"] = {"dev_items": items, "dev_replications": _REPLICATIONS}
    return found


def _with(study: Study, keys: dict[str, Any]) -> Study:
    """The study as it is with these keys, none of which is in an id."""
    config = study.config
    sections = {}
    for name, values in keys.items():
        given = {
            key: SampleConfig(**value) if key == "sample" else value
            for key, value in values.items()
        }
        sections[name] = getattr(config, name).model_copy(update=given)
    return Study(config.model_copy(update=sections), study.design, study.snapshot)


def _commands(path: Path, at_most_usd: float | None) -> list[str]:
    """The run of the pilot, with consent to what it may cost, and the plan that follows."""
    consent = ["--yes"]
    if at_most_usd is not None:
        consent = ["--max-usd", f"{math.ceil(at_most_usd * 100 + 1e-6) / 100:.2f}"]
    return [
        how_to_call("itemeval-assets", "run", str(path), "--policy", "dev", *consent),
        how_to_call("itemeval-assets", "plan", str(path)),
    ]
