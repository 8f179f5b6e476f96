"""A small process beside the one that runs specs: it tells which spec was at work when that ended.

A spec that exits, or crashes, in the process of the run takes everything with it. The lookout is
told of each spec as it begins; when nobody is left who could tell it of the end, it says so on
standard error, and leaves a note for the next attempt.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from itemeval_assets.core.text.secrets import without_secrets
from itemeval_assets.experiments.read.run import ExperimentRun
from itemeval_assets.experiments.spec.models import ExperimentInputSpec
from itemeval_assets.experiments.spec.transport import dump_spec
from itemeval_assets.host.processes import start_python

_LABEL_CHARACTERS = 200
_WITNESS = "itemeval_assets.experiments.work.workers.witness"


class Lookout:
    """Knows which spec of a shard is at work in this process."""

    def __init__(self, told: IO[bytes]) -> None:
        self._told = told

    @classmethod
    @contextmanager
    def open(cls, run: ExperimentRun, shard: int) -> Iterator["Lookout"]:
        base = run.versioned_experiment.base_experiment
        place = {
            "location": base.storage_settings.location,
            "key": run.place.cut_off(shard),
            "run": run.experiment_id,
        }
        process = start_python(
            _WITNESS, json.dumps(place), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        assert process.stdin is not None
        lookout = cls(process.stdin)
        try:
            yield lookout
        finally:
            lookout.end()
            with suppress(OSError):
                process.stdin.close()
            process.wait()

    @contextmanager
    def over(self, spec: ExperimentInputSpec) -> Iterator[None]:
        """Tell of a spec while the block runs."""
        self._write(json.dumps({"sort_index": spec.sort_index, "label": label_of(spec)}))
        try:
            yield
        finally:
            self._write("")

    def end(self) -> None:
        """Tell it to go. A child that a spec has left behind may hold its input open."""
        self._write("end")

    def _write(self, line: str) -> None:
        # Without a lookout the specs are run as well; only nobody would tell of a crash.
        with suppress(OSError):
            self._told.write(f"{line}\n".encode())
            self._told.flush()


def label_of(spec: ExperimentInputSpec) -> str:
    """A spec as people know it: its place in the run, and the values of its own fields."""
    own = [name for name in dump_spec(spec) if name not in ExperimentInputSpec.model_fields]
    values = ", ".join(f"{name}={getattr(spec, name)!r}" for name in own)
    text = f"spec {spec.sort_index} ({values})" if values else f"spec {spec.sort_index}"
    text = without_secrets(text, os.environ)
    return text if len(text) <= _LABEL_CHARACTERS else text[: _LABEL_CHARACTERS - 4] + "...)"
