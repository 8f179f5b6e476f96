"""What figures are asked for: columns, models and margins that there are."""

from itemeval_assets.core.grading.grader import SCORER_SCALE
from itemeval_assets.core.text.nearest import did_you_mean

from ..sections import ITEM_COLUMNS, StudySections
from .names import models_named


def measurement_problems(config: StudySections) -> list[str]:
    """A line for every rule that is broken, each starting with its YAML path."""
    return [
        *_column_problems(config),
        *_margin_problems(config),
    ]


def _column_problems(config: StudySections) -> list[str]:
    """A name that stands for nothing would change figures in silence."""
    found, columns = [], [*config.benchmark.mapping.metadata, *ITEM_COLUMNS]
    cluster, models = config.measurement.cluster, sorted({*models_named(config).values()})
    # Which columns a task has, only its data tell.
    if cluster is not None and cluster not in columns and not config.benchmark.ref:
        found.append(
            f"measurement.cluster: {cluster!r} is no column of benchmark.mapping.metadata"
            f"; {did_you_mean(cluster, columns)}"
        )
    found.extend(
        f"measurement.families: {model!r} is no model of this study; {did_you_mean(model, models)}"
        for model in config.measurement.families
        if model not in models
    )
    return found


def _margin_problems(config: StudySections) -> list[str]:
    """A margin in points, as 5 for 0.05, would make any two conditions alike."""
    margin, scales = config.measurement.margin, _scales(config)
    if margin is None or not scales or None in scales:
        return []
    low, high = max((scale for scale in scales if scale), key=lambda ends: ends[1] - ends[0])
    if margin < high - low:
        return []
    return [
        f"measurement.margin: {margin:g} is as wide as the widest scale of the graders, {low:g} to"
        f" {high:g}, or wider; give it in units of the score: 0.05 is 5 points"
    ]


def _scales(config: StudySections) -> list[tuple[float, float] | None]:
    """Of each grader of the design: null where none is declared. Those of a task are its own."""
    if config.benchmark.ref:
        return []
    own = {name: scorer.scale or SCORER_SCALE for name, scorer in config.scorers.items()}
    judges = [getattr(config.graders.get(name), "scale", None) for name in config.facets.grader]
    return [*judges, *(own.get(name, SCORER_SCALE) for name in config.facets.scorers)]
