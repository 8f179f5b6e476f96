"""What is checked: each job simulates studies and says which of their claims were right."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import product

import numpy as np
import pandas as pd
from numpy.random import Generator

from itemeval_assets.measurement import (
    Estimate,
    cohen_kappa,
    compare,
    compare_all,
    fleiss_kappa,
    inferiority,
    interaction,
    intraclass_correlation,
    judge_severity,
    krippendorff_alpha,
    length_slope,
    majority_at_k,
    mean_score,
    panel_mean,
    pass_at_k,
    precision,
    prediction_powered_mean,
    self_preference,
    smallest_difference,
    variance_components,
)
from itemeval_assets.measurement.planning.stopping import FIRST_LOOK
from tests.measurement.coverage.worlds import (
    World,
    answered,
    components_of,
    judged,
    labelled,
    normal_scores,
    paired_variances_of,
    rated,
    written,
)

__all__ = ["Job", "jobs", "mean_of"]

Found = dict[str, bool] | dict[str, float]
SIZES = (50, 200, 1000)


@dataclass(frozen=True)
class Job:
    """A kind of study, and the place of its figures in the tables.

    A study says of each of its claims whether it was right, or, where `errs`, whether it was a
    false call: at most 5 % of those may be. `warning` marks a corner where no simple interval
    holds, with what users are told there. `target`: the share of right claims that is promised,
    to be met by `within`. `times` as many studies as of other jobs. `at_least`: as `target`, and
    more is right, too. `means`: the claims that are numbers, whose mean is shown, and no shares.
    """

    section: str
    row: str
    column: str
    study: Callable[[Generator], Found]
    errs: bool = False
    warning: str = ""
    target: float | None = None
    within: float = 0.0
    times: float = 1.0
    at_least: float | None = None
    means: frozenset[str] = frozenset()


def jobs() -> Iterator[Job]:
    """All jobs, in the order of the page."""
    for part in (
        _means,
        _rates,
        _differences,
        _calls,
        _gates,
        _powers,
        _precisions,
        _components,
        _agreement,
        _answers,
        _judges,
        _people,
        _corners,
    ):
        yield from part()


def holds(found: Estimate, truth: float) -> bool:
    """Whether the interval holds the truth."""
    return bool(found.low <= truth <= found.high)


def two_errors(share: float, studies: int) -> float:
    """Two Monte Carlo standard errors of a share in so many studies."""
    return float(2 * np.sqrt(share * (1 - share) / studies))


def _worlds(sizes: tuple[int, ...] = SIZES) -> Iterator[World]:
    clusters = {50: 30, 200: 40, 1000: 100}
    kinds = product((False, True), (1, 3), (False, True), (0.0, 0.05), sizes)
    for graded, replications, clustered, missing, items in kinds:
        yield World(items, replications, graded, clusters[items] * clustered, missing)


def _means() -> Iterator[Job]:
    for world in _worlds():
        study = partial(_mean, world, 0.2, 0.9)
        yield Job("Mean score", world.words(), f"{world.items} items", study)


def _mean(world: World, least: float, most: float, random: Generator) -> Found:
    means = random.uniform(least, most, 1)
    found = mean_score(world.study(random, means), cluster=world.cluster, scale=(0, 1))
    return {"": holds(found, means[0])}


def _rates() -> Iterator[Job]:
    for (name, rate), items in product(
        (("pass@3", pass_at_k), ("majority@3", majority_at_k)), SIZES
    ):
        study = partial(_rate, World(items, 5), rate)
        yield Job("Mean score", f"{name}, 5 replications", f"{items} items", study)


def _rate(world: World, rate: Callable[..., Estimate], random: Generator) -> Found:
    means = random.uniform(0.2, 0.7, 1)
    passes = (lambda p: 1 - (1 - p) ** 3) if rate is pass_at_k else (lambda p: p**2 * (3 - 2 * p))
    found = rate(world.study(random, means), 3)
    return {"": holds(found, world.expected(means[0], passes))}


def _differences() -> Iterator[Job]:
    for world in _worlds():
        study = partial(_difference, world, 0.2, 0.9)
        yield Job("Difference of two models", world.words(), f"{world.items} items", study)


def _difference(world: World, least: float, most: float, random: Generator) -> Found:
    a = random.uniform(least, most)
    b = float(np.clip(a + random.uniform(-0.1, 0.1), least, most))
    found = compare(world.study(random, np.array([a, b])), 0, 1, cluster=world.cluster)
    return {"": holds(found, a - b)}


def _calls() -> Iterator[Job]:
    section = "False calls"
    for world in _worlds():
        if world.missing:
            column = f"{world.items} items"
            yield Job(
                section, f"equal models, {world.words()}", column, partial(_equal, world), True
            )
    for graded, replications, items in product((False, True), (1, 3), SIZES):
        world = World(items, replications, graded, 0, 0.05)
        row = f"any of 10 pairs of 5 equal models (Holm), {world.words()}"
        yield Job(section, row, f"{items} items", partial(_family, world), True)
    for graded, items in product((False, True), SIZES):
        world = World(items, 1, graded)
        row = f"a difference that depends on one of 4 topics, {world.words()}"
        yield Job(section, row, f"{items} items", partial(_topics, world), True)


def _equal(world: World, random: Generator) -> Found:
    means = np.repeat(random.uniform(0.2, 0.9), 2)
    found = compare(world.study(random, means), 0, 1, cluster=world.cluster)
    calls = {"": found.p < 0.05}
    if found.p_mcnemar is not None and not world.clusters:
        calls["McNemar"] = found.p_mcnemar < 0.05
    return calls


def _family(world: World, random: Generator) -> Found:
    frame = world.study(random, np.repeat(random.uniform(0.2, 0.9), 5))
    return {"": any(one.p < 0.05 for one in compare_all(frame))}


def _topics(world: World, random: Generator) -> Found:
    frame = world.study(random, random.uniform(0.3, 0.8, 2))
    frame["topic"] = frame["item_id"] % 4
    return {"": interaction(frame, 0, 1, by="topic").p < 0.05}


MARGIN = 0.05
# So many times the studies of others: chance is small then beside what a target is to be met by.
MANY = 10.0


def _gates() -> Iterator[Job]:
    """A candidate that is worse by just the margin passes, and fails, as seldom as is said."""
    for graded, replications, items in product((False, True), (1, 3), SIZES):
        world = World(items, replications, graded)
        row = f"a candidate worse by the margin, {world.words()}"
        yield Job(
            "Gate, of 20,000 studies",
            row,
            f"{items} items",
            partial(_gate, world),
            target=0.05,
            within=two_errors(0.05, 2_000),
            times=MANY,
        )


def _gate(world: World, random: Generator) -> Found:
    before = random.uniform(0.3, 0.9)
    found = compare(world.study(random, np.array([before - MARGIN, before])), 0, 1)
    verdict = inferiority(found, MARGIN, scale=(0, 1)).verdict
    return {"PASS": verdict == "PASS", "FAIL": verdict == "FAIL"}


POWER = 0.8


def _powers() -> Iterator[Job]:
    """The smallest difference that a plan promises to find, planted."""
    for graded, replications, items in product((False, True), (1, 3), SIZES):
        world = World(items, replications, graded)
        yield Job(
            "Planned power, 80 %, of 20,000 studies",
            world.words(),
            f"{items} items",
            partial(_power, world),
            target=POWER,
            within=two_errors(POWER, 5_000),
            times=MANY,
        )


def _power(world: World, random: Generator) -> Found:
    low, high = _planned_means(world)
    return {"": compare(world.study(random, np.array([high, low])), 0, 1).p < 0.05}


@cache
def _planned_means(world: World) -> tuple[float, float]:
    """Means around 0.6 that differ by the smallest difference, whose variances depend on them."""
    detect = 0.1
    for _ in range(4):
        low, high = 0.6 - detect / 2, 0.6 + detect / 2
        omega2, sigma2 = paired_variances_of(low, high, graded=world.graded)
        detect = smallest_difference(
            world.items,
            omega2=omega2,
            sigma2_a=sigma2,
            sigma2_b=sigma2,
            k_a=world.replications,
            k_b=world.replications,
            power=POWER,
        )
    return 0.6 - detect / 2, 0.6 + detect / 2


def _precisions() -> Iterator[Job]:
    """Items are bought by tens until the interval of a difference is narrow enough."""
    section = "Precision: looked at after every 10 items, until it is reached"
    for (name, low, high), graded in product(
        (("means between 0.4 and 0.8", 0.4, 0.8), ("means between 0.94 and 0.98", 0.94, 0.98)),
        (False, True),
    ):
        for half_width in (0.1, 0.05, 0.03):
            row = f"{'graded' if graded else 'binary'}, {name}"
            column = f"half-width {half_width}"
            world = World(PREPARED[half_width], 1, graded)
            study = partial(_stopped, world, (low, high), half_width)
            yield Job(section, row, column, study, at_least=0.95, means=frozenset({OF_FIXED}))


OF_FIXED = "items, of those of a fixed design"
# More items than any of these studies buys.
PREPARED = {0.1: 600, 0.05: 1500, 0.03: 3500}


def _stopped(
    world: World, means: tuple[float, float], half_width: float, random: Generator
) -> Found:
    """Whether the interval held the truth when it was reached, and what it took."""
    a, b = random.uniform(*means, 2)
    frame = world.study(random, np.array([a, b]))
    scores = frame["score"].to_numpy().reshape(2, -1)
    differences = scores[0] - scores[1]
    fixed = max(FIRST_LOOK, int(differences.var(ddof=1) * (1.96 / half_width) ** 2))
    for n in range(FIRST_LOOK, len(differences) + 1, 10):
        look = mean_of(differences[:n])
        # What is too wide by z is so by t: most looks need no further question.
        if 1.95 * look.standard_error > half_width:
            continue
        found = precision(look, half_width, scale=(0, 1))
        if found.is_reached:
            return {"": float(found.low <= a - b <= found.high), OF_FIXED: n / fixed}
    raise AssertionError(f"{world} has too few items for {half_width}")


def mean_of(values: np.ndarray) -> Estimate:
    """What `compare` says of these differences, without the frame."""
    n, value = len(values), float(values.mean())
    error = float(values.std(ddof=1)) / n**0.5
    return Estimate(value, error, value, value, 0.95, n, n, n, "paired t")


DEVIATIONS = {"model": 0.3, "item": 0.5, "model:item": 0.4, "residual": 0.6}


def _components() -> Iterator[Job]:
    section = "Variance components"
    for missing, items in product((0.0, 0.05), SIZES[:2]):
        row = (
            f"10 models, 3 replications, normal scores, {'5% missing (REML)' if missing else 'EMS'}"
        )
        study = partial(_normal, (10, items, 3), missing, tuple(DEVIATIONS))
        yield Job(section, row, f"{items} items", study)
    for items in SIZES[:2]:
        row = "20 models, 3 replications, binary scores, EMS"
        yield Job(section, row, f"{items} items", partial(_binary, (20, items, 3)))


def _normal(
    shape: tuple[int, int, int], missing: float, shown: tuple[str, ...], random: Generator
) -> Found:
    frame = normal_scores(random, shape, DEVIATIONS)
    frame = frame[random.random(len(frame)) >= missing]
    limits = _limits(frame, "item")
    return {name: _is_between(DEVIATIONS[name] ** 2, limits[name]) for name in shown}


def _limits(frame: pd.DataFrame, item: str) -> dict[str, tuple[float, float]]:
    """The interval of each source."""
    table = variance_components(frame, ["model", item]).table
    limits = zip(table["low"], table["high"], strict=True)
    names = (name.replace(item, "item") for name in table["source"])
    return dict(zip(names, limits, strict=True))


def _is_between(truth: float, limits: tuple[float, float]) -> bool:
    return bool(limits[0] <= truth <= limits[1])


def _binary(shape: tuple[int, int, int], random: Generator) -> Found:
    truth = _components_of_binary()
    models, items, replications = shape
    world = World(items, replications)
    frame = world.study(random, world.means(random, models, 0.5))
    limits = _limits(frame, "item_id")
    return {name: _is_between(value, limits[name]) for name, value in truth.items()}


_components_of_binary = cache(partial(components_of, 0.5))


def _agreement() -> Iterator[Job]:
    for units in SIZES:
        column = f"{units} units"
        for level, kind in (("nominal", "binary"), ("ordinal", "ordinal"), ("interval", "normal")):
            for agree in (0.5, 0.8):
                row = f"Krippendorff's alpha, {level}, 3 raters, 10% gaps, common variance {agree}"
                yield Job("Agreement", row, column, partial(_alpha, units, level, kind, agree))
        for weights, kind in ((None, "binary"), (None, "ordinal"), ("quadratic", "ordinal")):
            for agree in (0.5, 0.8):
                row = f"Cohen's kappa, {weights or 'unweighted'}, {kind}, common variance {agree}"
                yield Job("Agreement", row, column, partial(_kappa, units, weights, kind, agree))
        row = "Fleiss' kappa, 4 raters, 5 categories, common variance 0.8"
        yield Job("Agreement", row, column, partial(_fleiss, units, 0.8))
        for form in ("1,1", "2,1", "3,1", "2,k"):
            yield Job("Agreement", f"ICC({form}), 4 raters", column, partial(_icc, units, form))


def _alpha(units: int, level: str, kind: str, agree: float, random: Generator) -> Found:
    ratings = rated(random, units, 3, agree=agree, kind=kind)
    ratings[random.random(ratings.shape) < 0.1] = np.nan
    found = krippendorff_alpha(ratings, level=level)  # type: ignore[arg-type]
    return {"": holds(found, _agreement_truth(f"alpha {level}", kind, agree))}


def _kappa(units: int, weights: str | None, kind: str, agree: float, random: Generator) -> Found:
    found = cohen_kappa(*rated(random, units, 2, agree=agree, kind=kind), weights=weights)  # type: ignore[arg-type]
    return {"": holds(found, _agreement_truth(f"kappa {weights}", kind, agree))}


def _fleiss(units: int, agree: float, random: Generator) -> Found:
    ratings = rated(random, units, 4, agree=agree, kind="ordinal")
    counts = np.stack([(ratings == value).sum(axis=0) for value in range(5)], axis=1)
    return {"": holds(fleiss_kappa(counts), _agreement_truth("kappa None", "ordinal", agree))}


@cache
def _agreement_truth(figure: str, kind: str, agree: float) -> float:
    """The coefficient in the population, from a million units."""
    ratings = rated(np.random.default_rng(3), 1_000_000, 2, agree=agree, kind=kind)
    name, _, rest = figure.partition(" ")
    if name == "kappa":
        return cohen_kappa(*ratings, weights=None if rest == "None" else rest).value  # type: ignore[arg-type]
    if rest == "interval":
        return agree
    return krippendorff_alpha(ratings, level=rest).value  # type: ignore[arg-type]


def _icc(units: int, form: str, random: Generator) -> Found:
    """Units, raters and residuals have the variances 1, 0.3 and 0.5."""
    raters = random.normal(0, np.sqrt(0.3), 4)
    ratings = random.normal(0, 1, (units, 1)) + random.normal(0, np.sqrt(0.5), (units, 4))
    if form.startswith("1"):
        ratings += random.normal(0, np.sqrt(0.3), (units, 4))
    else:
        ratings += raters
    truth = {"1,1": 1 / 1.8, "2,1": 1 / 1.8, "3,1": 1 / 1.5, "2,k": 1 / 1.2}[form]
    return {"": holds(intraclass_correlation(ratings, form=form), truth)}


def _answers() -> Iterator[Job]:
    clusters = {50: 30, 200: 40}
    for items, clustered in product(SIZES[:2], (False, True)):
        row = f"6 answers to each item, judges differ by item{', clusters' * clustered}"
        study = partial(_shared, items, clusters[items] * clustered)
        yield Job("Agreement on several answers to an item", row, f"{items} items", study)


def _shared(items: int, clusters: int, random: Generator) -> Found:
    """Alpha and kappas of words for the ratings, and ICC of ratings with a level of each rater."""
    normal, item, cluster = answered(random, items, clusters)
    levels = random.normal(0, np.sqrt(0.3), (len(normal), 1))
    words, shared = _in_words(normal), {"item": item.tolist(), "cluster": cluster.tolist()}
    truth = _truth_of_words()
    found = {
        "Krippendorff's alpha": krippendorff_alpha(words, level="interval", **shared),
        "Cohen's kappa": cohen_kappa(words[0], words[1], **shared),
        "Cohen's kappa, quadratic": cohen_kappa(words[0], words[1], weights="quadratic", **shared),
    }
    icc = intraclass_correlation((normal + levels).T, form="2,1", **shared)
    one_level = intraclass_correlation((normal + levels).T, form="3,1", **shared)
    return {
        **{name: holds(one, truth[name]) for name, one in found.items()},
        "ICC(2,1)": holds(icc, 0.6 / 1.3),
        "ICC(3,1)": holds(one_level, 0.6),
    }


def _in_words(normal: np.ndarray) -> np.ndarray:
    return np.digitize(normal, [-1.2, -0.4, 0.3, 1.0]).astype(float)


@cache
def _truth_of_words() -> dict[str, float]:
    """The coefficients in the population, from many items with one answer each."""
    words = _in_words(answered(np.random.default_rng(3), 300_000, 0, 2, 1)[0])
    return {
        "Krippendorff's alpha": krippendorff_alpha(words, level="interval").value,
        "Cohen's kappa": cohen_kappa(*words).value,
        "Cohen's kappa, quadratic": cohen_kappa(*words, weights="quadratic").value,
    }


def _judges() -> Iterator[Job]:
    for items in SIZES:
        study = partial(_judge, items)
        yield Job("Judges", "3 judges, 4 models, graded", f"{items} items", study)
        yield Job("Judges", "length of answers", f"{items} items", partial(_length, items))


def _judge(items: int, random: Generator) -> Found:
    frame, truth = judged(random, items)
    severity = judge_severity(frame)
    preference = self_preference(frame)
    return {
        "severity": holds(severity["a/judge"], truth["severity"]),
        "self-preference": holds(preference["a"], truth["preference"]),
        "mean of the panel": holds(panel_mean(frame), truth["panel"]),
    }


def _length(items: int, random: Generator) -> Found:
    frame, slope = written(random, items)
    return {"slope on length": holds(length_slope(frame)["judge"], slope)}


def _people() -> Iterator[Job]:
    """A judge scores 1,000 answers, and people label some of them."""
    section = "Means by people"
    for graded, kind, labels in product((False, True), (False, True), (50, 100, 200)):
        judge = "a judge that is too kind" if kind else "a judge that errs"
        row = f"{'graded' if graded else 'binary'}, {judge}"
        column = f"{labels} labels of 1,000 answers"
        study = partial(_labels, labels, graded, kind)
        yield Job(section, f"{row}, corrected (PPI++)", column, study)
        yield Job(
            section,
            f"{row}, mean by the judge alone",
            column,
            partial(_uncorrected, graded, kind),
            warning="the corrected mean is beside it",
        )


def _labels(labels: int, graded: bool, kind: bool, random: Generator) -> Found:
    mean = random.uniform(0.2, 0.9)
    people, judge = labelled(random, 1000, mean, graded=graded, kind=kind)
    found = prediction_powered_mean(people[:labels], judge[:labels], judge[labels:])
    return {"": holds(found, mean)}


def _uncorrected(graded: bool, kind: bool, random: Generator) -> Found:
    mean = random.uniform(0.2, 0.9)
    _, judge = labelled(random, 1000, mean, graded=graded, kind=kind)
    frame = pd.DataFrame({"item_id": np.arange(1000), "score": judge})
    return {"": holds(mean_score(frame, scale=(0, 1)), mean)}


def _corners() -> Iterator[Job]:
    section = "Corners"
    near = "The mean is near an end of the scale"
    for graded, items in product((False, True), SIZES):
        world = World(items, 1, graded)
        yield Job(
            section,
            f"mean between 0.95 and 0.99, {world.words()}",
            f"{items} items",
            partial(_mean, world, 0.95, 0.99),
            warning=near,
        )
        yield Job(
            section,
            f"difference of means above 0.9, {world.words()}",
            f"{items} items",
            partial(_difference, world, 0.9, 0.99),
            warning="none",
        )
    for clusters in (5, 10, 20):
        world = World(200, 1, True, clusters)
        yield Job(
            section,
            f"mean, {clusters} clusters, graded",
            "200 items",
            partial(_mean, world, 0.2, 0.9),
            warning=f"Only {clusters} independent clusters",
        )
    for models in (2, 3):
        for missing in (0.0, 0.05):
            row = f"{models} models, 3 replications, normal, {'REML' if missing else 'EMS'}"
            yield Job(
                section,
                row,
                "50 items",
                partial(_normal, (models, 50, 3), missing, ("model",)),
                warning="Few degrees of freedom",
            )
    for units in SIZES[:2]:
        yield Job(
            section,
            "Cohen's kappa, binary, common variance 0.98",
            f"{units} units",
            partial(_kappa, units, None, "binary", 0.98),
            warning="none",
        )
        yield Job(
            section,
            "Krippendorff's alpha, nominal, binary, common variance 0.98",
            f"{units} units",
            partial(_alpha, units, "nominal", "binary", 0.98),
            warning="none",
        )
