"""Rules of a study config that concern several of its fields."""

import re
from typing import get_args

from itemeval_assets.core.grading.grader import SCORER_SCALE
from itemeval_assets.core.grading.kinds import SCORERS
from itemeval_assets.core.prompts.choices import CHOICES, TargetIs
from itemeval_assets.core.prompts.images import IMAGES
from itemeval_assets.core.text.nearest import did_you_mean
from itemeval_assets.core.text.words import bytes_of, cut
from itemeval_assets.core.text.yaml.sections import MODEL_ID

from .sections import DATASET_ID, ITEM_COLUMNS, StudySections

# Names become names of files, of which a file system takes 255 bytes. A dataset may be a path.
_LONGEST_NAME_BYTES = 200
_LONGEST_DATASET_BYTES = 1_000


def problems_across(config: StudySections) -> list[str]:
    """A line for every rule that is broken, each starting with its YAML path."""
    return [
        *_repeated_values(config),
        *_long_names(config),
        *_model_problems(config),
        *_revision_problems(config),
        *_csv_problems(config),
        *_facet_problems(config),
        *_rubric_problems(config),
        *_after_problems(config),
        *_mapping_problems(config),
        *_choices_problems(config),
        *_chat_problems(config),
        *_images_problems(config),
        *_sample_problems(config),
        *_measurement_problems(config),
        *_margin_problems(config),
        *_task_problems(config),
    ]


def _repeated_values(config: StudySections) -> list[str]:
    facets = config.facets
    lists = {
        "solvers.models": config.solvers.models,
        "facets.prompt": facets.prompt,
        "facets.model_config": [facet.name for facet in facets.model_config_facet],
        "facets.grader": facets.grader,
        "facets.rubric": facets.rubric,
        "facets.scorer": facets.scorers,
        "benchmark.datasets": [
            f"{d.id} ({d.name or 'default'}, {d.split})" for d in config.benchmark.datasets
        ],
    }
    return [
        f"{path}: {value!r} is listed twice; each entry must be unique"
        for path, values in lists.items()
        for value in sorted({v for v in values if values.count(v) > 1})
    ]


def _long_names(config: StudySections) -> list[str]:
    facets = config.facets
    names = _models(config)
    names |= {f"graders.{cut(name)}": name for name in config.graders}
    names |= {f"scorers.{cut(name)}": name for name in config.scorers}
    names |= {f"facets.prompt[{n}]": name for n, name in enumerate(facets.prompt)}
    names |= {f"facets.rubric[{n}]": name for n, name in enumerate(facets.rubric)}
    names |= {
        f"facets.model_config[{n}].name": facet.name
        for n, facet in enumerate(facets.model_config_facet)
    }
    datasets = {
        f"benchmark.datasets[{n}].id": d.id for n, d in enumerate(config.benchmark.datasets)
    }
    return [
        f"{path}: {cut(name)!r} has {bytes_of(name):,} bytes; a name may have at most {longest:,}"
        for group, longest in ((names, _LONGEST_NAME_BYTES), (datasets, _LONGEST_DATASET_BYTES))
        for path, name in group.items()
        if bytes_of(name) > longest
    ]


def _models(config: StudySections) -> dict[str, str]:
    """Every model that is named, by its place in the YAML."""
    models = {f"solvers.models[{n}]": model for n, model in enumerate(config.solvers.models)}
    models |= {
        f"graders.{cut(name)}.{key}": model
        for name, grader in config.graders.items()
        for key, model in grader.models.items()
    }
    return models | {
        f"facets.grader[{n}]": name
        for n, name in enumerate(config.facets.grader)
        if name not in config.graders
    }


def _model_problems(config: StudySections) -> list[str]:
    """A model's id names the folder of its cached answers."""
    return [
        f"{path}: {model!r} is no model id: it may not hold `.` or `..` between slashes"
        for path, model in _models(config).items()
        if {".", ".."} & set(model.split("/"))
    ]


def _revision_problems(config: StudySections) -> list[str]:
    """Revisions are pinned by dataset id: the parts of one dataset cannot have several."""
    revisions: dict[str, set[str | None]] = {}
    for dataset in config.benchmark.datasets:
        revisions.setdefault(dataset.id, set()).add(dataset.revision)
    return [
        f"benchmark.datasets: {id!r} is listed with several revisions; give all its entries the "
        "same one"
        for id, found in revisions.items()
        if len(found) > 1
    ]


def _csv_problems(config: StudySections) -> list[str]:
    """What the hub has may be CSV; a file shows it by its name."""
    return [
        f"benchmark.datasets[{place}].{key}: for CSV only, and {dataset.id!r} is not a CSV file: "
        "remove it"
        for place, dataset in enumerate(config.benchmark.datasets)
        if config.benchmark.adapter == "local" and not dataset.id.lower().endswith(".csv")
        for key in dataset.csv_options
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
        "where others are declared; "
        f"{did_you_mean(name, [*SCORERS, *config.scorers])}{_of_task(config)}"
        for name in config.facets.scorers
        if name not in {*SCORERS, *config.scorers}
    )
    for name in config.facets.grader:
        if name not in config.graders and "/" not in name:
            hint = did_you_mean(name, sorted(config.graders))
            problems.append(
                f"facets.grader: {name!r} is neither a key of `graders` nor a model, "
                f"<provider>/<model>; {hint}"
            )
        elif name not in config.graders and not re.match(MODEL_ID, name):
            problems.append(f"facets.grader: {name!r} is no model id: provider/model, no space")
    return problems


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


def _mapping_problems(config: StudySections) -> list[str]:
    pattern = config.benchmark.mapping.id
    if isinstance(pattern, str) and "{" in pattern and not re.findall(r"\{[^{}]+\}", pattern):
        return [f"benchmark.mapping.id: {pattern!r} has a brace but no {{column}} in it"]
    if isinstance(pattern, list) and not pattern:
        return ["benchmark.mapping.id: the list is empty; name at least one column"]
    return []


def _choices_problems(config: StudySections) -> list[str]:
    mapping, found = config.benchmark.mapping, []
    if mapping.choices is None:
        return [
            f"benchmark.mapping.{key}: is about choices; name their column in "
            "benchmark.mapping.choices, or remove it"
            for key in ("target_is", "shuffle_choices")
            if getattr(mapping, key) is not None
        ]
    if isinstance(mapping.choices, list) and len({*mapping.choices}) < max(2, len(mapping.choices)):
        found.append(
            "benchmark.mapping.choices: a list names a column for each choice, two at least and "
            "none twice; for one column that holds them all write its name alone"
        )
    if mapping.target is not None and mapping.target_is is None:
        found.append(
            "benchmark.mapping.target_is: missing; say what the column "
            f"{mapping.target!r} holds: {', '.join(get_args(TargetIs))}"
        )
    if mapping.target is None and mapping.target_is is not None:
        found.append("benchmark.mapping.target_is: there is no benchmark.mapping.target")
    if CHOICES in mapping.metadata:
        found.append(
            f"benchmark.mapping.metadata: {CHOICES!r} is what the choices are kept as, in the "
            "order that they are shown in; remove it from the list"
        )
    return found


def _images_problems(config: StudySections) -> list[str]:
    if config.benchmark.mapping.images and IMAGES in config.benchmark.mapping.metadata:
        return [
            f"benchmark.mapping.metadata: {IMAGES!r} is what the names of the images are kept as; "
            "remove it from the list"
        ]
    return []


def _sample_problems(config: StudySections) -> list[str]:
    """Which columns a task has, only its data tell."""
    benchmark = config.benchmark
    columns = [*benchmark.mapping.metadata, DATASET_ID]
    by = benchmark.sample.by if benchmark.sample else None
    if by is None or by in columns or benchmark.ref:
        return []
    return [
        f"benchmark.sample.by: {by!r} is no column of benchmark.mapping.metadata; "
        f"{did_you_mean(by, columns)}"
    ]


def _chat_problems(config: StudySections) -> list[str]:
    if config.benchmark.mapping.chat and config.solvers.split_prompt:
        return [
            "solvers.split_prompt: the items are chats (benchmark.mapping.chat), which have turns "
            "of their own; remove it"
        ]
    return []


def _measurement_problems(config: StudySections) -> list[str]:
    """A name that stands for nothing would change figures in silence."""
    found, columns = [], [*config.benchmark.mapping.metadata, *ITEM_COLUMNS]
    cluster, models = config.measurement.cluster, sorted({*_models(config).values()})
    # Which columns a task has, only its data tell.
    if cluster is not None and cluster not in columns and not config.benchmark.ref:
        found.append(
            f"measurement.cluster: {cluster!r} is no column of benchmark.mapping.metadata"
            f"; {did_you_mean(cluster, columns)}"
        )
    found.extend(
        f"measurement.families: {model!r} is no model of this study; {did_you_mean(model, models)}"
        for model in config.measurement.families
        if model not in models
    )
    return found


def _margin_problems(config: StudySections) -> list[str]:
    """A margin in points, as 5 for 0.05, would make any two conditions alike."""
    margin, scales = config.measurement.margin, _scales(config)
    if margin is None or not scales or None in scales:
        return []
    low, high = max((scale for scale in scales if scale), key=lambda ends: ends[1] - ends[0])
    if margin < high - low:
        return []
    return [
        f"measurement.margin: {margin:g} is as wide as the widest scale of the graders, {low:g} to"
        f" {high:g}, or wider; give it in units of the score: 0.05 is 5 points"
    ]


def _scales(config: StudySections) -> list[tuple[float, float] | None]:
    """Of each grader of the design: null where none is declared. Those of a task are its own."""
    if config.benchmark.ref:
        return []
    own = {name: scorer.scale or SCORER_SCALE for name, scorer in config.scorers.items()}
    judges = [getattr(config.graders.get(name), "scale", None) for name in config.facets.grader]
    return [*judges, *(own.get(name, SCORER_SCALE) for name in config.facets.scorers)]


def _task_problems(config: StudySections) -> list[str]:
    """A task has its own data and prompts."""
    found = []
    if config.benchmark.ref and "prompt" in config.facets.model_fields_set:
        found.append(
            "facets.prompt: the task has its own prompts (benchmark.adapter: inspect); remove it"
        )
    if config.benchmark.ref and config.solvers.split_prompt:
        found.append(
            "solvers.split_prompt: the task has its own prompts (benchmark.adapter: inspect); "
            "remove it"
        )
    return found
