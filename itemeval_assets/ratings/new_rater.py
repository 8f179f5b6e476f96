"""Writes a rater into the YAML of a study, which declares the design."""

from collections.abc import Callable
from pathlib import Path

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError, ItemevalAssetsError
from itemeval_assets.core.text.yaml.edits import EditError, with_entry, with_item
from itemeval_assets.storage.objects.new_files import replace_file

__all__ = ["with_rater"]


def with_rater(
    study: Study, rater: str, scale: tuple[float, float], load: Callable[[Path], Study]
) -> Study:
    """The study with a rater in `graders` and `facets.grader`, as its YAML then says.

    Comments and order stay. Raises ConfigError where the YAML cannot be edited, or the study would
    not load any more; then the file is as it was.
    """
    path, before = study.config_path, study.snapshot.config
    try:
        text = _with_rater(study, before, rater, scale)
    except EditError as error:
        raise ConfigError(f"{path}: {error}") from error
    replace_file(path, before.encode(), text.encode())
    try:
        return load(path)
    except ItemevalAssetsError:
        replace_file(path, text.encode(), before.encode())
        raise


def _with_rater(study: Study, text: str, rater: str, scale: tuple[float, float]) -> str:
    if rater not in study.config.graders:
        ends = ", ".join(str(int(end) if end.is_integer() else end) for end in scale)
        text = with_entry(text, ("graders",), rater, f"{{kind: human, scale: [{ends}]}}")
    if rater not in study.config.facets.grader:
        text = with_item(text, ("facets", "grader"), rater)
    return text
