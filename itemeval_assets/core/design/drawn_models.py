"""The models of a study: those that the YAML names, or some of a roster, drawn at random.

They are drawn as items are (`sampling`): the order depends on the seed and the ids alone, so it is
the same on every machine, and a larger n keeps the models of a smaller one.
"""

from itertools import islice

from itemeval_assets.core.config.roster import Roster
from itemeval_assets.core.config.sections.solvers import ModelSampleConfig, SolversConfig
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.text.words import counted

from .items.sampling import in_order

# Providers of many makers: their models have three parts.
_OF_MANY = ("openai-api", "openrouter")


def models_of(solvers: SolversConfig, roster: Roster | None) -> list[str]:
    """The models of a study, drawn ones in the order of the draw.

    Raises ConfigError where the roster is too small.
    """
    if solvers.sample is None or roster is None:
        return list(solvers.models)
    models = eligible(solvers.sample, roster)
    strata = [maker_of(model) if solvers.sample.by else "" for model in models]
    order = in_order(models, strata, solvers.sample.seed)
    return [models[place] for place in islice(order, solvers.sample.n)]


def eligible(sample: ModelSampleConfig, roster: Roster) -> list[str]:
    """The models of a roster that may be drawn. Raises ConfigError."""
    found = [model for model in roster.models if model not in sample.exclude]
    if not found:
        raise ConfigError(f"solvers.sample.exclude: it leaves no model of {roster.file}")
    if sample.n > len(found):
        left = " without those in `exclude`" if sample.exclude else ""
        raise ConfigError(
            f"solvers.sample.n: {sample.n:,} models are to be drawn, and {roster.file} has "
            f"{len(found):,}{left}; give at most {len(found):,}"
        )
    return found


def maker_of(model: str) -> str:
    """Who offers a model; of one at OpenRouter, or at a compatible server, the inner name."""
    first, *rest = model.split("/")
    return rest[0] if first in _OF_MANY and len(rest) > 1 else first


def words_on_sample(sample: ModelSampleConfig, roster: Roster) -> str:
    """How the models were drawn, as people read it."""
    strata = f", by {sample.by}" if sample.by else ""
    excluded = [model for model in sample.exclude if model in roster.models]
    without = f", without {', '.join(excluded)}" if excluded else ""
    gone = [model for model in sample.exclude if model not in roster.models]
    are = "are" if len(gone) > 1 else "is"
    lacking = f"; {', '.join(gone)} of `exclude` {are} not in it" if gone else ""
    total = f"{sample.n:,} of {counted(len(roster.models), 'model')} of {roster.file}"
    return f"sample of {total}, seed {sample.seed}{strata}{without}{lacking}"
