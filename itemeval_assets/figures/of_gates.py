"""Is the new one worse, by more than a margin?"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from itemeval_assets.core.design.selection import Words, listed
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.measurement.arguments import checked_as

from .opening import as_study, graded_cells, notes_of

if TYPE_CHECKING:
    from itemeval_assets.core.config.sections import GateConfig
    from itemeval_assets.stages.figures.gates.records import StudyGate

__all__ = ["gate"]


@checked_as(ConfigError)
def gate(
    config: str | Path | Study,
    *,
    against: str | None = None,
    candidate: str | None = None,
    margin: float | None = None,
    metrics: Words = None,
    policy: str | None = None,
) -> "StudyGate":
    """PASS, FAIL or INCONCLUSIVE: is the candidate worse than `against` by `margin` or more?

    Each argument stands in the place of its key of `gate:`. `against` is a release, or a
    condition, model, prompt or config, as `candidate` is. PASS: the one-sided lower bound of
    candidate less against is above -margin, by all `metrics`. FAIL: an upper bound is below it.
    INCONCLUSIVE says what would decide. Raises ConfigError or MeasurementError for what is no gate
    of this study.
    """
    from itemeval_assets.releases.gates import gate as judged

    study = as_study(config)
    asked = _asked(study, against, candidate, margin, metrics)
    planned = graded_cells(study, policy)
    found = judged(planned, asked)
    return replace(found, notes=[*notes_of(planned), *found.notes])


def _asked(
    study: Study,
    against: str | None,
    candidate: str | None,
    margin: float | None,
    metrics: Words,
) -> "GateConfig":
    """What is asked for, else what the YAML says."""
    from itemeval_assets.core.config.sections import GateConfig

    if margin is not None and margin <= 0:
        raise ConfigError(f"gate.margin: {margin:g}: give a difference above 0, such as 0.02")
    given = {
        "against": against,
        "candidate": candidate,
        "margin": margin,
        "metrics": None if metrics is None else listed("metrics", metrics),
    }
    in_file = study.config.gate.model_dump() if study.config.gate else {}
    asked = {**in_file, **{name: value for name, value in given.items() if value is not None}}
    for name, example in {"against": "v1.0.0", "margin": "0.02"}.items():
        if asked.get(name) is None:
            raise ConfigError(
                f"gate.{name}: say it in the study, `gate: {{{name}: {example}}}`, or with"
                f" --{name} {example}"
            )
    if asked.get("metrics") == []:
        raise ConfigError("gate.metrics: an empty list; leave it out for all graders")
    return GateConfig(**asked)
