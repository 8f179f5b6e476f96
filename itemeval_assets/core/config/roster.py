"""A roster: the models that those of a study are drawn from, one on each line of a text file."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.text.words import bytes_of, cut
from itemeval_assets.core.text.yaml.sections import MODEL_ID

from .rules.names import LONGEST_NAME_BYTES, why_no_model

_MOST_SHOWN = 5
_KEY = "solvers.sample.roster"


@dataclass(frozen=True)
class Roster:
    """A roster as the study draws from it. `file`: its path, as the YAML has it.

    `is_locked`: a run has taken it for this study. `change`: what the file says otherwise now, in
    words; null where it says the same. `output_usd_per_mtok`: what output of its models costs,
    where the draw looks at prices.
    """

    file: str
    models: tuple[str, ...]
    is_locked: bool = False
    change: str | None = None
    output_usd_per_mtok: Mapping[str, float] = field(default_factory=dict, hash=False)

    def to_record(self) -> dict[str, Any]:
        """As it is stored."""
        record = {**asdict(self), "models": list(self.models)}
        if not self.output_usd_per_mtok:
            del record["output_usd_per_mtok"]
        return record

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Roster":
        """What `to_record` gave. Raises ValueError for anything else."""
        try:
            found = cls(**{**record, "models": tuple(map(str, record["models"]))})
        except (TypeError, KeyError) as error:
            raise ValueError(str(error)) from error
        if not found.models or not isinstance(found.file, str):
            raise ValueError("it names no model, or no file")
        usd = found.output_usd_per_mtok
        if not (
            isinstance(usd, dict) and all(isinstance(one, int | float) for one in usd.values())
        ):
            raise ValueError("its prices are no numbers")
        return found


def parse_roster(text: str, file: str) -> tuple[str, ...]:
    """The models of a roster, in the order of its lines. `file`: where it is.

    Raises ConfigError that lists every problem with its line.
    """
    lines: dict[str, int] = {}
    problems = []
    for nr, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        model = re.sub(r"(^|\s)#.*", "", line).strip()
        if not model:
            continue
        if problem := _problem(model, lines.get(model)):
            problems.append(f"  line {nr}: {problem}")
        lines.setdefault(model, nr)
    if problems:
        raise ConfigError("\n".join([f"{_KEY}: {file} has problems:", *problems]))
    if not lines:
        raise ConfigError(f"{_KEY}: {file} has no model; write <provider>/<model> on each line")
    return tuple(lines)


def words_on_change(before: Iterable[str], now: Iterable[str]) -> str | None:
    """Which models came to a roster and which left it; null where it has the same ones."""
    then, present = dict.fromkeys(before), dict.fromkeys(now)
    came = [model for model in present if model not in then]
    left = [model for model in then if model not in present]
    parts = [
        f"{word} {named(models)}" for word, models in (("new:", came), ("gone:", left)) if models
    ]
    return "; ".join(parts) or None


def named(models: list[str]) -> str:
    """Some models in words; of many, the first."""
    more = f" and {len(models) - _MOST_SHOWN:,} more" if len(models) > _MOST_SHOWN else ""
    return f"{', '.join(models[:_MOST_SHOWN])}{more}"


def _problem(model: str, first_line: int | None) -> str | None:
    if first_line is not None:
        return f"{cut(model)!r} is on line {first_line} already; remove one of the two"
    if not re.fullmatch(MODEL_ID, model):
        return f"write a model as <provider>/<model>, without blanks; found {cut(model)!r}"
    if (size := bytes_of(model)) > LONGEST_NAME_BYTES:
        longest = f"a name may have at most {LONGEST_NAME_BYTES:,}"
        return f"{cut(model)!r} has {size:,} bytes; {longest}"
    return why_no_model(model)
