"""Running the function of an experiment on specs: one outcome each, whatever happens."""

import os
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from itemeval_assets.core.text.secrets import without_secrets
from itemeval_assets.experiments.errors import SpecError
from itemeval_assets.experiments.outputs.frame_rows import frame_rows
from itemeval_assets.experiments.outputs.outcomes import Failure, FrameRows, Outcome
from itemeval_assets.experiments.outputs.scalars import scalar_values
from itemeval_assets.experiments.publish.publication import store_result
from itemeval_assets.experiments.read.run import ExperimentRun
from itemeval_assets.experiments.spec.files import file_fields, is_local, require_local_file
from itemeval_assets.experiments.spec.function import ExperimentFunction
from itemeval_assets.experiments.spec.index import field_levels, index_of
from itemeval_assets.experiments.spec.models import (
    ExperimentInputSpec,
    ExperimentOutputSpec,
    require_frames,
)
from itemeval_assets.experiments.spec.signature import Signature
from itemeval_assets.host.interrupts import INTERRUPTIONS

StoreFile = Callable[[str, ExperimentInputSpec, Path], str]
"""(field, spec, local file) -> the URI under which the file is now stored."""

_TRACEBACK_CHARACTERS = 4000


def run_spec(
    experiment: ExperimentFunction, spec: ExperimentInputSpec, store_file: StoreFile
) -> Outcome:
    """The outcome of one spec. An exit by the function is a failure like any other."""
    began, signature = time.monotonic(), experiment.signature
    try:
        levels = dict(index_of(spec))
        with _tempdir(signature) as folder:
            arguments = (spec,) if folder is None else (spec, Path(folder))
            output = experiment.fn(*arguments)
            outcome = _success(spec, levels, _checked(output, signature), store_file)
    except BaseException as error:
        if type(error).__name__ in INTERRUPTIONS:
            raise
        outcome = failed(spec, failure_of(error))
    return replace(outcome, took_s=time.monotonic() - began)


def failed(spec: ExperimentInputSpec, failure: Failure) -> Outcome:
    """The outcome of a spec without an output."""
    levels: dict[str, Any] = {}
    # Computed features are the user's code, and may be what failed.
    with suppress(Exception):
        levels = field_levels(spec)
        levels = dict(index_of(spec))
    levels = {**levels, "experiment_id": spec.experiment_id, "sort_index": spec.sort_index}
    return Outcome(spec.sort_index, levels, failure=failure)


def file_store(run: ExperimentRun) -> StoreFile:
    """Uploads an output file of a spec to results/<field>/<run id of the spec>.<ext>."""

    def store(field: str, spec: ExperimentInputSpec, path: Path) -> str:
        assert spec.workflow_run_id is not None
        return store_result(run, field, spec.workflow_run_id, path)

    return store


def _tempdir(signature: Signature) -> Any:
    if not signature.takes_tempdir:
        return nullcontext()
    return tempfile.TemporaryDirectory(prefix="itemeval_assets_spec_", ignore_cleanup_errors=True)


def _checked(output: Any, signature: Signature) -> ExperimentOutputSpec:
    if isinstance(output, signature.output_type):
        return output
    raise SpecError(
        f"the function returned {type(output).__name__}, "
        f"not {signature.output_type.__name__} as its annotation says"
    )


def _success(
    spec: ExperimentInputSpec,
    levels: dict[str, Any],
    output: ExperimentOutputSpec,
    store_file: StoreFile,
) -> Outcome:
    # Everything is checked before the first file is stored.
    scalars = scalar_values(output)
    frames = _frames(output, levels)
    found = _found_files(output)
    files = {
        name: store_file(name, spec, value) if isinstance(value, Path) else value
        for name, value in found.items()
    }
    return Outcome(spec.sort_index, levels, scalars, files, frames)


def _frames(output: ExperimentOutputSpec, levels: dict[str, Any]) -> dict[str, FrameRows]:
    rows: dict[str, FrameRows] = {}
    require_frames(output.dataframes, type(output).__name__)
    for name, frame in output.dataframes.items():
        try:
            rows[name] = frame_rows(frame, levels)
        except SpecError as error:
            raise SpecError(f"frame {name!r}: {error}") from error
    return rows


def _found_files(output: ExperimentOutputSpec) -> dict[str, Path | str | None]:
    """File fields by name: an existing local file as a Path, a URL as text."""
    files: dict[str, Path | str | None] = {}
    for name in file_fields(type(output)):
        value: Path | str | None = getattr(output, name)
        if value is not None and is_local(value):
            value = require_local_file(value, f"{type(output).__name__}.{name}")
        files[name] = value
    return files


def failure_of(error: BaseException) -> Failure:
    """An error as the row of `errors` has it: without secrets, which servers say back."""
    try:
        message = str(error)
    except Exception:
        message = "(the error has no message)"
    text = "".join(traceback.format_exception(error))[-4 * _TRACEBACK_CHARACTERS :]
    told, trace = (without_secrets(said, os.environ) for said in (message, text))
    return Failure(type(error).__name__, told, trace[-_TRACEBACK_CHARACTERS:])
