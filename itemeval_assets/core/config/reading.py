"""From the text of a study's YAML file to its config. Pure: no file, network or clock."""

import copy
from collections.abc import Collection, Mapping
from typing import Any

import yaml
from pydantic import ValidationError

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.text.yaml.strict import StrictLoader, load_yaml, yaml_message

from .deployment import with_replaced
from .problems import describe_problems
from .study_config import StudyConfig


def parse_config(
    text: str,
    where: str,
    replaced: Mapping[str, Any] | None = None,
    packaged: Collection[str] = (),
) -> StudyConfig:
    """Parse the YAML of one study. Raises ConfigError that lists every problem at once.

    `where` names the file in the message. `replaced`: keys in the place of those of the YAML.
    `packaged`: types of scorers that installed packages offer.
    """
    try:
        data = load_yaml(text, StrictLoader)
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: not valid YAML: {yaml_message(error)}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{where}: expected a mapping that starts with `study: <name>`")
    data = with_replaced(data, replaced or {})
    try:
        return StudyConfig.model_validate(data, context={"packaged": packaged})
    except ValidationError as error:
        across = _problems_across(error, data, packaged)
        lines = [*describe_problems(error, data, StudyConfig), *across]
        problems = "\n".join(f"  {line}" for line in lines)
        raise ConfigError(f"{where}: the study config has problems:\n{problems}") from error


def _problems_across(
    error: ValidationError, data: dict[str, Any], packaged: Collection[str]
) -> list[str]:
    """Problems across fields, for which pydantic looks only where every field is sound.

    Here: where unknown keys are the only other problem.
    """
    unknown = [p["loc"] for p in error.errors() if p["type"] == "extra_forbidden"]
    if len(unknown) < error.error_count():
        return []
    known = copy.deepcopy(data)
    for *path, key in unknown:
        section: Any = known
        for part in path:
            section = section[part]
        del section[key]
    try:
        StudyConfig.model_validate(known, context={"packaged": packaged})
    except ValidationError as found:
        return describe_problems(found, known, StudyConfig)
    return []
