"""Opens the Dagster instances that runs of this process are recorded in."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import dagster as dg
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._serdes import ConfigurableClassData
from filelock import FileLock

from itemeval_assets.settings import dagster_home_for

__all__ = ["ensure_home", "make_home", "open_instance", "uncaptured"]


def ensure_home(folder: Path) -> Path:
    """The Dagster home for a project folder, made with its dagster.yaml if there is none.

    `DAGSTER_HOME`, where it is set, wins.
    """
    given = os.environ.get("DAGSTER_HOME")
    return make_home(Path(given).expanduser().resolve() if given else dagster_home_for(folder))


def make_home(home: Path) -> Path:
    """Make a Dagster home with our dagster.yaml; one that is there stays as it is."""
    home.mkdir(parents=True, exist_ok=True)
    with _alone_in(home):
        if not (home / "dagster.yaml").exists():
            packaged = files("itemeval_assets") / "builtin" / "dagster.yaml"
            (home / "dagster.yaml").write_bytes(packaged.read_bytes())
    return home


@contextmanager
def open_instance(home: Path) -> Iterator[dg.DagsterInstance]:
    """The instance of a home, for runs in this process."""
    with _alone_in(home):
        opened = dg.DagsterInstance.from_config(str(home))
    with opened, uncaptured(opened) as instance:
        yield instance


@contextmanager
def uncaptured(instance: dg.DagsterInstance) -> Iterator[dg.DagsterInstance]:
    """The same instance, whose runs leave the standard output of this process alone.

    Dagster captures the output of a run by pointing the process's own stdout and stderr at
    files, and lets other processes copy those back: a command's progress would come late, a
    script's prints would land in a file, and a copying process that outlives a killed command
    keeps its pipes open. An instance in memory captures nothing anyway.
    """
    if not instance.is_persistent:
        yield instance
        return
    nothing = NoOpComputeLogManager
    noop = ConfigurableClassData(nothing.__module__, nothing.__name__, "{}")
    ref = instance.get_ref()._replace(compute_logs_data=noop)
    with dg.DagsterInstance.from_ref(ref) as quiet:
        yield quiet


def _alone_in(home: Path) -> FileLock:
    """Keeps other processes from making the files of a new Dagster home at the same time."""
    return FileLock(home / ".opening.lock")
