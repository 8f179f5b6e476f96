"""Who rates: a grade condition of the study, or one that an import will write into its YAML."""

import unicodedata
from collections.abc import Iterable

from pydantic import ValidationError

from itemeval_assets.core.config.rules.names import LONGEST_NAME_BYTES
from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.design.conditions.expansion import grade_condition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.grading.grader import GraderConfig
from itemeval_assets.core.grading.kinds import person_as_grader
from itemeval_assets.core.prompts.templates import Template
from itemeval_assets.core.text.nearest import did_you_mean
from itemeval_assets.core.text.words import bytes_of, cut

Scale = tuple[float, float]


def rater_condition(
    study: Study, rater: str, rubric: str | None, scale: Scale | None
) -> GradeCondition:
    """The grade condition of a rater with one rubric.

    `scale` null: that of the YAML, or the one of all judges. Raises ConfigError for a name that is
    no rater's, a rubric that is not of the study, and where no scale is known.
    """
    require_free_name(study, rater)
    template = _rubric(study, rubric)
    entry = study.config.graders.get(rater) or _new_entry(scale or scale_of(study))
    [grader] = entry.graders(rater, [template])
    if scale not in (None, grader.scale):
        raise ConfigError(
            f"rater: graders.{rater}.scale is {_words(grader.scale)}, and not {_words(scale)}: "
            "leave --scale out, or change the YAML before the first rating"
        )
    condition = grade_condition(grader)
    return study.design.grade_by_id.get(condition.id, condition)


def _new_entry(scale: Scale) -> GraderConfig:
    try:
        return person_as_grader(scale)
    except ValidationError as error:
        why = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise ConfigError(f"scale: {why}") from error


def require_free_name(study: Study, rater: str) -> None:
    """Raise ConfigError where a text is no name, or the name of something else."""
    graders = study.config.graders
    if not rater.strip() or rater != rater.strip() or "/" in rater or not rater.isprintable():
        raise ConfigError(
            f"rater: {cut(rater)!r} is no name: give one without a slash, such as anna"
        )
    if bytes_of(rater) > LONGEST_NAME_BYTES:
        raise ConfigError(
            f"rater: {cut(rater)!r} has {bytes_of(rater):,} bytes; a name may have at most"
            f" {LONGEST_NAME_BYTES}"
        )
    if rater in graders and not graders[rater].by_people:
        raise ConfigError(
            f"rater: graders.{rater} is a judge, and two graders cannot have one name; give the "
            "rater another one"
        )
    if rater in {*study.config.scorers, *study.config.scorers_in_use}:
        raise ConfigError(f"rater: {rater!r} is a scorer; give the rater another name")


def first_of_name(study: Study, rater: str, others: Iterable[str] = ()) -> str | None:
    """The grader, or one of `others`, whose name a reader takes for that of a new rater.

    Case does not tell two names apart. Both may be raters where the YAML names both.
    """
    graders = study.config.graders
    if rater in graders:
        return None
    named = [*graders, *sorted(others)]
    return next((one for one in named if one != rater and _folded(one) == _folded(rater)), None)


def scale_of(study: Study) -> Scale:
    """The scale that all judges of the study share. Raises ConfigError where they share none."""
    scales = {one.grader.scale for one in study.design.grade if one.grader.call}
    if len(scales) == 1 and (scale := scales.pop()):
        return scale
    raise ConfigError(
        "scale: the judges of the study declare no common one: say which scores a rater may give, "
        "such as --scale 0,10"
    )


def _rubric(study: Study, name: str | None) -> Template:
    known = study.snapshot.rubrics
    written = [one.name for one in study.design.written]
    named = [one for one in study.config.facets.rubric if one in known]
    names = [one for one in named if one not in written]
    if name in written or (named and not names):
        raise ConfigError(
            f"rubric: a model writes {name or written[0]!r} for each item, and sheets have no such "
            "rubric; name another one in facets.rubric"
        )
    by_word = {word: one for one in names for word in (one, known[one].short_name)}
    if name is not None:
        if name not in by_word:
            raise ConfigError(
                f"rubric: {name!r} is no rubric of the study; {did_you_mean(name, names)}"
            )
        return known[by_word[name]]
    if len(names) == 1:
        return known[names[0]]
    if not names:
        raise ConfigError(
            "rubric: no grader of the study takes one, so raters would not know what to rate; "
            "name one in facets.rubric, and a judge or rater in facets.grader"
        )
    raise ConfigError(
        f"rubric: the study has {len(names)}: {', '.join(names)}. A sheet is about one: name it "
        "with --rubric"
    )


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _words(scale: Scale | None) -> str:
    return "{:g} to {:g}".format(*scale) if scale else "not set"
