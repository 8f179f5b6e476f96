"""Progress of the calls: a line at the end, and everything to whoever listens."""

from itemeval_assets.dagster_io.progress import listening, progress_log
from itemeval_assets.engine.calls.progress import Progress


def test_the_log_gets_few_lines_and_always_the_last() -> None:
    lines: list[str] = []
    report = progress_log(lines.append)
    for done in range(1, 101):
        report(Progress("generate", total=100, done=done))
    assert lines[-1].startswith("generate: 100/100 calls")
    assert len(lines) < 100


def test_listeners_hear_everything_while_they_listen() -> None:
    heard: list[int] = []
    report = progress_log(lambda line: None)
    with listening(lambda progress: heard.append(progress.done)):
        report(Progress("grade", total=2, done=1))
        report(Progress("grade", total=2, done=2))
    report(Progress("grade", total=2, done=2))
    assert heard == [1, 2]


def test_a_line_says_how_many_calls_wait_and_since_when() -> None:
    waiting = Progress("generate", total=100, in_flight=12, oldest_s=34.4)
    assert waiting.line().endswith(", 12 in flight, the oldest for 34 s")
    assert "in flight" not in Progress("generate", total=100).line()
