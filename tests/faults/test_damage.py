"""Files of a study that are damaged: named, left as they are, and nothing is lost or paid again."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.errors import ItemevalAssetsError
from itemeval_assets.core.tables.schemas import REPLACED, arrow_schema
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.storage.study.layout import IF_DELETED
from itemeval_assets.storage.study.store import open_store
from tests.model_server import ModelServer
from tests.whole.conftest import Serve, serve_module
from tests.whole.looking import assert_reconciled, results_dir

from .conftest import Report
from .study_runs import Loss, declare, loss_of, run_stages, some, table_contents

__all__ = ["serve_module"]

ITEMS = 2
TABLES = [
    "items",
    "solutions",
    "gradings",
    "gradings_long",
    "bookings",
    "ledger",
    "log_index",
    "replaced",
]
# One of each kind: made from data, from logs, from other tables, from bookings.
SHORT = {"items", "solutions", "gradings_long", "ledger"}
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "garbage": lambda data: b"\x00\xff garbage" * (1 + len(data) // 10),
    "cut in half": lambda data: data[: len(data) // 2],
    "first byte": lambda data: bytes([data[0] ^ 0xFF]) + data[1:],
    "last byte": lambda data: data[:-1] + bytes([data[-1] ^ 0xFF]),
    "middle overwritten": lambda data: data[: len(data) // 3] + b"\xff" * 64 + data[-40:],
}
DOCUMENTS = {
    "study.json": [b"{}", b"", b"{", b"[]", b"\xff\xfe", b"null", b'{"study": 5}'],
    "dataset_locks.json": [
        b"{",
        b"[]",
        b"{}",
        b'{"dataset": {}}',
        b'{"datasets": []}',
        b'{"datasets": {"items.jsonl": 1}}',
        b'{"datasets": {"items.jsonl": {}}}',
        b'{"datasets": {"items.jsonl": {"revision": 7}}}',
        b'{"datasets": {"items.jsonl": {"revision": "7", "requested": 7}}}',
    ],
    "reservations.json": [
        b"{",
        b"[1]",
        b"\x00" * 100,
        b'{"a": "x"}',
        b'{"a": null}',
        b'{"a": true}',
        b'{"a": -5}',
        b'{"a": NaN}',
    ],
}


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, serve_module: Serve
) -> tuple[Path, ModelServer]:
    """A study that is done, and the server that answered it."""
    server = serve_module()
    folder = tmp_path_factory.mktemp("finished")
    run_stages(declare(folder, items=ITEMS))
    return folder, server


@pytest.fixture
def config(finished: tuple[Path, ModelServer], tmp_path: Path) -> Path:
    shutil.copytree(finished[0], tmp_path / "copy")
    return tmp_path / "copy" / "study.yaml"


def refused(config: Path, names: Path) -> str:
    """A run of the study ends with exit 2 and a message that names the file: the message."""
    before = names.read_bytes() if names.is_file() else None
    with pytest.raises(ItemevalAssetsError) as told:
        run_stages(config)
    assert told.value.exit_code == 2
    assert str(names) in str(told.value)
    assert before is None or names.read_bytes() == before
    return str(told.value)


@pytest.mark.parametrize(
    "table",
    [pytest.param(table, marks=[] if table in SHORT else [pytest.mark.long]) for table in TABLES],
)
def test_a_damaged_table(
    config: Path, finished: tuple[Path, ModelServer], table: str, report_fault: Report
) -> None:
    """Promised: exit 2 names the file and leaves it; deleted, as the message says, it is made
    anew from the logs, without a call. A table made from others is just made again."""
    server, wanted, total = finished[1], table_contents(config), Loss()
    made, study = server.count(), load_study(config)
    if table == "replaced":  # there is a file only where something was
        nothing = arrow_schema(REPLACED).empty_table()
        open_store(study).replace(table, study.generate_partitions()[0], nothing)
    path = results_dir(config) / open_store(study).keys(table)[0]
    whole, carried_on = path.read_bytes(), 0
    chosen = [list(DAMAGES)[place] for place in some(range(len(DAMAGES)), 3)]
    for name in chosen:
        path.write_bytes(DAMAGES[name](whole))
        try:
            open_store(study).read(table)
        except ItemevalAssetsError:
            if table == "gradings_long":
                carried_on += 1
            else:
                refused(config, path)
                path.unlink()
        run_stages(config)
        assert table_contents(config) == wanted
        total += loss_of(config, server, items=ITEMS)
        assert_reconciled(config)
        path.write_bytes(whole)
    assert server.count() == made
    report_fault(
        f"{table}: file corrupt or cut",
        "exit 2 names the file; deleted, it is rebuilt from the logs; no call",
        injected=len(chosen),
        loss=total,
    )


@pytest.mark.parametrize("stage", ["generate", "grade"])
def test_a_damaged_log_of_calls_that_are_booked_is_not_even_opened(
    config: Path, finished: tuple[Path, ModelServer], stage: str, report_fault: Report
) -> None:
    """Promised: rows and ledger stand without it."""
    server = finished[1]
    made, wanted = server.count(), table_contents(config)
    [path] = (results_dir(config) / "logs" / stage).rglob("*.eval")
    whole = path.read_bytes()
    for damage in DAMAGES.values():
        path.write_bytes(damage(whole))
        run_stages(config)
        assert table_contents(config) == wanted and server.count() == made
    path.write_bytes(whole)
    report_fault(
        f"archived log of {stage} corrupt or cut",
        "rows and ledger stand without it; no call",
        injected=len(DAMAGES),
        loss=loss_of(config, server, items=ITEMS),
    )


def test_a_damaged_log_that_nobody_has_read_yet(
    finished: tuple[Path, ModelServer], tmp_path: Path, report_fault: Report
) -> None:
    """Promised: either all of its calls are recovered, or exit 2 names the log, says what to do,
    and leaves it; with the log whole again its calls are recovered. None is made again."""
    folder, server = finished
    made, total = server.count(), Loss()
    for number, damage in enumerate(DAMAGES.values()):
        shutil.copytree(folder, tmp_path / str(number))
        config = tmp_path / str(number) / "study.yaml"
        wanted = table_contents(config)
        log = _as_a_killed_run_leaves_it(results_dir(config))
        whole = log.read_bytes()
        log.write_bytes(damage(whole))
        try:
            run_stages(config)
        except ItemevalAssetsError as told:
            left = log if log.exists() else next(results_dir(config).rglob("generate/*/*.eval"))
            assert told.exit_code == 2 and str(left) in str(told)
            assert "move it out of the study's logs/ folder" in str(told)
            assert left.read_bytes() == damage(whole)
            left.write_bytes(whole)
            run_stages(config)
        assert table_contents(config) == wanted
        total += loss_of(config, server, items=ITEMS)
        assert_reconciled(config)
    assert server.count() == made
    report_fault(
        "log of a killed run corrupt or cut",
        "exit 2 names the log and leaves it; whole again, its calls are recovered",
        injected=len(DAMAGES),
        loss=total,
    )


def _as_a_killed_run_leaves_it(home: Path) -> Path:
    """The log of generation, which no table knows yet; all that came of it is gone."""
    for table in ("solutions", "log_index/generate", "bookings/generate"):
        name, _, stage = table.partition("/")
        shutil.rmtree(home / f"{name}.parquet" / stage)
    [log] = (home / "logs" / "generate").rglob("*.eval")
    running = home / "logs" / "running" / log.name
    running.parent.mkdir(parents=True, exist_ok=True)
    return log.replace(running)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_damaged_document(
    config: Path, finished: tuple[Path, ModelServer], name: str, report_fault: Report
) -> None:
    """Promised: exit 2 names the file, leaves it, and says what deleting it means."""
    server = finished[1]
    made, path = server.count(), results_dir(config) / name
    whole = path.read_bytes()
    for content in DOCUMENTS[name]:
        path.write_bytes(content)
        assert IF_DELETED[name] in refused(config, path)
    path.write_bytes(whole)
    run_stages(config)
    assert server.count() == made
    report_fault(
        f"{name} corrupt",
        "exit 2 names the file and leaves it; no call",
        injected=len(DOCUMENTS[name]),
        loss=loss_of(config, server, items=ITEMS),
    )


ATTEMPTS = [
    f'{{"a": {{"made": {made}, "last": {last}}}}}'.encode()
    for made, last in (
        ("1", '"2026-01-01T00:00:00"'),
        ("-1", '"2026-01-01T00:00:00Z"'),
        ("true", '"2026-01-01T00:00:00Z"'),
        ('"1"', '"2026-01-01T00:00:00Z"'),
        ("1", "5"),
    )
]


def test_damaged_attempts_of_the_schedule(config: Path) -> None:
    """Promised: exit 2 names the file and says what deleting it means."""
    from itemeval_assets.storage.study.attempts import read_attempts

    path = results_dir(config) / "reruns.json"
    store = open_store(load_study(config))
    for content in (b"{", b"[]", b'{"a": 1}', b'{"a": {"made": "x", "last": "y"}}', *ATTEMPTS):
        path.write_bytes(content)
        with pytest.raises(ItemevalAssetsError, match=r"reruns\.json.* delete it: ") as told:
            read_attempts(store)
        assert told.value.exit_code == 2


def test_locks_with_anything_in_them(
    config: Path, finished: tuple[Path, ModelServer], report_fault: Report
) -> None:
    """Promised: what a lock file holds means nothing, so a run carries on; a folder where a
    lock should be is exit 2 with its path."""
    server = finished[1]
    made, locks = server.count(), results_dir(config) / ".locks"
    files = [path for path in locks.rglob("*") if path.is_file()]
    for path in files:
        path.write_bytes(b"\xff\x00 garbage " * 100)
    run_stages(config)
    claim = next(path for path in files if "claims" in path.parts and path.suffix == ".lock")
    claim.unlink()
    claim.mkdir()
    with pytest.raises(ItemevalAssetsError, match="claims") as told:
        run_stages(config)
    assert told.value.exit_code == 2
    claim.rmdir()
    run_stages(config)
    assert server.count() == made
    report_fault(
        "garbage in lock files, a folder in place of one",
        "carries on; exit 2 names the folder",
        injected=len(files) + 1,
        loss=loss_of(config, server, items=ITEMS),
    )


FOREIGN: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "another table's file": (
        lambda root: shutil.copy(root / "items.parquet", _first(root, "solutions")),
        r"solutions\.parquet/\S+ is not a readable solutions table: it has no .*another table\?",
        "rebuilds the partition from its .eval logs",
    ),
    "bookings of another partition": (
        lambda root: _over_each_other(root / "bookings.parquet"),
        r"bookings\.parquet/\S+ holds rows of another partition: ",
        "or move it away: the next run rebuilds the partition from its .eval logs",
    ),
    "a file of what is no partition": (
        lambda root: shutil.copy(root / "items.parquet", root / "solutions.parquet"),
        r"solutions\.parquet/items\.parquet is not a readable solutions table",
        "Restore the file",
    ),
    "a damaged ledger": (
        lambda root: (root / "ledger.parquet").write_bytes(b"garbage"),
        r"ledger\.parquet is not a readable ledger table",
        "adds it up again from the bookings",
    ),
}


def _first(root: Path, table: str) -> Path:
    return next((root / f"{table}.parquet").rglob("*.parquet"))


def _over_each_other(table: Path) -> None:
    first, *_, last = sorted(table.rglob("*.parquet"))
    shutil.copy(first, last)


@pytest.mark.parametrize("name", FOREIGN)
def test_commands_that_run_dagster_name_a_file_out_of_place_as_well(
    config: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Promised: exit 2, the file, and what to do; never the error of a library alone."""
    damage, says, advice = FOREIGN[name]
    damage(results_dir(config))
    assert run_cli(["export", str(config)]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert re.search(says, told) and advice in told
    if "bookings" in name:
        for other in (["status"], ["recover"], ["run", "--yes"]):
            assert run_cli([other[0], str(config), *other[1:]]) == 2
            assert re.search(says, " ".join(capsys.readouterr().err.split()))


COMMANDS = ("run --yes", "status", "estimate", "cells", "export", "recover", "release")


def in_the_way(config: Path) -> list[Path]:
    """A file of every kind and a folder of every kind that a finished study has."""
    folder, study = results_dir(config), load_study(config)
    store = open_store(study)
    files = [folder / store.keys(table)[0] for table in TABLES if table != "replaced"]
    files += [folder / "export" / "gradings_long.csv", *list(folder.rglob("*.eval"))[:1]]
    files += list(folder.glob("manifests/*.json"))[:1]
    [(generate, _)] = study.grade_partitions()[:1]
    below = ("solutions.parquet", "bookings.parquet/generate", "logs/generate", "manifests")
    return [*files, *(folder / name for name in below), folder / "gradings.parquet" / generate]


def test_a_folder_in_the_place_of_a_file_and_a_file_in_that_of_a_folder(
    config: Path,
    finished: tuple[Path, ModelServer],
    capsys: pytest.CaptureFixture[str],
    report_fault: Report,
) -> None:
    """Promised: every command ends with exit 2 and names the path; no call is made, although
    there are calls to be made."""
    server, total = finished[1], Loss()
    made, injected = server.count(), 0
    declared = config.read_text()
    config.write_text(declared.replace("replications: 1", "replications: 2"))
    for path in in_the_way(config):
        aside, was_file = path.with_name(".aside"), path.is_file()
        path.rename(aside)
        path.mkdir() if was_file else path.write_text("in the way")
        for number in some(range(len(COMMANDS)), 3):
            command, *options = COMMANDS[number].split()
            assert run_cli([command, str(config), *options]) == 2, (path, command)
            told = capsys.readouterr().err.replace("\n", "")
            found = "folder" if was_file else "file"
            assert f"{path}: a {found} is in the place of" in told, (path, command)
            assert "move it away" in told and "Traceback" not in told
            injected += 1
        path.rmdir() if was_file else path.unlink()
        aside.rename(path)
    assert server.count() == made
    config.write_text(declared)
    run_stages(config)
    assert server.count() == made
    total += loss_of(config, server, items=ITEMS)
    assert_reconciled(config)
    report_fault(
        "a folder in the place of a file, a file in that of a folder",
        "exit 2 names the path, of every command; no call",
        injected=injected,
        loss=total,
    )
