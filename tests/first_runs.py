"""Studies after their first run: made once per process, for all tests of a module that begin so."""

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from itemeval_assets import api
from itemeval_assets.core.design.study import Study
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.runs.settled import _fingerprint
from itemeval_assets.storage.study.layout import SETTLED
from itemeval_assets.storage.study.store import open_store

__all__ = ["FirstRuns", "note_as_it_is"]

Declare = Callable[[Path], Path]


class FirstRuns:
    """Gives a test a study as its first run left it, with Dagster's history.

    A later test finds it in the same folder, as the history names that: what the test before has
    changed is gone. The first run is answered by the server of the test that comes first, and the
    response cache knows no answers of another server.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._configs: dict[str, Path] = {}

    def give(self, name: str, declare: Declare, environment: pytest.MonkeyPatch) -> Path:
        """The config of the study that `declare` writes into a folder; `name` is its own."""
        folder, before = self._place / name / "study", self._place / name / "before"
        environment.setenv("DAGSTER_HOME", str(folder / "home"))
        environment.setenv("INSPECT_CACHE_DIR", str(folder / "home" / "inspect"))
        if name in self._configs:
            shutil.rmtree(folder)
            shutil.copytree(before, folder)
            note_as_it_is(load_study(self._configs[name]))
        else:
            (folder / "home").mkdir(parents=True)
            config = declare(folder)
            api.run(config, max_usd=math.inf)
            shutil.copytree(folder, before)
            self._configs[name] = config
        return self._configs[name]


def note_as_it_is(study: Study) -> None:
    """As if a run had ended with the study as it is now."""
    note = Path(study.location) / SETTLED
    found = json.loads(note.read_text())
    marks = _fingerprint(study, open_store(study).stats())
    note.write_text(json.dumps({**found, "marks_sha256": marks}))
