"""Opens the Dagster instances that runs of this process are recorded in.

What is wrong with a Dagster home is told as a HistoryError: which file, and what to do.
"""

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import yaml
from dagster._core.instance import InstanceRef
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._serdes import ConfigurableClassData
from filelock import FileLock
from sqlalchemy.exc import SQLAlchemyError

from itemeval_assets.core.errors import HistoryError
from itemeval_assets.core.text.yaml.strict import yaml_message
from itemeval_assets.settings import dagster_home_of

from .history import held
from .home import CONFIG, packaged_config, require_usable
from .migrations import quiet_migrations
from .new_keys import tell_of_new_keys

REASON_CHARACTERS = 300
# Databases of Dagster are made and runs are set up for the whole process, and inspect_ai knows one
# eval at a time.
_turn = threading.RLock()
_mine = threading.local()


def ensure_home(folder: Path) -> Path:
    """The Dagster home for a project folder, made with its dagster.yaml if there is none."""
    return make_home(dagster_home_of(folder))


def make_home(home: Path) -> Path:
    """Make a Dagster home with our dagster.yaml; one that is there stays as it is."""
    require_usable(home)
    with opening(home):
        home.mkdir(parents=True, exist_ok=True)
        with _alone_in(home):
            if not (home / CONFIG).exists():
                draft = home / f".{CONFIG}.draft"
                try:
                    draft.write_bytes(packaged_config())
                    draft.replace(home / CONFIG)
                finally:
                    draft.unlink(missing_ok=True)
    return home


@contextmanager
def open_instance(home: Path) -> Iterator[dg.DagsterInstance]:
    """The instance of a home, for runs in this process, one thread after the other."""
    with taking_turns(), ExitStack() as stack:
        with opening(home), _alone_in(home):
            quiet = _uncaptured(InstanceRef.from_dir(str(home)))
            instance = stack.enter_context(dg.DagsterInstance.from_ref(quiet))
        with recording(instance):
            tell_of_new_keys(instance)
            yield instance


@contextmanager
def taking_turns() -> Iterator[None]:
    """Threads of this process that run on Dagster do so one after the other."""
    with _turn, quiet_migrations():
        before, _mine.has_turn = has_turn(), True
        try:
            yield
        finally:
            _mine.has_turn = before


def has_turn() -> bool:
    """Whether this thread is at work on a run: what waits for a turn of its own waits for ever."""
    return getattr(_mine, "has_turn", False)


@contextmanager
def opening(home: Path) -> Iterator[None]:
    """Tell what is wrong with a home. Dagster says so with exceptions of many kinds."""
    try:
        yield
    except HistoryError:
        raise
    except Exception as error:
        raise _told(home, error) from error


@contextmanager
def recording(instance: dg.DagsterInstance) -> Iterator[None]:
    """Tell when the history of an instance can no longer be read or written."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise _told(Path(instance.root_directory), error) from error


def _told(home: Path, error: Exception) -> HistoryError:
    reason = _reason(error)
    safe = "Results are stored elsewhere, and none is lost."
    if isinstance(error, (SQLAlchemyError, sqlite3.Error)):
        return HistoryError(
            f"Dagster's history in {home} cannot be read or written: {reason}{_damaged(home)}. "
            f"{safe} Check that the disk has space and can be written. If a file is damaged, move "
            "its folder (history or schedules) away: the next command makes a new one"
        )
    if isinstance(error, OSError):
        return HistoryError(
            f"Dagster's home {home} cannot be used: {reason}. {safe} Check that it is a folder on "
            "a disk that has space and can be written, or set DAGSTER_HOME to another one"
        )
    return HistoryError(
        f"{home / CONFIG} cannot be used: {reason}. {safe} Correct the file, or move it away: the "
        "next command writes the default one"
    )


def _reason(error: Exception) -> str:
    """What an exception says, on one line, without what Dagster had expected at each place."""
    if isinstance(error, yaml.YAMLError):
        text = yaml_message(error)
    elif isinstance(error, dg.DagsterInvalidConfigError):
        text = "; ".join(problem.message.split(" Expected: ")[0] for problem in error.errors)
    else:
        text = str(getattr(error, "orig", None) or error)
    return " ".join(text.split())[:REASON_CHARACTERS].rstrip(".")


def _damaged(home: Path) -> str:
    """The databases of a home that are none, or not any more."""
    found = []
    for path in sorted(home.rglob("*.db")):
        try:
            with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
                sound = database.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
        except sqlite3.DatabaseError:
            sound = False
        if not sound:
            found.append(str(path.relative_to(home)))
    return f" (damaged: {', '.join(found)})" if found else ""


@contextmanager
def uncaptured(instance: dg.DagsterInstance) -> Iterator[dg.DagsterInstance]:
    """The same instance, whose runs leave the standard output of this process alone.

    An instance in memory captures nothing anyway.
    """
    if not instance.is_persistent:
        yield instance
        return
    with dg.DagsterInstance.from_ref(_uncaptured(instance.get_ref())) as quiet:
        yield quiet


def _uncaptured(ref: InstanceRef) -> InstanceRef:
    """The same instance, without capture of what runs print.

    Dagster captures the output of a run by pointing the process's own stdout and stderr at
    files, and lets other processes copy those back: a command's progress would come late, a
    script's prints would land in a file, and a copying process that outlives a killed command
    keeps its pipes open.
    """
    nothing = NoOpComputeLogManager
    noop = ConfigurableClassData(nothing.__module__, nothing.__name__, "{}")
    settings = _without_empty_logging(ref.settings)
    return held(ref)._replace(compute_logs_data=noop, settings=settings)


def _without_empty_logging(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of an instance, less handlers of logs where there are none.

    To set up no handler, Dagster closes every handler of the process.
    """
    logs = dict(settings.get("python_logs") or {})
    if not logs.get("dagster_handler_config", {}).get("handlers"):
        logs.pop("dagster_handler_config", None)
    return {**settings, "python_logs": logs}


def _alone_in(home: Path) -> FileLock:
    """Keeps other processes from making the files of a new Dagster home at the same time."""
    return FileLock(home / ".opening.lock")
