"""What releases of a study hold, with the conditions by their names, to be put side by side."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from itemeval_assets.core.design.conditions.conditions import (
    Design,
    GenerateCondition,
    GradeCondition,
)
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.tables.schemas import GRADINGS_LONG
from itemeval_assets.core.text.labels import Part, unique_labels
from itemeval_assets.experiments.frames.reading import readable
from itemeval_assets.experiments.layout.settings import ExperimentStorageSettings
from itemeval_assets.experiments.read.compare import chosen_run
from itemeval_assets.experiments.read.experiment import PublishedExperiment
from itemeval_assets.experiments.read.run import ExperimentRun
from itemeval_assets.stages.figures.planned import PlannedCells
from itemeval_assets.stages.views.cells import everything

NOW = "now"
CONDITION = ["model", "prompt_name", "model_config_name", "wave"]
GRADER = ["grader_name", "scorer_name", "rubric_name", "repeat"]
_RUNS = ["gen_run_id", "grade_run_id"]
EVENT = ["item_id", "replication", "score", *_RUNS]
_PLACE = ["gen_condition_id", "grade_condition_id", "item_id", "replication"]
_COLUMNS = [
    *(
        *EVENT,
        *CONDITION[:-1],
        *GRADER[:-1],
        "grader_model",
        "gen_condition_id",
        "grade_condition_id",
    ),
    *("prompt_hash", "rubric_hash", "dataset_revision"),
]


@dataclass(frozen=True)
class Side:
    """The sound grading events of a release, or of the study as it stands."""

    name: str
    rows: pd.DataFrame


def sides_of(
    planned: PlannedCells, storage: ExperimentStorageSettings, before: str, after: str | None
) -> tuple[Side, Side]:
    """Two releases; `after` null: one, and the study as it stands.

    Raises ConfigError where both are the same, and NotFoundError for what is not published.
    """
    experiment: PublishedExperiment[Any, Any] = PublishedExperiment(
        planned.study.name, storage_settings=storage
    )
    first = chosen_run(experiment, before)
    if after is None:
        return _released(first), _as_it_stands(planned)
    other = chosen_run(experiment, after)
    if first.experiment_id == other.experiment_id:
        raise ConfigError(f"{before} and {after} are the same release: name two")
    one, two = _released(first), _released(other)
    if one.name == two.name:
        return replace(one, name=first.place.timestamp), replace(two, name=other.place.timestamp)
    return one, two


def _released(run: ExperimentRun) -> Side:
    """Raises ConfigError for a run that is no release of a study."""
    files = run.list_results_files()
    if GRADINGS_LONG.name not in files:
        raise ConfigError(f"{run.uri} is no release of a study: it has no {GRADINGS_LONG.name}")
    key = files[GRADINGS_LONG.name]
    with run.backend.open(key) as file, readable(run.backend.uri(key)):
        rows = _with_all(pq.read_table(file, columns=_COLUMNS).to_pandas(), _COLUMNS)
    if "errors" in files:
        errors = run.load_results("errors").index.to_frame(index=False)
        with readable(run.backend.uri(files["errors"])):
            flawed = _with_all(errors, _PLACE)
        keys = pd.MultiIndex.from_frame(rows[_PLACE])
        rows = rows[~keys.isin(pd.MultiIndex.from_frame(flawed))]
    return Side(str(run.versioned_experiment.version), rows)


def _with_all(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """These columns. Raises ValueError for a frame that lacks some."""
    if lacking := [name for name in columns if name not in frame]:
        raise ValueError(f"it has no {', '.join(lacking)}")
    return frame[columns]


def _as_it_stands(planned: PlannedCells) -> Side:
    """The cells that are done; the others have no score."""
    study, store, partitions = planned.study, planned.store, planned.study.grade_partitions()
    done = everything(study, store, partitions, planned.policy, ["done"], planned.items).to_pandas()
    runs = store.read("gradings_long", partitions, [*_PLACE, *_RUNS]).to_pandas()
    return Side(NOW, done.merge(runs, on=_PLACE, how="left")[_COLUMNS])


def labelled(rows: pd.DataFrame, design: Design) -> pd.DataFrame:
    """With the labels of the two conditions of each row, from their names."""
    rows = rows.fillna(dict.fromkeys(GRADER[:-1], ""))
    waves = {one.id: wave_words(one) for one in design.generate}
    repeats = {one.id: word_of(one) for one in design.grade}
    rows = rows.assign(
        wave=_told_apart(rows, "gen_condition_id", CONDITION, waves),
        repeat=_told_apart(rows, "grade_condition_id", GRADER, repeats),
    )
    return rows.assign(
        condition=_labels(rows[CONDITION], _parts_of_condition),
        graded_by=_labels(rows[GRADER], _parts_of_grader),
    )


def wave_words(condition: GenerateCondition) -> str:
    """What tells a wave from what was asked first."""
    return f"wave {condition.wave.name}" if condition.wave else ""


def word_of(condition: GradeCondition) -> str:
    """What tells a condition from others of its judge and rubric: criterion, repeat, later time.

    The first repeat is called as a judge without repeats, the total as a rubric without criteria.
    """
    repeat, rejudge = condition.grader.repeat, condition.rejudge
    words = [
        condition.criterion,
        f"repeat {repeat}" if repeat > 1 else None,
        f"rejudged {rejudge.name}" if rejudge else None,
    ]
    return " · ".join(filter(None, words))


def _told_apart(
    rows: pd.DataFrame, id: str, names: list[str], known: dict[str, str]
) -> "pd.Series[str]":
    """By the design; of several that it has no more, the id, so that no two are ever pooled."""
    alone = rows.groupby(["release", *names[:-1]])[id].transform("nunique") == 1
    ids = rows[id]
    return ids.map(known).fillna(ids.where(~alone, ""))


def _labels(columns: pd.DataFrame, parts: Callable[..., list[Part]]) -> list[str]:
    keys = list(columns.itertuples(index=False, name=None))
    known = list(dict.fromkeys(keys))
    labels = unique_labels([parts(*key) for key in known], [" ".join(key) for key in known])
    label_of = dict(zip(known, labels, strict=True))
    return [label_of[key] for key in keys]


def _parts_of_condition(model: str, prompt: str, config: str, wave: str) -> list[Part]:
    short = "" if config == "default" else config
    return [
        Part(model.rpartition("/")[2], model),
        Part(prompt.removeprefix("builtin:"), prompt),
        Part(short, config),
        Part(wave, wave),
    ]


def _parts_of_grader(grader: str, scorer: str, rubric: str, repeat: str) -> list[Part]:
    name = grader or scorer
    return [
        Part(name.rpartition("/")[2], name),
        Part(rubric.removeprefix("builtin:"), rubric),
        Part(repeat, repeat),
    ]
