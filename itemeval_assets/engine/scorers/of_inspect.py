"""Scorers of inspect_ai on a stored answer: the state of a sample that has just been answered."""

import asyncio
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any, cast

from inspect_ai._util.error import PrerequisiteError
from inspect_ai._util.registry import RegistryInfo, registry_find, registry_unqualified_name
from inspect_ai.model import ChatMessageAssistant, ChatMessageUser, ModelName, ModelOutput
from inspect_ai.scorer import Score, Target
from inspect_ai.solver import TaskState
from inspect_ai.util import registry_create

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.grading.code import REFUSED_OF_INSPECT, InspectCode
from itemeval_assets.core.text.nearest import did_you_mean
from itemeval_assets.engine.advice import advised, one_line

from .arguments import OF_A_FILE, ArgumentsError, require_arguments

# Of an answer that is stored, the model is named elsewhere.
_MODEL = "none/none"
# An answer that each scorer can read, with the same target.
_PLAIN = "1"


def inspect_scorer(code: InspectCode) -> Callable[[str, str, dict[str, Any]], Any]:
    """A scorer of this name, made with its arguments.

    Raises ConfigError where there is none, ArgumentsError for arguments that it does not take.
    """
    scorer = _made(code)
    loop = asyncio.new_event_loop()

    def scored(solution: str, target: str, metadata: dict[str, Any]) -> Any:
        return loop.run_until_complete(scorer(_state(solution, metadata), Target(target)))

    _try_arguments(code, scored)

    def score(solution: str, target: str, metadata: dict[str, Any]) -> Any:
        found = scored(solution, target, metadata)
        # The answer is in the table, and explains nothing.
        return (
            found.model_copy(update={"explanation": None}) if _repeats(found, solution) else found
        )

    return score


def _made(code: InspectCode) -> Any:
    try:
        made = registry_create("scorer", code.scorer, **code.args)
    except LookupError:
        raise ConfigError(_why_unknown(code.scorer)) from None
    except PrerequisiteError as error:
        raise ConfigError(advised(one_line(error))) from None
    except (TypeError, ValueError) as error:
        _require_arguments(code)
        raise ArgumentsError(f"{code.said} does not take {code.args}: {one_line(error)}") from None
    _require_arguments(code)
    return made


def _try_arguments(code: InspectCode, scored: Callable[[str, str, dict[str, Any]], Any]) -> None:
    """Raise ArgumentsError for arguments with which not even a plain answer has a score.

    Scorers of inspect_ai's own read any text. What those of packages read, only they know.
    """
    if not code.args or "/" in code.scorer.removeprefix("inspect_ai/"):
        return
    try:
        scored(_PLAIN, _PLAIN, {})
    except PrerequisiteError as error:
        raise ConfigError(advised(one_line(error))) from None
    except Exception as error:
        raise ArgumentsError(
            f"{code.said} with {code.args} cannot score the answer {_PLAIN!r}: {one_line(error)}"
        ) from None


def _require_arguments(code: InspectCode) -> None:
    """Raise ArgumentsError for what is seen to be wrong before the scorer is called."""
    names = {code.scorer, f"inspect_ai/{code.scorer}"}
    for maker in registry_find(lambda found: _is_scorer(found) and found.name in names):
        require_arguments(cast(Callable[..., Any], maker), code.said, code.args)


def _repeats(found: Any, solution: str) -> bool:
    return isinstance(found, Score) and found.explanation == solution


def _why_unknown(name: str) -> str:
    if ".py" in name:
        return f"{name!r} is in a file, and `type: inspect` takes scorers of packages; {OF_A_FILE}"
    package, _, _ = name.rpartition("/")
    if package and package not in {entry.name for entry in entry_points(group="inspect_ai")}:
        return f"no installed package registers {package!r} with inspect_ai, so none has {name!r}"
    known = {registry_unqualified_name(one) for one in registry_find(_is_scorer)} - {
        *REFUSED_OF_INSPECT
    }
    offered = sorted(one for one in known if not one.startswith("_"))
    return f"inspect_ai knows no scorer {name!r}; {did_you_mean(name, offered)}"


def _is_scorer(found: RegistryInfo) -> bool:
    return found.type == "scorer"


def _state(solution: str, metadata: dict[str, Any]) -> TaskState:
    return TaskState(
        model=ModelName(_MODEL),
        sample_id=1,
        epoch=1,
        input="",
        messages=[ChatMessageUser(content=""), ChatMessageAssistant(content=solution)],
        output=ModelOutput.from_content(_MODEL, solution),
        metadata=metadata,
        completed=True,
    )
