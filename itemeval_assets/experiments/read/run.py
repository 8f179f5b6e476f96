"""A published run, and what it holds."""

import io
import logging
import shutil
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Generic

import pandas as pd
import yaml

from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.text.yaml.strict import load_yaml
from itemeval_assets.experiments.errors import ResultNotFoundError
from itemeval_assets.experiments.frames.reading import read_frame
from itemeval_assets.experiments.frames.specs_table import read_specs
from itemeval_assets.experiments.layout.keys import RunPlace
from itemeval_assets.experiments.layout.records import (
    Completion,
    ExperimentRunManifest,
    InputArtifacts,
    read_record,
)
from itemeval_assets.experiments.spec.models import In, Out
from itemeval_assets.storage.objects.backends import Backend

from .counted import counted_completion
from .named import NamedExperiment, NamedVersion

_REMEDY = "the rows of the tables are counted instead; delete the object, or resume the run"


@dataclass(frozen=True)
class ExperimentRun(Generic[In, Out]):
    """One published run."""

    versioned_experiment: NamedVersion[In, Out]
    timestamp: datetime

    @cached_property
    def place(self) -> RunPlace:
        """Where the run's objects lie."""
        version = self.versioned_experiment.version
        return self._experiment.place.run(version, self.timestamp)

    @property
    def experiment_id(self) -> str:
        """`<experiment>/<version>/<timestamp>`."""
        return self.place.experiment_id

    @property
    def prefix(self) -> str:
        """The folder's key, with the bucket prefix."""
        return self.place.prefix

    @property
    def uri(self) -> str:
        """The folder, as `s3://...` or a path."""
        return self.backend.uri(self.prefix)

    @property
    def backend(self) -> Backend:
        return self._experiment.backend

    def manifest(self) -> ExperimentRunManifest:
        """Ids, and where the parts of the run are."""
        key = self.place.manifest
        return read_record(ExperimentRunManifest, self._read(key), self.backend.uri(key))

    def status(self) -> Completion:
        """The state of the run: unfinished, complete, incomplete or failed, with counts.

        Of a writer who records no completion, the rows of its tables are counted; so they are,
        with a warning, where the record is damaged.
        """
        key = self.place.completion
        data = self.backend.read(key)
        if data is not None:
            try:
                return read_record(Completion, data, self.backend.uri(key), _REMEDY)
            except StoreError as error:
                logging.getLogger(__name__).warning("%s", error)
        return counted_completion(self.backend, self.place, self.list_results_files())

    def list_results_files(self) -> dict[str, str]:
        """{name of a frame: its key, with the bucket prefix}; empty before any is written."""
        keys = self.backend.list(self.place.final)
        named = ((self.place.final_name(key), key) for key in keys)
        return {name: key for name, key in named if name}

    def load_results(self, name: str = "scalars") -> pd.DataFrame:
        """A final frame, with its MultiIndex: one row per spec for scalars and errors.

        Raises ResultNotFoundError that lists the frames there are.
        """
        key = self._result_key(name)
        return read_frame(io.BytesIO(self._read(key)), self.backend.uri(key))

    def head(self, name: str = "scalars", rows: int = 20) -> pd.DataFrame:
        """The first rows of a final frame, without holding the frame in memory."""
        key = self._result_key(name)
        with self.backend.open(key) as file:
            return read_frame(file, self.backend.uri(key), rows)

    def specs(self) -> list[In]:
        """The input specs, in order. Needs the experiment's function, for its input type."""
        input_type = self._experiment.experiment.input_type
        key = self.place.specs
        return read_specs(self._read(key), input_type, self.backend.uri(key))

    def specs_frame(self) -> pd.DataFrame:
        """The input specs as a table: a row per spec, a column per field."""
        key = self.place.specs
        return read_frame(io.BytesIO(self._read(key)), self.backend.uri(key))

    def io_spec(self) -> dict[str, Any]:
        """The JSON Schema of input and output."""
        key = self.place.io_spec
        try:
            found = load_yaml(self._read(key))
        except yaml.YAMLError:
            found = None
        if not isinstance(found, dict):
            raise StoreError(f"{self.backend.uri(key)} holds no JSON Schema")
        return found

    def input_artifacts(self) -> dict[str, list[str]]:
        """URIs of the uploaded input files, by field."""
        key = self.place.input_artifacts
        data = self.backend.read(key)
        if data is None:  # scythe-engine writes none where there are none to list
            return {}
        return read_record(InputArtifacts, data, self.backend.uri(key)).files

    def download(self, folder: str | Path) -> list[Path]:
        """Copy the run into a folder, in its own layout; what workers exchanged is left out.

        Returns the files written.
        """
        root = Path(folder).expanduser().resolve()
        keys = [
            key
            for key in self.backend.list(self.prefix)
            if not key.startswith(f"{self.place.exchange}/")
        ]
        return [self._download(key, root) for key in keys]

    def _result_key(self, name: str) -> str:
        files = self.list_results_files()
        if name not in files:
            place = self.backend.uri(self.place.final)
            raise ResultNotFoundError(f"result {name!r}", place, "results", files)
        return files[name]

    def _download(self, key: str, root: Path) -> Path:
        path = (root / key.removeprefix(f"{self.prefix}/")).resolve()
        if not path.is_relative_to(root):
            raise StoreError(
                f"{self.backend.uri(key)} would be written outside {root}; nothing is written"
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.backend.local_copy(key), path)
        except OSError as error:
            raise StoreError(f"cannot write {path}: {error.strerror or error}") from error
        return path

    def _read(self, key: str) -> bytes:
        data = self.backend.read(key)
        if data is None:
            raise StoreError(f"{self.backend.uri(key)} is missing; restore it, or delete its run")
        return data

    @property
    def _experiment(self) -> NamedExperiment[In, Out]:
        return self.versioned_experiment.base_experiment
