"""A log and rows that were made of it are both gone: what is lost is said, and can be accepted."""

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from inspect_ai.log import read_eval_log, write_eval_log
from inspect_ai.model import ModelUsage

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.errors import EvidenceLost
from itemeval_assets.core.money.losses import LOST, is_accepted
from itemeval_assets.core.records.unread import UnreadLog
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.stages import ledger
from itemeval_assets.stages.calls.recovery import losses
from itemeval_assets.storage.study.reservations import Reservations
from itemeval_assets.storage.study.store import ResultsStore, open_store
from tests.defs.runs import SOLUTIONS, message, runs_of
from tests.studies import write_study

from .looking import Row, rows

ITEMS = 3
PRICE = {"input_usd_per_mtok": 10.0, "output_usd_per_mtok": 30.0}
MODELS = ("mockllm/a", "mockllm/b")
JUDGE = "mockllm/judge"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of two models and a judge, done, whose every call has a price."""
    folder = tmp_path_factory.mktemp("finished")
    prices = {"models": dict.fromkeys((*MODELS, JUDGE), PRICE)}
    (folder / "prices.json").write_text(json.dumps(prices))
    budget = {"pricing_path": "prices.json", "max_usd": 50, "confirm_above_usd": 50}
    extra = {"cache": False, "budget": budget}
    api.run(write_study(folder, models=MODELS, items=ITEMS, scorer=None, extra=extra))
    return folder


@pytest.fixture
def config(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished, tmp_path / "copy")
    return tmp_path / "copy" / "study.yaml"


def place(config: Path, table: str) -> tuple[ResultsStore, Partition]:
    study = load_study(config)
    found = study.generate_partitions() if table == "solutions" else study.grade_partitions()
    return open_store(study), found[0]


def logs_of(store: ResultsStore, partition: Partition) -> list[Path]:
    index = store.read("log_index", [partition], ["log_file"])
    return [Path(store.backend.uri(key)) for key in index["log_file"].to_pylist()]


def delete(store: ResultsStore, table: str, partition: Partition) -> None:
    Path(store.uri(table, partition)).unlink()


def delete_rows(store: ResultsStore, table: str, partition: Partition, left: int) -> None:
    store.replace(table, partition, store.read(table, [partition]).slice(0, left))


def lose_the_table(store: ResultsStore, table: str, partition: Partition) -> None:
    delete(store, table, partition)


def lose_rows(store: ResultsStore, table: str, partition: Partition) -> None:
    delete_rows(store, table, partition, left=1)


def lose_the_index_too(store: ResultsStore, table: str, partition: Partition) -> None:
    delete(store, table, partition)
    delete(store, "log_index", partition)


WAYS = [
    lose_the_table,
    *(pytest.param(way, marks=pytest.mark.long) for way in (lose_rows, lose_the_index_too)),
]


def lose(config: Path, table: str, way: Callable[[ResultsStore, str, Partition], None]) -> Row:
    """Delete the log and rows of a partition; what the rows said they had cost."""
    store, partition = place(config, table)
    before = store.read(table, [partition]).to_pylist()
    for log in logs_of(store, partition):
        log.unlink()
    way(store, table, partition)
    left = {row["sample_uuid"] for row in store.read(table, [partition]).to_pylist()}
    gone = [row for row in before if row["sample_uuid"] not in left]
    return {
        "calls": len(gone),
        "usd": sum(row["usd"] for row in gone),
        "total_tokens": sum(row["total_tokens"] for row in gone),
    }


def spent(config: Path) -> float:
    return sum(row["usd"] or 0.0 for row in rows(config, "ledger"))


@pytest.mark.parametrize(
    ("table", "way"),
    [
        ("solutions", lose_the_table),
        pytest.param("solutions", lose_rows, marks=pytest.mark.long),
        pytest.param("solutions", lose_the_index_too, marks=pytest.mark.long),
        pytest.param("gradings", lose_the_table, marks=pytest.mark.long),
    ],
)
def test_what_is_lost_can_be_accepted_and_is_called_again(
    config: Path, table: str, way: Callable[[ResultsStore, str, Partition], None]
) -> None:
    before, gone = spent(config), lose(config, table, way)
    study, (store, partition) = load_study(config), place(config, table)
    [lost] = api.status(config).lost
    assert (lost.partition, lost.condition) == (partition, study.design.label_of(partition))
    assert (lost.calls, lost.tokens["total_tokens"]) == (gone["calls"], gone["total_tokens"])
    assert lost.usd == pytest.approx(gone["usd"]) and gone["usd"] > 0
    assert api.recover(config, accept_loss=True).accepted == [lost]
    [row] = accepted_rows(config)
    told = (row["item_id"], row["run_id"], row["condition_id"])
    assert told == (LOST, lost.run_id, partition[-1])
    assert row["usd"] == pytest.approx(gone["usd"])
    assert ledger.judge(store) == ([], []) and spent(config) == pytest.approx(before)
    # Once more: there is nothing left to accept.
    assert losses.accept(study, store) == [] and accepted_rows(config) == [row]
    again = api.run(config)
    assert (again.exit_code, again.failed_checks, again.status.lost) == (0, [], [])
    # Solutions that are called again make their gradings stale where they are others.
    assert again.calls >= gone["calls"] and len(rows(config, table)) == ITEMS * len(MODELS)
    assert spent(config) == pytest.approx(before + again.usd)
    assert ledger.judge(store) == ([], [])


def test_every_command_says_what_is_lost_and_changes_nothing(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = lose(config, "solutions", lose_the_table)
    store, partition = place(config, "solutions")
    kept, [lost] = tables_of(store), api.status(config).lost
    for command in (api.run, api.export, api.release):
        with pytest.raises(EvidenceLost) as told:
            command(config)
        assert told.value.exit_code == 1 and told.value.facts == pytest.approx(gone)
        for word in (lost.run_id, "generate", lost.condition, f"{gone['calls']} calls"):
            assert word in str(told.value)
        assert "--accept-loss" in str(told.value)
    assert run_cli(["recover", str(config), "--json"]) == 1
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    assert (document["error"], document["exit_code"]) == ("EvidenceLost", 1)
    assert document["calls"] == gone["calls"] and document["message"] in shown.err
    assert run_cli(["status", str(config)]) == 0
    assert lost.run_id in (words := capsys.readouterr().out)
    assert f"recover {shlex.quote(str(config))} --accept-loss" in words
    assert tables_of(store) == kept
    # In Dagster: the step that would call the cells again, and the check of the ledger.
    study = load_study(config)
    with runs_of(study) as runs:
        result = runs.run(SOLUTIONS, only=partition)  # type: ignore[arg-type]
        assert not result.success and lost.run_id in message(result)
        result = runs.run(("ledger",))
        [check] = result.get_asset_check_evaluations()
        assert not check.passed and "--accept-loss" in (check.description or "")
    assert tables_of(store) == kept
    assert run_cli(["recover", str(config), "--accept-loss"]) == 0
    words = capsys.readouterr().out
    assert "Recorded as lost" in words and lost.run_id in words
    assert ledger.judge(store) == ([], [])


def test_a_log_that_is_there_is_no_loss(config: Path) -> None:
    study = load_study(config)
    for table in ("solutions", "gradings"):
        store, partition = place(config, table)
        delete(store, table, partition)
        assert losses.losses(study, store) == losses.accept(study, store) == []
        delete(store, "log_index", partition)
        assert losses.losses(study, store) == losses.accept(study, store) == []
    assert len(api.recover(config).status.lost) == 0
    assert len(rows(config, "solutions")) == len(rows(config, "gradings")) == ITEMS * len(MODELS)
    assert ledger.judge(store) == ([], [])


def test_rows_without_their_logs_are_no_loss(config: Path) -> None:
    study, store = load_study(config), open_store(load_study(config))
    for log in Path(store.backend.uri("logs")).rglob("*.eval"):
        log.unlink()
    assert losses.losses(study, store) == losses.accept(study, store) == []
    assert api.run(config).calls == 0


def test_a_partition_of_a_living_run_is_left_alone(config: Path) -> None:
    lose(config, "gradings", lose_the_table)
    study, (store, partition) = load_study(config), place(config, "gradings")
    with store.claimed([partition], "a living run", lambda *_: None):
        assert losses.losses(study, store) == losses.accept(study, store) == []
        assert len(losses.losses(study, store, [partition], is_held=True)) == 1
    assert len(losses.accept(study, store)) == 1


@pytest.mark.parametrize("way", WAYS)
def test_a_log_that_comes_back_takes_its_accepted_loss_with_it(
    config: Path, way: Callable[[ResultsStore, str, Partition], None]
) -> None:
    study, (store, partition) = load_study(config), place(config, "solutions")
    copies = {log: log.read_bytes() for log in logs_of(store, partition)}
    before = spent(config)
    lose(config, "solutions", way)
    assert len(losses.accept(study, store)) == 1
    for log, content in copies.items():
        log.write_bytes(content)
    api.recover(config)
    assert accepted_rows(config) == [] and spent(config) == pytest.approx(before)
    assert ledger.judge(store) == ([], []) and losses.losses(study, store) == []


@pytest.mark.parametrize("way", WAYS)
def test_lost_gradings_can_be_accepted(
    config: Path, way: Callable[[ResultsStore, str, Partition], None]
) -> None:
    gone, study = lose(config, "gradings", way), load_study(config)
    [lost] = losses.accept(study, open_store(study))
    assert (lost.stage, lost.calls) == ("grade", gone["calls"])
    assert ledger.judge(open_store(study)) == ([], [])


def test_a_run_can_lose_more_and_more(config: Path) -> None:
    study, (store, partition) = load_study(config), place(config, "solutions")
    lose(config, "solutions", lose_rows)
    [first] = losses.accept(study, store)
    delete(store, "solutions", partition)
    [second] = losses.accept(study, store)
    assert (first.run_id, first.calls, second.calls) == (second.run_id, ITEMS - 1, 1)
    assert len(accepted_rows(config)) == 2 and ledger.judge(store) == ([], [])


def test_calls_of_the_preflight_can_be_lost(config: Path) -> None:
    api.preflight(config, max_usd=50)
    study, store = load_study(config), open_store(load_study(config))
    for log in logs_of(store, Partition(())):
        log.unlink()
    delete(store, "replaced", Partition(()))
    [lost] = losses.losses(study, store)
    assert (lost.stage, lost.condition, lost.calls) == ("preflight", "preflight", 3)
    assert losses.accept(study, store) == [lost] and ledger.judge(store) == ([], [])


def accepted_rows(config: Path) -> list[Row]:
    return [row for row in rows(config, "replaced") if is_accepted(row["sample_uuid"])]


def tables_of(store: ResultsStore) -> dict[str, bytes]:
    """The files of all tables that a command may not touch."""
    tables = ("solutions", "gradings", "bookings", "replaced", "log_index")
    return {key: store.backend.read(key) or b"" for table in tables for key in store.keys(table)}


@pytest.mark.long
@pytest.mark.parametrize("rows_too", [False, True])
def test_of_two_logs_of_a_run_one_and_the_index_can_go_without_a_dollar(
    config: Path, rows_too: bool
) -> None:
    before, (store, partition) = spent(config), place(config, "solutions")
    first, second = split(logs_of(store, partition)[0])
    for table in ("solutions", "log_index"):
        delete(store, table, partition)
    api.recover(config)
    assert spent(config) == pytest.approx(before) and ledger.judge(store) == ([], [])
    assert set(logs_of(store, partition)) == {first, second}

    second.unlink()
    delete(store, "log_index", partition)
    if not rows_too:
        # The rows of the log that is gone are still there: nothing is lost.
        assert api.recover(config).accepted == []
        assert spent(config) == pytest.approx(before) and ledger.judge(store) == ([], [])
        return
    delete(store, "solutions", partition)
    with pytest.raises(EvidenceLost, match="1 calls"):
        api.recover(config)
    assert spent(config) == pytest.approx(before)
    [lost] = api.recover(config, accept_loss=True).accepted
    assert lost.calls == 1 and lost.usd and ledger.judge(store) == ([], [])
    assert spent(config) == pytest.approx(before)


def split(path: Path) -> tuple[Path, Path]:
    """Make two logs of one, as a run leaves them that went on after an interruption."""
    log = read_eval_log(str(path))
    samples, other = log.samples or [], path.with_name(path.name.replace(".eval", "2.eval"))
    path.unlink()
    for target, part in ((path, samples[:-1]), (other, samples[-1:])):
        log.samples = part
        log.stats.model_usage = {}
        for sample in part:
            for model, usage in sample.model_usage.items():
                so_far = log.stats.model_usage.get(model, ModelUsage())
                log.stats.model_usage[model] = so_far + usage
        log.eval.task_id += "2" * (target == other)
        write_eval_log(log, str(target))
    return path, other


BREAK: dict[str, Callable[[Path], object]] = {
    "cut": lambda log: log.write_bytes(log.read_bytes()[:-200]),
    "empty": lambda log: log.write_bytes(b""),
}


@pytest.mark.parametrize(
    ("table", "way", "damage"),
    [
        ("solutions", lose_the_table, "cut"),
        pytest.param("solutions", lose_rows, None, marks=pytest.mark.long),
        ("gradings", lose_rows, "empty"),
        pytest.param("gradings", lose_the_table, None, marks=pytest.mark.long),
    ],
)
def test_rows_that_are_gone_are_told_with_their_log_whether_it_can_be_read_or_not(
    config: Path,
    capsys: pytest.CaptureFixture[str],
    table: str,
    way: Callable[[ResultsStore, str, Partition], None],
    damage: str | None,
) -> None:
    """By status and by export, as by run and recover; in full, and with the way on."""
    store, partition = place(config, table)
    label = load_study(config).design.label_of(partition)
    [log] = logs_of(store, partition)
    way(store, table, partition)
    if damage:
        BREAK[damage](log)
    kept = tables_of(store)
    [unread] = api.status(config).unread
    calls = 0 if damage else ITEMS
    assert unread._replace(problem=None) == UnreadLog(str(log), label, "recover", calls, None, True)
    assert (unread.problem is None) == (damage is None)
    recover = f"itemeval-assets recover {config}"
    for command, code in (("status", 0), ("export", 1)):
        assert run_cli([command, str(config)]) == code
        shown = capsys.readouterr()
        told = " ".join((shown.out + shown.err).split())
        assert str(log) in told and f"ows of {label} are gone from their table" in told
        assert f"recover {config}" in told and "EOCD" not in told
        assert {"cut": "it is cut short", "empty": "it is empty", None: label}[damage] in told
        assert command == "status" or (recover in told and " | ".join(partition) in told)
    assert tables_of(store) == kept
    if not damage:
        assert run_cli(["recover", str(config)]) == 0
        assert api.status(config).unread == [] and ledger.judge(store) == ([], [])
    else:
        for command in (["run", "--yes"], ["recover"]):
            assert run_cli([command[0], str(config), *command[1:]]) == 2
            told = " ".join(capsys.readouterr().err.split())
            assert str(log) in told and "EOCD" not in told and "Restore it from a copy" in told
        log.unlink()
        assert len(api.recover(config, accept_loss=True).accepted) == 1


@pytest.fixture
def stopped(config: Path) -> tuple[ResultsStore, Path]:
    """A study whose last run was killed: one log lies as the run left it, and nothing knows it."""
    store, partition = place(config, "gradings")
    [log] = logs_of(store, partition)
    for table in ("gradings", "log_index", "bookings"):
        delete(store, table, partition)
    ledger.unite(store)
    running = Path(store.backend.uri("logs/running")) / log.name
    running.parent.mkdir(exist_ok=True)
    return store, log.rename(running)


def test_what_a_killed_run_has_spent_is_not_called_nothing(
    config: Path, stopped: tuple[ResultsStore, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    _, log = stopped
    before = spent(config)
    [unread] = api.status(config).unread
    assert (unread.log_file, unread.calls, unread.reader) == (str(log), ITEMS, "recover")
    assert not unread.is_booked and unread.problem is None and unread.usd
    assert run_cli(["status", str(config)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "booked: more was spent" in told
    waiting = f"Logs of stopped runs can be recovered: 1 with {ITEMS} calls, {unread.usd:.6f} USD"
    assert waiting in told
    assert f"recover {config}" in told
    assert run_cli(["status", str(config), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unread"][0]["usd"] == unread.usd
    api.recover(config)
    assert api.status(config).unread == [] and spent(config) == pytest.approx(before + unread.usd)
    assert run_cli(["status", str(config)]) == 0
    assert " spent " in " ".join(capsys.readouterr().out.split())


def test_the_log_of_a_living_run_waits_for_nobody(
    config: Path, stopped: tuple[ResultsStore, Path]
) -> None:
    store, log = stopped
    holder = (read_eval_log(str(log)).eval.metadata or {})["reserved_by"]
    reservations = Reservations(store)
    with reservations.held(holder):
        reservations.reserve(holder, 1.0, lambda _: None)
        assert api.status(config).unread == []
    assert len(api.status(config).unread) == 1


def test_a_log_of_a_killed_run_that_cannot_be_read_is_told_by_status(
    config: Path, stopped: tuple[ResultsStore, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    _, log = stopped
    BREAK["cut"](log)
    assert run_cli(["status", str(config)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert f"{log} is not a readable .eval log: it is cut short" in told
    assert "booked: more was spent" in told


def test_logs_that_no_run_reads_are_told_as_such(
    config: Path, stopped: tuple[ResultsStore, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(config.read_text().replace(JUDGE, "mockllm/judge_b"))
    [unread] = api.status(config).unread
    assert unread.reader is None
    assert run_cli(["status", str(config)]) == 0
    told = capsys.readouterr().out
    assert "no longer in the design" in told and "Recover them" not in told
