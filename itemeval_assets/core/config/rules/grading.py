"""Graders, scorers and rubrics: each name stands for one that there is."""

import re

from itemeval_assets.core.grading.kinds import SCORERS
from itemeval_assets.core.text.nearest import did_you_mean
from itemeval_assets.core.text.words import cut
from itemeval_assets.core.text.yaml.sections import MODEL_ID

from ..sections import StudySections
from ..wording import FACET_NAME, as_brackets, as_entries


def grading_problems(config: StudySections) -> list[str]:
    """A line for every rule that is broken, each starting with its YAML path."""
    return [
        *_facet_problems(config),
        *_rubric_problems(config),
        *_written_rubric_problems(config),
        *_after_problems(config),
    ]


def _facet_problems(config: StudySections) -> list[str]:
    problems = []
    if not config.facets.grader and not config.facets.scorers and not config.benchmark.ref:
        problems.append("facets: name at least one grader (a judge) or one scorer")
    problems.extend(
        f"scorers.{name}: {_folded(name)!r} is a scorer of the package; give yours another name"
        for name in config.scorers
        if _folded(name) in SCORERS
    )
    judges = dict.fromkeys(config.facets.grader, "facets.grader")
    judges |= {name: f"graders.{name}" for name in config.graders}
    problems.extend(
        f"scorers.{name}: {judges[name]} has the same name; give one of them another, so that each "
        "name means one thing"
        for name in config.scorers
        if name in judges
    )
    problems.extend(
        f"facets.scorer: {name!r} is neither a scorer of the package nor a key of `scorers`, "
        f"where others are declared; {_scorers_meant(name, config)}"
        for name in config.facets.scorers
        if name not in {*SCORERS, *config.scorers}
    )
    for name in config.facets.grader:
        if name not in config.graders and "/" not in name:
            problems.append(
                f"facets.grader: {name!r} is neither a key of `graders` nor a model, "
                f"<provider>/<model>; {_graders_meant(name, config)}"
            )
        elif name not in config.graders and not re.match(MODEL_ID, name):
            problems.append(f"facets.grader: {name!r} is no model id: provider/model, no space")
    return problems


def _graders_meant(name: str, config: StudySections) -> str:
    if name in SCORERS or name in config.scorers:
        return "it is a scorer: name it in facets.scorer"
    return did_you_mean(name, sorted(config.graders))


def _scorers_meant(name: str, config: StudySections) -> str:
    if as_entries(name) != [name]:
        return as_brackets(name)
    if name in config.graders or re.match(MODEL_ID, name):
        return "it is a judge: name it in facets.grader"
    return did_you_mean(name, [*SCORERS, *config.scorers]) + _of_task(config)


def _of_task(config: StudySections) -> str:
    """What a name may stand for that is one of the task's own scorers: only loading tells these."""
    if not config.benchmark.ref:
        return ""
    return ". The scorers of the task grade anyway: remove it, if it is one of them"


def _rubric_problems(config: StudySections) -> list[str]:
    """Rubrics that nobody reads would look like conditions of the study."""
    facets, graders = config.facets, config.graders
    own = [name in graders and graders[name].own_prompt for name in facets.grader]
    if "rubric" not in facets.model_fields_set or not own or not all(own):
        return []
    return ["facets.rubric: each grader has the prompt of its `scorer`, and takes none; remove it"]


def _written_rubric_problems(config: StudySections) -> list[str]:
    """Names of rubrics that models write: as templates are named, and read by models alone."""
    problems = [
        f"rubrics.{cut(name)}: write letters, digits, `.`, `-` and `_`, a letter or digit first"
        for name in config.rubrics
        if not re.match(FACET_NAME, name)
    ]
    written = [name for name in config.facets.rubric if name in config.rubrics]
    graders = config.graders
    raters = [one for one in config.facets.grader if one in graders and graders[one].by_people]
    if written and raters:
        problems.append(
            f"facets.rubric: a model writes {written[0]!r} for each item, and {raters[0]!r} is a "
            "person, whose sheets have no such rubric; remove one of the two from the facets"
        )
    return problems


def _after_problems(config: StudySections) -> list[str]:
    """Who grades after a scorer names one that there is."""
    known = [*SCORERS, *config.scorers]
    of_task = ". It cannot name a scorer of the task" if config.benchmark.ref else ""
    return [
        f"graders.{cut(name)}.after: {scorer!r} is neither a scorer of the package nor a key of "
        f"`scorers`; {did_you_mean(scorer, known)}{of_task}"
        for name, grader in config.graders.items()
        if (scorer := grader.first_scorer) and scorer not in known
    ]


def _folded(name: str) -> str:
    """A name as scorers of the package are written: a reader takes `Exact-Match` for one."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
