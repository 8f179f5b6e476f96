"""What replies used, noted beside their logs: also by a process that is cut off in a line."""

from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import Model, ModelOutput, ModelUsage, get_model
from inspect_ai.solver import Generate, Solver, TaskState, solver

from itemeval_assets.core.errors import StoreError
from itemeval_assets.engine.logs.spent import Spent, with_notes
from itemeval_assets.storage.study.log_files import notes_of

MODEL = "mockllm/model"


def usage(tokens: int) -> ModelUsage:
    return ModelUsage(input_tokens=tokens, output_tokens=1, total_tokens=tokens + 1)


def reply(used: ModelUsage | None) -> ModelOutput:
    return ModelOutput(model="model", usage=used)


def eval_that_spends(folder: Path, *used: ModelUsage | None) -> tuple[Spent, str, bytes]:
    """An eval of one sample, to which these replies came: its log, and the notes beside it."""
    spent, model = Spent(), get_model(MODEL)
    eval([Task([Sample("q")], solver=spend(spent, model, used))], model=MODEL, log_dir=str(folder),
         display="none", score=False)  # fmt: skip
    [log] = folder.glob("*.eval")
    notes = Path(notes_of(str(log)))
    return spent, str(log), notes.read_bytes() if notes.exists() else b""


@solver
def spend(spent: Spent, model: Model, used: tuple[ModelUsage | None, ...]) -> Solver:
    async def solve(state: TaskState, generate: Generate) -> TaskState:
        for one in used:
            spent.add(model, reply(one))
        return state

    return solve


def tokens(log: EvalLog) -> int:
    return sum(used.total_tokens for used in log.stats.model_usage.values())


def test_each_reply_is_a_line_and_the_log_gets_their_sum(tmp_path: Path) -> None:
    spent, path, notes = eval_that_spends(tmp_path, usage(9), usage(19))
    assert notes.count(b"\n") == 2
    assert tokens(with_notes(read_eval_log(path), notes, "here")) == 30
    assert spent.of(path)[MODEL].total_tokens == 30
    spent.forget()
    assert not Path(notes_of(path)).exists()
    spent.forget()


def test_a_usage_that_is_missing_or_cannot_be_is_no_line(tmp_path: Path) -> None:
    below_zero = ModelUsage(input_tokens=-5, output_tokens=1, total_tokens=4)
    spent, path, notes = eval_that_spends(tmp_path, None, below_zero)
    assert notes == b"" and spent.of(path) == {}


@pytest.mark.parametrize("cut", [1, 7, 60])
def test_a_line_that_is_cut_off_counts_for_nothing(tmp_path: Path, cut: int) -> None:
    _, path, notes = eval_that_spends(tmp_path, usage(9), usage(19))
    assert tokens(with_notes(read_eval_log(path), notes[:-cut], "here")) == 10


def test_a_header_that_tells_more_stays(tmp_path: Path) -> None:
    _, path, notes = eval_that_spends(tmp_path, usage(9))
    log = read_eval_log(path)
    log.stats.model_usage = {MODEL: usage(99)}
    assert tokens(with_notes(log, notes, "here")) == 100
    assert tokens(with_notes(log, None, "here")) == 100


@pytest.mark.parametrize(
    "line", [b"{}", b"x", b"[1]", b'{"model": "m", "usage": {"input_tokens": 1e999}}']
)
def test_notes_that_say_something_else_are_refused(tmp_path: Path, line: bytes) -> None:
    _, path, notes = eval_that_spends(tmp_path, usage(9))
    with pytest.raises(StoreError, match="here does not hold the usage"):
        with_notes(read_eval_log(path), line + b"\n" + notes, "here")


def test_a_disk_that_takes_no_line_costs_no_reply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Path.open

    def full(self: Path, *arguments: Any, **options: Any) -> Any:
        if str(self).endswith(".usage.jsonl"):
            raise OSError(28, "No space left on device")
        return whole(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", full)
    spent, path, _ = eval_that_spends(tmp_path, usage(9), usage(19))
    assert spent.of(path)[MODEL].total_tokens == 30
    assert read_eval_log(path).status == "success"
    spent.forget()
