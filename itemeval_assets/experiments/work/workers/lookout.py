"""A small process beside the one that runs specs: it tells which spec was at work when that ended.

A spec that exits, or crashes, in the process of the run takes everything with it. The lookout is
told of each spec as it begins; when nobody is left who could tell it of the end, it says so on
standard error, and leaves a note for the next attempt.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from itemeval_assets.core.text.secrets import without_secrets
from itemeval_assets.experiments.read.run import ExperimentRun
from itemeval_assets.experiments.spec.models import ExperimentInputSpec
from itemeval_assets.experiments.spec.transport import dump_spec
from itemeval_assets.storage.objects.backends import open_backend

from .processes import python_path

__all__ = ["Lookout", "main"]

LABEL_CHARACTERS = 200
_BOOT = (
    "import json, sys; place = json.loads(sys.argv[1]); last = ''\n"
    "for line in sys.stdin:\n"
    "    last = line.strip()\n"
    "    if last == 'end': sys.exit()\n"
    "if last:\n"
    "    sys.path[:] = place['path']\n"
    "    from itemeval_assets.experiments.work.workers.lookout import main\n"
    "    main(place, json.loads(last))"
)


class Lookout:
    """Knows which spec of a shard is at work in this process."""

    def __init__(self, told: IO[bytes]) -> None:
        self._told = told

    @classmethod
    @contextmanager
    def open(cls, run: ExperimentRun[Any, Any], shard: int) -> Iterator["Lookout"]:
        base = run.versioned_experiment.base_experiment
        place = {
            "path": python_path(),
            "location": base.storage_settings.location,
            "key": run.place.cut_off(shard),
            "run": run.experiment_id,
        }
        process = subprocess.Popen(
            [sys.executable, "-c", _BOOT, json.dumps(place)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is not for it
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
        self._tell({"sort_index": spec.sort_index, "label": label_of(spec)})
        try:
            yield
        finally:
            self.rest()

    def rest(self) -> None:
        """Tell that no spec is at work."""
        self._tell(None)

    def end(self) -> None:
        """Tell it to go. A child that a spec has left behind may hold its input open."""
        self._write("end\n")

    def _tell(self, what: dict[str, Any] | None) -> None:
        self._write("\n" if what is None else json.dumps(what) + "\n")

    def _write(self, line: str) -> None:
        # Without a lookout the specs are run as well; only nobody would tell of a crash.
        with suppress(OSError):
            self._told.write(line.encode())
            self._told.flush()


def label_of(spec: ExperimentInputSpec) -> str:
    """A spec as people know it: its place in the run, and the values of its own fields."""
    own = [name for name in dump_spec(spec) if name not in ExperimentInputSpec.model_fields]
    values = ", ".join(f"{name}={getattr(spec, name)!r}" for name in own)
    text = f"spec {spec.sort_index} ({values})" if values else f"spec {spec.sort_index}"
    text = without_secrets(text, os.environ)
    return text if len(text) <= LABEL_CHARACTERS else text[: LABEL_CHARACTERS - 4] + "...)"


def main(place: dict[str, Any], last: dict[str, Any]) -> None:
    """Say that the process has ended while a spec was at work, and note which."""

    def with_this(known: bytes | None) -> bytes:
        numbers = {*json.loads(known or b"[]"), last["sort_index"]}
        return json.dumps(sorted(numbers)).encode()

    print(
        f"{place['run']}: the process ended while {last['label']} was at work. What was finished "
        "is kept: call resume(). If the spec ends its process each time, put its function into a "
        'module and use executor="multiprocess"',
        file=sys.stderr,
    )
    open_backend(place["location"]).update(place["key"], with_this)
