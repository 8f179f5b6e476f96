"""Two runs of an experiment side by side: fields of the schema, frames, and rows that differ."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from itemeval_assets.experiments.layout.versions import SemVer
from itemeval_assets.experiments.outputs.survey import FILES

from .experiment import PublishedExperiment
from .fields import types
from .row_changes import RowChanges, row_changes
from .run import ExperimentRun
from .summaries import RunSummary, find_run, named_version, summarize_run

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Changes(Generic[_Value]):
    """What one side has and the other has not, and {name: (before, after)} of what changed."""

    added: dict[str, _Value]
    removed: dict[str, _Value]
    changed: dict[str, tuple[_Value, _Value]]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True)
class Comparison:
    """What differs between two runs.

    `inputs` and `outputs`: fields by their types. `frames_added`, `frames_removed`: {name: rows}.
    `frames`: of those that both have, what differs; URIs of files always do, and are left out.
    """

    before: RunSummary
    after: RunSummary
    inputs: Changes[str]
    outputs: Changes[str]
    frames_added: dict[str, int]
    frames_removed: dict[str, int]
    frames: dict[str, RowChanges]
    is_equal: bool


def compare_versions(
    experiment: PublishedExperiment,
    before: SemVer | ExperimentRun | str,
    after: SemVer | ExperimentRun | str,
) -> Comparison:
    """Compare two versions, by the newest run of each that has results; or two runs.

    A run is given as itself or as `v1.0.0/2025-07-23_12-59-51`. Rows are known by the fields of
    their specs that are in the index. Raises NotFoundError for what is not published.
    """
    old, new = chosen_run(experiment, before), chosen_run(experiment, after)
    was, became = old.io_spec(), new.io_spec()
    inputs, outputs = (
        _changes(types(was, side), types(became, side)) for side in ("input", "output")
    )
    had, has = _frames(old), _frames(new)
    added, removed = (name for name in has if name not in had), (n for n in had if n not in has)
    frames = {
        name: row_changes(old.load_results(name), new.load_results(name))
        for name in had
        if name in has
    }
    return Comparison(
        before=summarize_run(old),
        after=summarize_run(new),
        inputs=inputs,
        outputs=outputs,
        frames_added={name: len(new.load_results(name)) for name in added},
        frames_removed={name: len(old.load_results(name)) for name in removed},
        frames=frames,
        is_equal=had == has and not any((inputs, outputs, *frames.values())),
    )


def _frames(run: ExperimentRun) -> list[str]:
    return sorted(name for name in run.list_results_files() if name != FILES)


def chosen_run(
    experiment: PublishedExperiment, chosen: SemVer | ExperimentRun | str
) -> ExperimentRun:
    """A run, given as itself, as a version, or as a version and a time. Raises NotFoundError."""
    if isinstance(chosen, ExperimentRun):
        return chosen
    version, _, timestamp = str(chosen).partition("/")
    if timestamp:
        return find_run(experiment, version, timestamp)
    return named_version(experiment, version).latest_run_with_results


def _changes(before: dict[str, _Value], after: dict[str, _Value]) -> Changes[_Value]:
    return Changes(
        added={name: value for name, value in after.items() if name not in before},
        removed={name: value for name, value in before.items() if name not in after},
        changed={
            name: (value, after[name])
            for name, value in before.items()
            if name in after and after[name] != value
        },
    )
