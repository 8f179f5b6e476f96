"""The models of a study: those that the YAML names, or some of a roster, drawn at random.

They are drawn as items are (`sampling`): the order depends on the seed and the ids alone, so it is
the same on every machine, and a larger n keeps the models of a smaller one.
"""

import math
from itertools import islice

from itemeval_assets.core.config.roster import Roster
from itemeval_assets.core.config.sections.solvers import (
    ModelSampleConfig,
    RosterFilterConfig,
    SolversConfig,
)
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.text.words import counted

from .items.sampling import in_order

# Providers of many makers: their models have three parts.
_OF_MANY = ("openai-api", "openrouter")


def models_of(solvers: SolversConfig, roster: Roster | None) -> list[str]:
    """The models of a study: those that are always in it, then drawn ones in the order of the draw.

    Raises ConfigError where the roster is too small.
    """
    sample = solvers.sample
    if sample is None or roster is None:
        return list(solvers.models)
    models = eligible(sample, roster)
    strata = [maker_of(model) if sample.by else "" for model in models]
    # What is in anyway takes the places of its provider first.
    order = (models[place] for place in in_order(models, strata, sample.seed, sample.include))
    others = (model for model in order if model not in sample.include)
    return [*sample.include, *islice(others, sample.n - len(sample.include))]


def eligible(sample: ModelSampleConfig, roster: Roster) -> list[str]:
    """What may be drawn of a roster, and the models that are in anyway. Raises ConfigError."""
    own = [model for model in roster.models if may_be_drawn(model, sample)]
    own = [model for model in own if _is_cheap(model, sample, roster)]
    found = [*own, *(model for model in sample.include if model not in own)]
    if not found:
        raise ConfigError(
            f"solvers.sample.{'exclude' if sample.exclude else 'where'}: it leaves no model of "
            f"{roster.file}"
        )
    if sample.n > len(found):
        keys = ", ".join(f"`{key}`" for key in ("exclude", "where") if getattr(sample, key))
        may_be = f" that may be ({keys})" if keys else ""
        more = f", and `include` {len(found) - len(own):,} more" if len(own) < len(found) else ""
        raise ConfigError(
            f"solvers.sample.n: {sample.n:,} models are to be drawn, and {roster.file} has "
            f"{len(own):,}{may_be}{more}; give at most {len(found):,}"
        )
    return found


def may_be_drawn(model: str, sample: ModelSampleConfig) -> bool:
    """Whether the YAML lets a model be drawn, at whatever price, or has it in anyway."""
    if model in sample.include:
        return True
    of = sample.where.provider if sample.where else None
    return model not in sample.exclude and (of is None or maker_of(model) in of)


def _is_cheap(model: str, sample: ModelSampleConfig, roster: Roster) -> bool:
    most = sample.where.max_output_usd_per_mtok if sample.where else None
    if most is None or model in sample.include:
        return True
    if not roster.output_usd_per_mtok:
        raise ConfigError(
            "solvers.sample.where.max_output_usd_per_mtok: the roster was locked without prices. "
            "Lock it with those of today: itemeval-assets redraw, which says what changes with "
            "--dry-run"
        )
    return roster.output_usd_per_mtok.get(model, math.inf) <= most


def maker_of(model: str) -> str:
    """Who offers a model; of one at OpenRouter, or at a compatible server, the inner name."""
    first, *rest = model.split("/")
    return rest[0] if first in _OF_MANY and len(rest) > 1 else first


def _words_on_filter(where: RosterFilterConfig) -> str:
    of = f", of {', '.join(where.provider)}" if where.provider else ""
    most = where.max_output_usd_per_mtok
    return of if most is None else f"{of}, up to ${most:g} per million output tokens"


def words_on_sample(sample: ModelSampleConfig, roster: Roster) -> str:
    """How the models were drawn, as people read it."""
    strata = f", by {sample.by}" if sample.by else ""
    where = _words_on_filter(sample.where) if sample.where else ""
    always = f", with {', '.join(sample.include)}" if sample.include else ""
    excluded = [model for model in sample.exclude if model in roster.models]
    without = f", without {', '.join(excluded)}" if excluded else ""
    gone = [model for model in sample.exclude if model not in roster.models]
    are = "are" if len(gone) > 1 else "is"
    lacking = f"; {', '.join(gone)} of `exclude` {are} not in it" if gone else ""
    total = f"{sample.n:,} of {counted(len(roster.models), 'model')} of {roster.file}"
    return f"sample of {total}, seed {sample.seed}{strata}{where}{always}{without}{lacking}"
