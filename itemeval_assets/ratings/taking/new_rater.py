"""Writes a rater into the YAML of a study, which declares the design."""

from dataclasses import replace

from itemeval_assets.core.design.study import Study, study_of
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.text.yaml.edits import EditError, plain_word, with_entry, with_item
from itemeval_assets.storage.objects.new_files import (
    replace_file,
    require_replaceable,
    require_unchanged,
)


def with_rater(study: Study, rater: str, scale: tuple[float, float]) -> Study:
    """The study with a rater in `graders` and `facets.grader`: its text has it, no file yet.

    Comments and order stay. Raises ConfigError where the YAML cannot be edited or written, is
    another one by now, or would be no study any more.
    """
    path, before = study.config_path, study.snapshot.config
    require_replaceable(path, "a new rater")
    require_unchanged(path, before.encode())
    try:
        text = _with_rater(study, before, rater, scale)
    except EditError as error:
        raise ConfigError(f"{path}: {error}") from error
    return study_of(replace(study.snapshot, config=text))


def write_rater(before: Study, study: Study) -> None:
    """Write the text of `study` in the place of that of `before`. Raises ConfigError."""
    texts = (one.snapshot.config.encode() for one in (before, study))
    replace_file(study.config_path, *texts)


def _with_rater(study: Study, text: str, rater: str, scale: tuple[float, float]) -> str:
    if rater not in study.config.graders:
        ends = ", ".join(str(int(end) if end.is_integer() else end) for end in scale)
        text = with_entry(text, ("graders",), rater, f"{{kind: human, scale: [{ends}]}}")
    if rater not in study.config.facets.grader:
        text = with_item(text, ("facets", "grader"), plain_word(rater))
    return text
