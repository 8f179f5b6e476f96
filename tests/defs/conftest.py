"""A finished study, made once; each test that changes something gets a copy."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from itemeval_assets.engine.study_files import load_study
from tests.defs.runs import Runs, finish, runs_of, toy_study


@pytest.fixture(scope="session")
def finished_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        with runs_of(toy_study(folder), on_disk=True) as runs:
            finish(runs)
    return folder


@pytest.fixture(scope="session")
def finished(finished_folder: Path) -> Iterator[Runs]:
    """The finished study, to look at."""
    with runs_of(load_study(finished_folder / "study.yaml"), on_disk=True) as runs:
        yield runs


@pytest.fixture
def copied(finished_folder: Path, tmp_path: Path) -> Iterator[Runs]:
    """A finished study of one's own, to change; what Dagster remembers of it stays behind."""
    shutil.copytree(finished_folder, tmp_path / "copy")
    with runs_of(load_study(tmp_path / "copy" / "study.yaml")) as runs:
        yield runs


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Runs]:
    """A study of which nothing has run."""
    with runs_of(toy_study(tmp_path / "fresh")) as runs:
        yield runs
