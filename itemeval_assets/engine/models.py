"""Resolving model ids to inspect models, with errors a user can act on."""

import re
from collections.abc import Mapping
from typing import Any

from inspect_ai._util.error import PrerequisiteError
from inspect_ai.model import Model, get_model

from itemeval_assets.core.errors import ModelError

from .mock_models import is_mock, mock_model

__all__ = ["require_models", "resolve_model"]


def require_models(models: Mapping[str, str]) -> None:
    """Raise one ModelError that names every model which cannot be resolved.

    `models`: id -> the YAML path that names it. Makes no call.
    """
    problems = []
    for model, where in models.items():
        try:
            resolve_model(model, where)
        except ModelError as error:
            problems.append(str(error))
    if problems:
        raise ModelError("\n".join(problems))


def resolve_model(
    model: str, where: str, *, judge: bool = False, routing: dict[str, Any] | None = None
) -> Model:
    """The inspect model for an id. Makes no call.

    `where` is the YAML path that names the model. Raises ModelError for an unknown
    provider, a provider package that is not installed, or a missing API key.
    """
    if is_mock(model):
        return mock_model(model, judge)
    try:
        model_args: dict[str, Any] = {"provider": routing} if routing else {}
        return get_model(model, **model_args)
    except PrerequisiteError as error:
        raise ModelError(f"{where}: {model}: {_one_line(error)}") from error
    except (ValueError, ImportError) as error:
        raise ModelError(
            f"{where}: {model}: {_one_line(error)}; "
            "write <provider>/<model> with a provider that inspect_ai knows"
        ) from error


def _one_line(error: Exception) -> str:
    """An error of inspect without its terminal markup and line breaks."""
    text = str(getattr(error, "message", None) or error)
    text = re.sub(r"\[/?[a-z ]*\]", "", text)
    return " ".join(text.removeprefix("ERROR:").split())
