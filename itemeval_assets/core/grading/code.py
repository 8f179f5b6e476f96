"""Code of others that grades: what it is, where it is read from, and how far it may go."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

# The group of entry points under which packages offer scorers.
SCORERS_GROUP = "itemeval_assets.scorers"
# The kinds of failure of one grading by code of others.
FAILED, LATE, NOT_FINITE, NOT_NUMERIC = (
    "scorer_error",
    "scorer_timeout",
    "scorer_not_finite",
    "scorer_not_numeric",
)

# The scorers of inspect_ai that ask a model.
MODEL_GRADED = ("model_graded_qa", "model_graded_fact")
_LIVE = "it reads more than the text of the answer: {}, which only a live sample of inspect_ai has"
_JUDGE = (
    "it asks a model: make it a judge, an entry of `graders` with the model, such as "
    "qa: {{model: <provider>/<model>, scorer: {scorer}}}, and name it in facets.grader"
)
_ARGUMENTS = "its arguments are functions or other scores, which a YAML file cannot hold"
_MARKS = _LIVE.format("the choices that its solver marked")
_LOGPROBS = _LIVE.format("the log probabilities of tokens")
# Scorers of inspect_ai that no text is enough for, and why.
REFUSED_OF_INSPECT = {
    "choice": f"{_MARKS}. For letters use the scorer multiple_choice, or `scorer: answer`",
    "perplexity": _LOGPROBS,
    "target_perplexity": _LOGPROBS,
    **{scorer: _JUDGE.format(scorer=scorer) for scorer in MODEL_GRADED},
    "cascade": _ARGUMENTS,
    "multi_scorer": _ARGUMENTS,
    "precomputed_scores": _ARGUMENTS,
}

# As inspect_ai reads the values of scores.
_WORDS = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
_TRUTHS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}

# Of one by a scorer of a task: the log has no such score; the scorer gave another value.
NOT_SCORED, NO_SUCH_VALUE = "not_scored", "no_such_value"


def of_inspect(value: Any) -> Any:
    """A value of inspect_ai's, its words as numbers."""
    if not isinstance(value, str):
        return value
    known = _WORDS.get(value, _TRUTHS.get(value.lower()))
    if known is not None:
        return known
    try:
        return float(value)
    except ValueError:
        return value


@dataclass(frozen=True)
class FunctionCode:
    """A function of a file beside the YAML, or of a module that can be imported."""

    place: str
    function: str

    @property
    def said(self) -> str:
        """What messages call it."""
        return f"{self.place}:{self.function}"

    @property
    def is_file(self) -> bool:
        return self.place.endswith(".py")


@dataclass(frozen=True)
class PackagedCode:
    """A function that an installed package offers by an entry point."""

    name: str
    args: Mapping[str, Any] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """What messages call it."""
        return repr(self.name)


@dataclass(frozen=True)
class InspectCode:
    """A scorer of inspect_ai, or of a package that registers its scorers there."""

    scorer: str
    args: Mapping[str, Any] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """What messages call it."""
        return repr(self.scorer)


Code = FunctionCode | PackagedCode | InspectCode
_KEYS = {FunctionCode: "function", PackagedCode: "type", InspectCode: "scorer"}
_CODES = {kind.__name__: kind for kind in _KEYS}


@dataclass(frozen=True)
class Source:
    """What was read of the code of a scorer, without running it.

    A function has `path` and `text` of its file, a package its name and `version`.
    """

    path: str = ""
    text: str = ""
    version: str = ""

    @property
    def hash(self) -> str:
        """First 12 hex digits of the sha256 of the text, its lines ended by `\\n`."""
        text = self.text.replace("\r\n", "\n").replace("\r", "\n")
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


@dataclass(frozen=True)
class Program:
    """Code of others with its source and its limits.

    `where`: its place in the YAML. `timeout_s` is for each answer, `memory_mb` for all that the
    process allocates beyond what loading takes.
    """

    where: str
    code: Code
    source: Source
    timeout_s: float
    memory_mb: int

    @property
    def place(self) -> str:
        """The key of the YAML that names its code."""
        return f"{self.where}.{_KEYS[type(self.code)]}"

    def cannot_load(self, why: str) -> str:
        """The message for code that cannot be loaded."""
        return f"{self.place}: {self.code.said} cannot be loaded: {why}"

    def to_json(self) -> str:
        """The program as one line, for another process."""
        return json.dumps({**asdict(self), "kind": type(self.code).__name__})

    @classmethod
    def from_json(cls, text: str | bytes) -> "Program":
        """What `to_json` gave."""
        found: dict[str, Any] = json.loads(text)
        kind = _CODES[found.pop("kind")]
        code, source = kind(**found.pop("code")), Source(**found.pop("source"))
        return cls(code=code, source=source, **found)
