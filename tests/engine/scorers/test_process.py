"""The process of a scorer by code of others: its limits, its ends, and what it leaves behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.grading.code import FunctionCode, Program, Source
from itemeval_assets.core.grading.verdict import Verdict
from itemeval_assets.engine.scorers.process import Answer, require_loadable, verdicts

ROOT = Path(__file__).parents[3]


def program(text: str, timeout_s: float = 5.0, memory_mb: int = 300) -> Program:
    source = Source(path="/nowhere/mine.py", text=text)
    return Program("scorers.mine", FunctionCode("mine.py", "score"), source, timeout_s, memory_mb)


def graded(body: str, solutions: Sequence[str], **limits: float) -> list[Verdict]:
    """What `score(s, t, m)` of this body makes of some solutions."""
    text = f"import os, re, sys, time\nkept = []\n\ndef score(s, t, m):\n    {body}\n"
    answers = [Answer(s, "t", "{}") for s in solutions]
    return list(verdicts(program(text, **limits), answers))  # type: ignore[arg-type]


def told(found: Sequence[Verdict]) -> list[float | str | None]:
    return [one.parse_error if one.score is None else one.score for one in found]


def test_what_holds_the_interpreter_is_ended_in_time_too() -> None:
    start = time.monotonic()
    body = "return 1.0 if s == 'x' or re.match('(a+)+$', s) else 0.0"
    found = graded(body, ["x", "a" * 60 + "b", "x"], timeout_s=1.0)
    assert told(found) == [1.0, "scorer_timeout", 1.0]
    assert time.monotonic() - start < 20


@pytest.mark.skipif(sys.platform != "linux", reason="Linux counts memory")
def test_what_one_answer_takes_is_its_own_and_what_is_left_behind_is_not_the_next_ones() -> None:
    found = graded("return len(bytearray(int(s) * 10**6)) > 0", ["1", "900", "1"])
    assert told(found) == [1.0, "scorer_error", 1.0]
    assert found[1].reasoning == "memory_mb = 300 is used up"
    found = graded("kept.append(bytearray(120 * 10**6)); return len(kept)", ["x"] * 6)
    assert all(one.score is not None for one in found)


def test_the_hundredth_answer_is_told_as_the_first() -> None:
    found = graded("return os._exit(9) if s == '700' else int(s)", [str(n) for n in range(1500)])
    assert told(found) == [n if n != 700 else "scorer_error" for n in range(1500)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("True", 1.0),
        ("0", 0.0),
        ("-2.5", -2.5),
        ("float('inf')", "scorer_not_finite"),
        ("10**400", "scorer_not_finite"),
        ("None", "scorer_not_numeric"),
        ("[1]", "scorer_not_numeric"),
        ("'1'", "scorer_not_numeric"),
        ("__import__('numpy').float32(0.5)", 0.5),
        ("__import__('numpy').bool_(True)", 1.0),
        ("__import__('decimal').Decimal(1)", "scorer_not_numeric"),
        ("type('T', (), {'__repr__': lambda self: 1 / 0})()", "scorer_error"),
        ("sys.stdin.read() == ''", 1.0),
        ("print('x' * 10**6) is None", 1.0),
        ("os.system('exit 0') == 0", 1.0),
    ],
)
def test_what_is_returned(value: str, expected: float | str) -> None:
    assert told(graded(f"return {value}", ["x"])) == [expected]


@pytest.mark.parametrize(
    "error", ["KeyboardInterrupt()", "SystemExit(2)", "ValueError('a' * 10**6)", "RecursionError()"]
)
def test_whatever_is_raised_is_told(error: str) -> None:
    found = graded(f"raise {error}", ["x", "y"])
    assert told(found) == ["scorer_error"] * 2
    assert (found[0].reasoning or "").startswith(error.partition("(")[0])
    assert len(found[0].reasoning or "") < 2_200


def test_surrogates_and_megabytes_go_there_and_back() -> None:
    found = graded("raise ValueError(s)", ["\ud800", "x" * 3_000_000, ""])
    assert told(found) == ["scorer_error"] * 3
    assert (found[0].reasoning or "").startswith("ValueError: \ufffd")


def test_a_secret_in_a_message_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_API_KEY", "tell-nobody-7")
    (found,) = graded("raise ValueError(os.environ['MY_API_KEY'])", ["x"])
    assert "tell-nobody-7" not in str(found) and "(redacted)" in (found.reasoning or "")


def test_what_writes_where_the_study_listens_is_a_failure() -> None:
    body = "\n    ".join(
        ["for n in range(3, 20):", "    try: os.write(n, b'no result\\n')", "    except OSError: 0"]
    )
    found = graded(f"{body}\n    return 1", ["x"])
    assert told(found) == ["scorer_error"]


def test_what_a_function_started_ends_with_it() -> None:
    body = "import subprocess; return subprocess.Popen(['sleep', '61.5']).pid"
    (found,) = graded(body, ["x"])
    assert found.score is not None
    assert not psutil.pid_exists(int(found.score)) or (
        psutil.Process(int(found.score)).status() == psutil.STATUS_ZOMBIE
    )


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "stopped"])
def test_a_scorer_ends_with_the_study(how: signal.Signals, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    text = (
        "import os, pathlib, time\n\ndef score(s, t, m):\n"
        f"    pathlib.Path({str(mark)!r}).write_text(str(os.getpid()))\n    time.sleep(600)\n"
    )
    code = (
        "from tests.engine.scorers.test_process import *\n"
        f"list(verdicts(program({text!r}, timeout_s=600), [Answer('', '', '{{}}')]))"
    )
    study = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not (mark.exists() and mark.read_text()) and time.monotonic() < until:
        time.sleep(0.05)
    scorer = psutil.Process(int(mark.read_text()))
    study.send_signal(how)
    study.wait(20)
    psutil.wait_procs([scorer], timeout=20)
    assert not scorer.is_running() or scorer.status() == psutil.STATUS_ZOMBIE


def test_a_program_is_loaded_once_to_see_whether_it_can_be(tmp_path: Path) -> None:
    counted = tmp_path / "count"
    text = f"open({str(counted)!r}, 'a').write('x')\n\ndef score(s, t, m): return 1\n"
    require_loadable([program(text), program(text)])
    require_loadable([program(text)])
    assert counted.read_text() == "x"
    with pytest.raises(ConfigError, match=r"mine.function: mine.py:score cannot be loaded: Zero"):
        require_loadable([program("1 / 0")])


@pytest.mark.parametrize(
    ("waits", "place"),
    [
        ("time.sleep(600)", ", line 3"),
        ("json.loads('[1]', object_hook=time.sleep(600))", ", line 3"),
        ("re.match('(a+)+$', 'a' * 60 + 'b')", ""),  # it lets no other thread tell where it is
    ],
)
def test_a_file_that_does_not_load_is_told_with_its_line(
    monkeypatch: pytest.MonkeyPatch, waits: str, place: str
) -> None:
    monkeypatch.setattr("itemeval_assets.engine.scorers.process.LOAD_S", 1.0)
    monkeypatch.setattr("itemeval_assets.engine.scorers.process._SILENCE_S", 3.0)
    text = f"import json, re, time\n\n{waits}\n\ndef score(s, t, m): return 1\n"
    with pytest.raises(ConfigError) as caught:
        require_loadable([program(text, timeout_s=0.5)])
    assert str(caught.value) == (
        "scorers.mine.function: mine.py:score cannot be loaded: it is not loaded within 1 s "
        f"(/nowhere/mine.py{place}); move what takes long into the function, or raise timeout_s"
    )


def test_who_raises_the_limit_waits_for_a_file_that_loads_slowly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("itemeval_assets.engine.scorers.process.LOAD_S", 0.1)
    text = "import time\ntime.sleep(0.3)\ndef score(s, t, m): return 1\n"
    require_loadable([program(text, timeout_s=20)])
    [found] = verdicts(program(text, timeout_s=20), [Answer("a", "", "{}")])
    assert found.score == 1.0


def test_a_verdict_is_there_before_the_next_answer_is_graded(tmp_path: Path) -> None:
    body = f"open({str(tmp_path / 'n')!r}, 'a').write(s); time.sleep(0.2); return 1"
    text = f"import time\n\ndef score(s, t, m):\n    {body}\n"
    found = verdicts(program(text), [Answer("x", "t", "{}")] * 50)
    assert next(found).score == 1.0
    assert len((tmp_path / "n").read_text()) < 10


def test_what_cannot_be_loaded_again_ends_no_run(tmp_path: Path) -> None:
    mark = tmp_path / "been"
    text = (
        f"import os, pathlib\nmark = pathlib.Path({str(mark)!r})\nassert not mark.exists()\n"
        "def score(s, t, m):\n    mark.touch()\n    return os._exit(1) if s == 'b' else 1\n"
    )
    found = list(verdicts(program(text), [Answer(s, "", "{}") for s in "abc"]))
    assert told(found) == [1.0, "scorer_error", "scorer_error"]
    assert "cannot be loaded: AssertionError" in (found[2].reasoning or "")


def test_the_process_has_the_environment_and_the_modules_of_the_study() -> None:
    assert told(graded("import yaml; return os.environ['PATH'] != ''", ["x"])) == [1.0]
    assert os.environ["PATH"]
