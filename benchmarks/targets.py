"""What the benchmarks measure against: a name, a bound, and how a measured value stands to it."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Any

__all__ = ["Target", "report", "together"]


@dataclass(frozen=True)
class Target:
    """One figure. `bound` is a most, or with `at_least` a least; `how` says what was divided.

    `trials` has the figures of all trials, where there were several.
    """

    name: str
    measured: float
    bound: float
    how: str
    at_least: bool = False
    trials: Sequence[float] = ()

    @property
    def share(self) -> float:
        """How much of its bound a figure uses: above 1 it is missed."""
        worse, better = (
            (self.bound, self.measured) if self.at_least else (self.measured, self.bound)
        )
        return worse / better

    @property
    def limit(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}"

    @property
    def spread(self) -> str:
        """The lowest and the highest of the trials."""
        if not self.trials:
            return "one run"
        return f"{min(self.trials):.3g} to {max(self.trials):.3g}"


def together(runs: Sequence[Sequence[Target]]) -> list[Target]:
    """The targets of several runs of a benchmark as one: the median of each, and its spread."""
    if len(runs) == 1:
        return list(runs[0])
    return [
        replace(
            same[0],
            measured=median(target.measured for target in same),
            trials=[trial for target in same for trial in (target.trials or [target.measured])],
        )
        for same in zip(*runs, strict=True)
    ]


def report(targets: list[Target], **facts: Any) -> None:
    """Print one JSON document: the targets, and the seconds and bytes behind them."""
    json.dump({"targets": [asdict(target) for target in targets], "facts": facts}, sys.stdout)
    sys.stdout.write("\n")
