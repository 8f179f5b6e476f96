"""What a deployment replaces of a study file: where results go, what may be spent, what is on.

One file serves several deployments in this way. The condition ids stay: none of these keys is in
one.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.text.yaml.sections import Section

from .problems import describe_problems
from .sections.automation import AutomationConfig
from .sections.budget import BudgetConfig
from .sections.study import Location


class _Deployment(Section):
    output_dir: Location | None = None
    budget: BudgetConfig | None = None
    started: bool | None = Field(
        default=None, description=AutomationConfig.model_fields["started"].description
    )


def replaced_keys(given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The keys of the YAML that a deployment replaces, by their sections; null replaces nothing.

    So a variable of the environment that is unset takes no limit away. Raises ConfigError with
    all that is wrong; `where` is said before each key.
    """
    given = _without_null(given)
    try:
        found = _Deployment.model_validate(given)
    except ValidationError as error:
        lines = describe_problems(error, given, _Deployment)
        raise ConfigError("\n".join(f"{where}.{line}" for line in lines)) from error
    replaced = found.model_dump(mode="json", exclude_unset=True, by_alias=True)
    if "started" in replaced:
        replaced["automation"] = {"started": replaced.pop("started")}
    return replaced


def with_replaced(data: Mapping[str, Any], replaced: Mapping[str, Any]) -> dict[str, Any]:
    """What a YAML says, with these keys in the place of its own."""
    merged = dict(data)
    for key, value in replaced.items():
        own = merged.get(key, {})
        if not isinstance(value, Mapping):
            merged[key] = value
        elif isinstance(own, Mapping):  # what is no section is told as such
            merged[key] = {**own, **value}
    return merged


def _without_null(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _without_null(value) if isinstance(value, Mapping) else value
        for key, value in given.items()
        if value is not None
    }
