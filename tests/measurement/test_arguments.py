"""Every argument of every public function: what is of a wrong kind is refused in words."""

import inspect
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from itemeval_assets import measurement
from itemeval_assets.measurement import MeasurementError
from tests.measurement.frames import LSAT6, random_scores

FRAME = random_scores(2, 20, 2)
ONE = FRAME[FRAME["model"] == "lab/m0"]


def judged() -> pd.DataFrame:
    """Two judges of two families, who differ on some answers."""
    models = FRAME["model"].replace("lab/m1", "other/m1")
    answers = FRAME.assign(
        model=models,
        gen_condition_id=models,
        solution=["x" * (1 + n % 7) for n in range(len(FRAME))],
    )
    parts = [
        answers.assign(grade_condition_id="a", grader_model="lab/judge"),
        answers.assign(
            grade_condition_id="b",
            grader_model="other/judge",
            score=1 - FRAME["score"] * (np.arange(len(FRAME)) % 3 > 0),
        ),
    ]
    return pd.concat(parts, ignore_index=True)


JUDGED = judged()
DIFFERENCE = measurement.compare(FRAME, "lab/m0", "lab/m1")
PLANNED = {
    "variances": measurement.PairedVariances(omega2=0.2, sigma2=0.1),
    "cost": lambda items, replications, repeats: measurement.Cost(items * replications, 1.0),
}
SOUND: Mapping[str, Mapping[str, Any]] = {
    "adjusted_by_holm": {"differences": [DIFFERENCE]},
    "best_design": {**PLANNED, "max_usd": 5.0},
    "cheapest_design": {**PLANNED, "detect": 0.1},
    "cohen_kappa": {"a": [1, 2, 1, 1], "b": [1, 2, 2, 1]},
    "compare": {"frame": FRAME, "a": "lab/m0", "b": "lab/m1"},
    "compare_all": {"frame": FRAME},
    "dead_items": {"frame": FRAME},
    "decision_study": {
        "components": measurement.variance_components(FRAME, ["model", "item_id"]),
        "n": {"item_id": 3},
    },
    "fleiss_kappa": {"counts": [[2, 1], [0, 3], [3, 0], [1, 2]]},
    "holm": {"p": [0.1, 0.2]},
    "inferiority": {"found": DIFFERENCE, "margin": 0.5},
    "interaction": {
        "frame": FRAME.assign(part=FRAME["passage"].str[-1]),
        "a": "lab/m0",
        "b": "lab/m1",
        "by": "part",
    },
    "intraclass_correlation": {"ratings": [[1, 2], [2, 2], [3, 5], [4, 4]]},
    "irt": {"matrix": LSAT6[:300, :4]},
    "item_statistics": {"frame": FRAME},
    "items_needed": {"detect": 0.1, "omega2": 0.2},
    "judge_severity": {"frame": JUDGED},
    "krippendorff_alpha": {"ratings": [[1, 2, 3, 2], [1, 2, 2, 2]]},
    "length_slope": {"frame": JUDGED},
    "majority_at_k": {"frame": ONE, "k": 2},
    "mcnemar": {"table": [[3, 2], [4, 5]]},
    "mean_score": {"frame": ONE},
    "prediction_powered_mean": {
        "labels": [0, 1, 1, 0] * 10,
        "judged": [0, 1, 0, 0] * 10,
        "judged_only": [0, 1, 1, 1] * 30,
    },
    "mean_scores": {"frame": FRAME, "by": "model"},
    "paired_variances": {"frame": FRAME},
    "panel_mean": {"frame": JUDGED[JUDGED["model"] == "lab/m0"]},
    "pass_at_k": {"frame": ONE, "k": 2},
    "plan_frontier": dict(PLANNED),
    "precision": {"found": DIFFERENCE, "half_width": 0.5},
    "rating_matrix": {"frame": JUDGED},
    "response_matrix": {"frame": FRAME},
    "self_agreement": {"frame": JUDGED, "repeats": ["a", "b"]},
    "self_preference": {"frame": JUDGED},
    "smallest_difference": {"items": 50, "omega2": 0.2},
    "variance_components": {"frame": FRAME, "facets": ["model", "item_id"]},
    "wilson_interval": {"successes": 3, "n": 5},
    "within_margin": {"found": DIFFERENCE, "margin": 0.5},
}
WRONG: list[Any] = [
    *(5, 1.5, -1, 0, 95, math.nan, math.inf, None, True, pd.NA),
    *("", "x", b"x", object(), np.array([1.0, 2.0])),
    *([], ["x", 3], (1,), (0, math.nan), {"a": 1}, {"item_id": math.nan}, {1: [2]}),
]


def test_every_public_function_has_a_case():
    found = {name: getattr(measurement, name) for name in measurement.__all__}
    public = {name for name, one in found.items() if inspect.isfunction(one)}
    assert public == set(SOUND)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", SOUND)
def test_what_is_of_a_wrong_kind_is_refused_in_words_and_never_breaks(name):
    function, sound = getattr(measurement, name), SOUND[name]
    function(**sound)
    for parameter in inspect.signature(function).parameters:
        for value in WRONG:
            try:
                function(**{**sound, parameter: value})
            except MeasurementError as error:
                assert len(str(error)) > 20


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: measurement.mean_score(ONE, missing=math.nan), "missing is nan: give a whole"),  # type: ignore[arg-type]
        (lambda: measurement.mean_score(ONE, level="x"), "level is 'x': give a finite number"),  # type: ignore[arg-type]
        (
            lambda: measurement.mean_score(ONE, level=95),
            "level is 95: give a share from 0.5 to 0.9999, such as 0.95",
        ),
        (lambda: measurement.pass_at_k(ONE, 1.5), "k is 1.5: give a whole number"),  # type: ignore[arg-type]
        (lambda: measurement.mean_scores(FRAME, by=""), "by is '': give a text that is not empty"),
        (lambda: measurement.compare(FRAME, "lab/m0", None), "b is None: give one value"),
        (
            lambda: measurement.decision_study(DIFFERENCE, {}),  # type: ignore[arg-type]
            "give a Components",
        ),
    ],
)
def test_the_message_names_the_argument_and_what_to_give(call, message):
    with pytest.raises(MeasurementError, match=message):
        call()
