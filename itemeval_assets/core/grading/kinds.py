"""The graders that there are. A new one is a file of its own, and a line here."""

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError, ValidationInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from itemeval_assets.core.text.nearest import nearest

from .grader import Grader, GraderConfig, ScorerConfig
from .judges.judge import JudgeConfig
from .judges.model_graded import ModelGradedConfig
from .own.code_of_others import InspectConfig, PackagedConfig, PythonConfig
from .own.contains import ContainsConfig
from .own.json_value import JsonConfig
from .own.regex import RegexConfig
from .people import HumanConfig
from .scorers.exact_match import EXACT_MATCH
from .scorers.multiple_choice import MULTIPLE_CHOICE
from .scorers.numeric import NUMERIC
from .task_scorer import task_scorers

# By the word of `kind` in an entry of `graders:`. An entry without one is a judge.
KINDS: dict[str, type[GraderConfig]] = {
    "judge": JudgeConfig,
    "human": HumanConfig,
}
# A judge that names a scorer of inspect_ai, in the place of rubrics.
OF_SCORERS = ModelGradedConfig

# By the word of `facets.scorer`.
SCORERS: dict[str, Grader] = {
    scorer.name: scorer
    for scorer in (
        EXACT_MATCH,
        MULTIPLE_CHOICE,
        NUMERIC,
    )
}

# By the word of `type` in an entry of `scorers:`.
TYPES: dict[str, type[ScorerConfig]] = {
    "regex": RegexConfig,
    "contains": ContainsConfig,
    "json": JsonConfig,
    "python": PythonConfig,
    "inspect": InspectConfig,
}
# What any other word is, where a package offers a scorer under it.
OF_PACKAGES = PackagedConfig
# What a task of inspect_ai brings along.
OF_TASKS = task_scorers


def sections_of(base: type[BaseModel]) -> list[type[BaseModel]]:
    """The sections that an entry of `graders:` or `scorers:` may be; none for another section."""
    if issubclass(base, GraderConfig):
        return [*KINDS.values(), OF_SCORERS]
    return [*TYPES.values(), OF_PACKAGES] if issubclass(base, ScorerConfig) else []


def section_of_entry(base: type[BaseModel], entry: object) -> type[BaseModel]:
    """The section that an entry is by its `kind` or `type`; any where that is unknown."""
    if issubclass(base, GraderConfig):
        return _kind(entry)
    word = entry.get("type") if isinstance(entry, Mapping) else None
    return TYPES.get(str(word), OF_PACKAGES)


def _kind(entry: object) -> type[GraderConfig]:
    kind = KINDS.get(str(_kind_word(entry)), JudgeConfig)
    names_scorer = isinstance(entry, Mapping) and "scorer" in entry
    return OF_SCORERS if kind is JudgeConfig and names_scorer else kind


def _kind_word(entry: object) -> object:
    return entry.get("kind", "judge") if isinstance(entry, Mapping) else "judge"


def model_as_grader(model: str) -> GraderConfig:
    """What the bare id of a model means in `facets.grader`."""
    return JudgeConfig(model=model)


def person_as_grader(scale: tuple[float, float]) -> GraderConfig:
    """The entry of a person. Raises ValidationError for what is no scale."""
    return HumanConfig(kind="human", scale=scale)


def read_entry(entry: Any) -> GraderConfig:
    """An entry of `graders:` as its section. Raises ValidationError for what is wrong."""
    kind = _kind_word(entry)
    if str(kind) not in KINDS:
        raise _unknown("grader", "kind", kind, KINDS)
    return _kind(entry).model_validate(entry)


def read_scorer(entry: Any, info: ValidationInfo) -> ScorerConfig:
    """An entry of `scorers:` as its section. Raises ValidationError for what is wrong.

    The context may hold the `packaged` types: those that installed packages offer.
    """
    packaged: Collection[str] = (info.context or {}).get("packaged", ())
    word = entry.get("type") if isinstance(entry, Mapping) else "regex"
    if isinstance(entry, Mapping) and str(word) not in {*TYPES, *packaged}:
        raise _unknown("scorer", "type", word, [*TYPES, *packaged])
    section = TYPES.get(str(word), OF_PACKAGES)
    return section.model_validate(entry)


def _unknown(what: str, key: str, word: object, known: Collection[str]) -> ValidationError:
    near = nearest(str(word), known)
    hint = f"; did you mean {near!r}?" if near else ""
    start = f"unknown {key} of {what} {word!r}" if word is not None else "this key is required"
    message = f"{start}; known {key}s: {', '.join(known)}{hint}"
    problem = PydanticCustomError("value_error", "{message}", {"message": message})
    details = InitErrorDetails(type=problem, loc=(key,), input=word)
    return ValidationError.from_exception_data(what, [details])


def is_rater(entry: Mapping[str, Any]) -> bool:
    """Whether an entry of `graders:`, as YAML has it, is a person who rates."""
    return KINDS.get(str(entry.get("kind"))) is HumanConfig
