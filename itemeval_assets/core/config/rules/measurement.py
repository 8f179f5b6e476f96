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
        *_gate_problems(config),
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
    margins = {"measurement.margin": config.measurement.margin}
    if config.gate:
        margins["gate.margin"] = config.gate.margin
    scales = _scales(config)
    if not scales or None in scales:
        return []
    low, high = max((scale for scale in scales if scale), key=lambda ends: ends[1] - ends[0])
    return [
        f"{place}: {margin:g} is as wide as the widest scale of the graders, {low:g} to"
        f" {high:g}, or wider; give it in units of the score: 0.05 is 5 points"
        for place, margin in margins.items()
        if margin is not None and margin >= high - low
    ]


def _gate_problems(config: StudySections) -> list[str]:
    """A grader of a slip would be judged by nobody. Labels and ids are known to the design only."""
    gate = config.gate
    if gate is None:
        return []
    known = [*config.facets.grader, *config.facets.scorers]
    unknown = [] if config.benchmark.ref else [n for n in gate.metrics or [] if n not in known]
    found = [
        f"gate.metrics: {name!r} is no grader or scorer of `facets`; {did_you_mean(name, known)}"
        for name in unknown
    ]
    if gate.candidate == gate.against:
        found.append(f"gate.candidate: {gate.candidate!r} is `against`, too; name two")
    return found


def _scales(config: StudySections) -> list[tuple[float, float] | None]:
    """Of each grader of the design: null where none is declared. Those of a task are its own."""
    if config.benchmark.ref:
        return []
    own = {name: scorer.scale or SCORER_SCALE for name, scorer in config.scorers.items()}
    judges = [getattr(config.graders.get(name), "scale", None) for name in config.facets.grader]
    return [*judges, *(own.get(name, SCORER_SCALE) for name in config.facets.scorers)]
