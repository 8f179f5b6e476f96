"""Studies from worlds of which everything is known."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

__all__ = [
    "World",
    "answered",
    "components_of",
    "judged",
    "labelled",
    "normal_scores",
    "paired_variances_of",
    "rated",
    "written",
]

ITEM_SD, OWN_SD = 0.8, 0.6


@dataclass(frozen=True)
class World:
    """Models that answer items: a probit model, so that means are exact.

    `graded` scores are tenths, `clusters` share half of the variance of items and have unequal
    sizes, `missing` is the share of scores that are lost at random.
    """

    items: int
    replications: int = 1
    graded: bool = False
    clusters: int = 0
    missing: float = 0.0

    def study(self, random: np.random.Generator, means: np.ndarray) -> pd.DataFrame:
        """The scores of one model per mean."""
        shape = (len(means), self.items, self.replications)
        cluster = self._clusters(random)
        item = random.normal(0, ITEM_SD, self.items)
        if self.clusters:
            shared = random.normal(0, ITEM_SD, self.clusters)[cluster]
            item = np.sqrt(0.5) * (item + shared)
        own = random.normal(0, OWN_SD, shape[:2])
        level = ndtri(means) * np.sqrt(1 + ITEM_SD**2 + OWN_SD**2)
        share = ndtr(level[:, None] + item + own)[:, :, None]
        steps = 10 if self.graded else 1
        scores = random.binomial(steps, np.broadcast_to(share, shape)) / steps
        scores[random.random(shape) < self.missing] = np.nan
        model, place, _ = np.indices(shape).reshape(3, -1)
        return pd.DataFrame(
            {
                "model": model,
                "item_id": place,
                "passage": cluster[place],
                "score": scores.ravel(),
            }
        )

    def _clusters(self, random: np.random.Generator) -> np.ndarray:
        """The cluster of each item; each has one item at least."""
        if not self.clusters:
            return np.arange(self.items)
        rest = random.integers(0, self.clusters, self.items - self.clusters)
        return np.concatenate([np.arange(self.clusters), rest])

    def expected(self, mean: float, of: Callable[[np.ndarray], np.ndarray]) -> float:
        """The mean over items of a function of their share of right answers."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(80)
        spread = np.sqrt(ITEM_SD**2 + OWN_SD**2)
        share = ndtr(ndtri(mean) * np.sqrt(1 + spread**2) + spread * nodes)
        return float(of(share) @ weights / weights.sum())

    @staticmethod
    def means(random: np.random.Generator, models: int, deviation: float) -> np.ndarray:
        """The means of models whose levels are normal around that of a share of 0.6."""
        rest = np.sqrt(1 + ITEM_SD**2 + OWN_SD**2)
        centre = ndtri(0.6) * np.sqrt(rest**2 + deviation**2)
        return ndtr((centre + random.normal(0, deviation, models)) / rest)

    @property
    def cluster(self) -> str | None:
        """The column to cluster by."""
        return "passage" if self.clusters else None

    def words(self) -> str:
        """The world without its number of items."""
        parts = [
            "graded" if self.graded else "binary",
            f"{self.replications} replication{'s' * (self.replications > 1)}",
            "clusters" if self.clusters else "",
            f"{self.missing:.0%} missing" if self.missing else "",
        ]
        return ", ".join(part for part in parts if part)


def normal_scores(
    random: np.random.Generator, shape: tuple[int, int, int], deviations: dict[str, float]
) -> pd.DataFrame:
    """Scores of models x items x replications: a sum of normal effects."""
    models, items, _ = shape
    scores = (
        random.normal(0, deviations["model"], (models, 1, 1))
        + random.normal(0, deviations["item"], (1, items, 1))
        + random.normal(0, deviations["model:item"], (models, items, 1))
        + random.normal(0, deviations["residual"], shape)
    )
    model, item, _ = np.indices(shape).reshape(3, -1)
    return pd.DataFrame({"model": model, "item": item, "score": scores.ravel()})


def components_of(model_sd: float, mean: float = 0.6, draws: int = 400_000) -> dict[str, float]:
    """The variance components of binary scores in a world, by drawing it many times."""
    random = np.random.default_rng(5)
    total = 1 + model_sd**2 + ITEM_SD**2 + OWN_SD**2
    level = ndtri(mean) * np.sqrt(total)
    model, item = random.normal(0, model_sd, draws), random.normal(0, ITEM_SD, draws)
    # Two models on two items each: covariances of what they share are the components.
    other_model, other_item = random.normal(0, model_sd, draws), random.normal(0, ITEM_SD, draws)
    owns = np.sqrt(1 + OWN_SD**2)
    both, same_model, same_item = (
        ndtr((level + one + two) / owns)
        for one, two in ((model, item), (model, other_item), (other_model, item))
    )
    of_model = float(np.cov(both, same_model)[0, 1])
    of_item = float(np.cov(both, same_item)[0, 1])
    share = ndtr(level + model + item + random.normal(0, OWN_SD, draws))
    return {
        "model": of_model,
        "item": of_item,
        "model:item": float(share.var()) - of_model - of_item,
        "residual": float((share * (1 - share)).mean()),
    }


def paired_variances_of(
    low: float, high: float, *, graded: bool, draws: int = 400_000
) -> tuple[float, float]:
    """Of two models with these means: the variance over items of their true difference, and the
    mean variance of one answer."""
    random = np.random.default_rng(7)
    level = ndtri(np.array([[low], [high]])) * np.sqrt(1 + ITEM_SD**2 + OWN_SD**2)
    item = random.normal(0, ITEM_SD, draws)
    share = ndtr(level + item + random.normal(0, OWN_SD, (2, draws)))
    of_answer = float((share * (1 - share)).mean()) / (10 if graded else 1)
    return float((share[1] - share[0]).var()), of_answer


def rated(
    random: np.random.Generator, units: int, raters: int, *, agree: float, kind: str
) -> np.ndarray:
    """Ratings, raters x units, of a share `agree` of common variance."""
    truth = random.normal(0, np.sqrt(agree), units)
    found = truth + random.normal(0, np.sqrt(1 - agree), (raters, units))
    if kind == "binary":
        return (found > -0.3).astype(float)
    if kind == "ordinal":
        return np.digitize(found, [-1.2, -0.4, 0.3, 1.0]).astype(float)
    return found


def judged(random: np.random.Generator, items: int) -> tuple[pd.DataFrame, dict[str, float]]:
    """Scores of three judges on four models, and the truth about the judge of family a."""
    models, judges = ["a/one", "a/two", "b/one", "c/one"], ["a/judge", "b/judge", "d/judge"]
    severity, level = np.array([0.6, -0.4, 0.0]), np.array([0.0, 0.5, -0.5, 0.3])
    preference = 0.7
    family = np.array([[model[0] == judge[0] for model in models] for judge in judges])
    shape = (len(judges), len(models), items)
    answer = random.normal(0, 1, (len(models), items)) + random.normal(0, 1, items)
    scores = (
        5
        + level[None, :, None]
        + answer[None]
        + severity[:, None, None]
        + preference * family[:, :, None]
        + random.normal(0, 0.5, (len(judges), 1, items))
        + random.normal(0, 0.8, shape)
    )
    judge, model, item = np.indices(shape).reshape(3, -1)
    frame = pd.DataFrame(
        {
            "grade_condition_id": np.array(judges)[judge],
            "grader_model": np.array(judges)[judge],
            "model": np.array(models)[model],
            "gen_condition_id": np.array(models)[model],
            "item_id": item,
            "replication": 1,
            "score": scores.ravel(),
        }
    )
    means = severity[:, None] + level[None, :] + preference * family
    return frame, {
        "severity": float(means[0].mean() - means.mean()),
        "preference": preference,
        "panel": float(5 + means.mean()),
    }


def written(random: np.random.Generator, items: int) -> tuple[pd.DataFrame, float]:
    """Answers of different length, whose scores rise with it, and vary more where it is long."""
    slope, answers = 0.4, 4
    size = random.integers(100, 3000, (items, answers))
    quality = random.normal(0, 1, (items, 1)) + random.normal(0, 0.2 + size / 3000)
    frame = pd.DataFrame(
        {
            "item_id": np.repeat(np.arange(items), answers),
            "grade_condition_id": "judge",
            "length": size.ravel(),
            "score": (quality + slope * size / 1000).ravel(),
        }
    )
    return frame.rename(columns={"length": "solution"}), slope


def answered(
    random: np.random.Generator, items: int, clusters: int, raters: int = 3, answers: int = 6
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ratings of several answers to each item, raters x units, of judges that differ by item.

    Also the item and the cluster of each unit. Items, answers, judges on an item and noise have the
    variances 0.3, 0.3, 0.25 and 0.15; items of a cluster share half of theirs.
    """
    item = np.repeat(np.arange(items), answers)
    of_item = np.arange(items) % clusters if clusters else np.arange(items)
    cluster = of_item[item]

    def shared(variance: float, *shape: int) -> np.ndarray:
        own = random.normal(0, np.sqrt(variance), (*shape, items))
        with_others = random.normal(0, np.sqrt(variance), (*shape, items))[..., of_item]
        return (np.sqrt(0.5) * (own + with_others) if clusters else own)[..., item]

    units = shared(0.3) + random.normal(0, np.sqrt(0.3), len(item))
    noise = random.normal(0, np.sqrt(0.15), (raters, len(item)))
    return units + shared(0.25, raters) + noise, item, cluster


def labelled(
    random: np.random.Generator, answers: int, mean: float, *, graded: bool, kind: bool
) -> tuple[np.ndarray, np.ndarray]:
    """What people and a judge give to answers: people give `mean` to all that there are.

    The judge errs. A `kind` one passes four in ten wrong answers, or gives 0.15 more.
    """
    if graded:
        people = random.binomial(10, random.beta(4 * mean, 4 * (1 - mean), answers)) / 10
        judge = people + 0.15 * kind + random.normal(0, 0.15, answers)
        return people, np.round(np.clip(judge, 0, 1), 1)
    people = (random.random(answers) < mean).astype(float)
    passes = np.where(people == 1, 0.9, 0.4 if kind else 0.1)
    return people, (random.random(answers) < passes).astype(float)
