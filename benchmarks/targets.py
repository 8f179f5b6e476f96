"""What the benchmarks measure against: a name, a bound, and how a measured value stands to it."""

import json
import sys
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Target", "report"]


@dataclass(frozen=True)
class Target:
    """One figure. `bound` is a most, or with `at_least` a least; `how` says what was divided."""

    name: str
    measured: float
    bound: float
    how: str
    at_least: bool = False

    @property
    def share(self) -> float:
        """How much of its bound a figure uses: above 1 it is missed."""
        worse, better = (
            (self.bound, self.measured) if self.at_least else (self.measured, self.bound)
        )
        return worse / better


def report(targets: list[Target], **facts: Any) -> None:
    """Print one JSON document: the targets, and the seconds and bytes behind them."""
    json.dump({"targets": [asdict(target) for target in targets], "facts": facts}, sys.stdout)
    sys.stdout.write("\n")
