"""Names and ids: each once, short enough for a file, and a model's fit for a folder."""

from itemeval_assets.core.text.words import bytes_of, cut

from ..sections import StudySections

# Names become names of files, of which a file system takes 255 bytes. A dataset may be a path.
LONGEST_NAME_BYTES = 200
_LONGEST_DATASET_BYTES = 1_000


def name_problems(config: StudySections) -> list[str]:
    """A line for every rule that is broken, each starting with its YAML path."""
    return [
        *_models_beside_sample(config),
        *_included_models(config),
        *_repeated_values(config),
        *_long_names(config),
        *_model_problems(config),
        *_revision_problems(config),
    ]


def _models_beside_sample(config: StudySections) -> list[str]:
    if config.solvers.sample and config.solvers.models:
        return ["solvers.sample: `models` names the models already; remove one of the two"]
    return []


def _included_models(config: StudySections) -> list[str]:
    sample = config.solvers.sample
    if sample is None:
        return []
    path, count = "solvers.sample.include", len(sample.include)
    both = [model for model in dict.fromkeys(sample.include) if model in sample.exclude]
    found = [f"{path}: {model!r} is in `exclude`, too; remove one of the two" for model in both]
    if count > sample.n:
        found.append(f"{path}: {count:,} models are always in, and `n` is {sample.n:,}; raise `n`")
    return found


def _repeated_values(config: StudySections) -> list[str]:
    facets = config.facets
    lists = {
        "solvers.models": config.solvers.models,
        "solvers.sample.exclude": config.solvers.sample.exclude if config.solvers.sample else [],
        "solvers.sample.include": config.solvers.sample.include if config.solvers.sample else [],
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
    names = models_named(config)
    names |= {f"graders.{cut(name)}": name for name in config.graders}
    names |= {f"scorers.{cut(name)}": name for name in config.scorers}
    names |= {f"rubrics.{cut(name)}": name for name in config.rubrics}
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
        for group, longest in ((names, LONGEST_NAME_BYTES), (datasets, _LONGEST_DATASET_BYTES))
        for path, name in group.items()
        if bytes_of(name) > longest
    ]


def models_named(config: StudySections) -> dict[str, str]:
    """Every model that is named, by its place in the YAML."""
    models = {f"solvers.models[{n}]": model for n, model in enumerate(config.solvers.models)}
    always = config.solvers.sample.include if config.solvers.sample else []
    models |= {f"solvers.sample.include[{n}]": model for n, model in enumerate(always)}
    models |= {
        f"graders.{cut(name)}.{key}": model
        for name, grader in config.graders.items()
        for key, model in grader.models.items()
    }
    models |= {
        f"rubrics.{cut(name)}.materialize.model": rubric.materialize.model
        for name, rubric in config.rubrics.items()
    }
    return models | {
        f"facets.grader[{n}]": name
        for n, name in enumerate(config.facets.grader)
        if name not in config.graders
    }


def _model_problems(config: StudySections) -> list[str]:
    """A model's id names the folder of its cached answers."""
    found = {path: why_no_model(model) for path, model in models_named(config).items()}
    return [f"{path}: {why}" for path, why in found.items() if why]


def why_no_model(model: str) -> str | None:
    """Why a text of the form of a model id cannot be one; null where it can."""
    if "${" in model:
        return (
            f"{model!r} names an environment variable, and none is filled in: write the model "
            "itself"
        )
    if {".", ".."} & set(model.split("/")):
        return f"{model!r} is no model id: it may not hold `.` or `..` between slashes"
    return None


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
