"""Precision: one target, of scores that have a scale, over items in a random order."""

from itemeval_assets.core.text.nearest import did_you_mean

from ..sections import StudySections

__all__ = ["precision_problems"]


def precision_problems(config: StudySections) -> list[str]:
    """A line for every rule that is broken, each starting with its YAML path."""
    asked = config.precision
    if asked is None:
        return []
    found = []
    if (asked.half_width is None) == (asked.detect is None):
        found.append("precision: give one of half_width and detect, such as half_width: 0.02")
    if config.benchmark.sample is None:
        found.append(
            "precision: items are bought in the order of a sample, which is random, and the study"
            " has none: add benchmark.sample, such as {n: 500, seed: 0}; n is the most that is"
            " bought"
        )
    known = [*config.facets.grader, *config.facets.scorers]
    unknown = [] if config.benchmark.ref else [n for n in asked.metrics or [] if n not in known]
    found += [
        f"precision.metrics: {name!r} is no grader or scorer of `facets`;"
        f" {did_you_mean(name, known)}"
        for name in unknown
    ]
    return found
