"""Replies of judges from a fuzzer: through the parser, and through whole grading runs."""

import json
import math
import random
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from itemeval_assets.core.grading.judges.judge_reply import parse_judge_reply
from itemeval_assets.core.grading.verdict import Verdict
from itemeval_assets.core.tables.quality import parse_ok_violations
from itemeval_assets.core.text.words import well_formed
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.storage.study.store import open_store
from tests.model_server import Answer, Request
from tests.whole.conftest import Serve
from tests.whole.looking import assert_reconciled, rows

from .conftest import Report
from .study_runs import IS_LONG, TIMES, Loss, declare, run_stages

REPLIES = 100 * TIMES if IS_LONG else 30
PIECES = [
    '{"score": ',
    '"score"',
    "{",
    "}",
    "[",
    "]",
    '"',
    "\\",
    "```json\n",
    "```",
    "~~~",
    ",",
    ":",
]
PIECES += [
    "1e999",
    "-0.0",
    "NaN",
    "Infinity",
    "9" * 400,
    "true",
    "null",
    "\ud800",
    "\x00",
    "\u2028",
]
PIECES += [
    '"reasoning": "',
    "\\frac{1}{2}",
    '{"score": 0.5, "reasoning": "x"}',
    "\\u12",
    "é",
    " ",
    "\n",
]

pieces = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)
documents = values.map(lambda value: json.dumps({"score": value, "reasoning": value}))
nested = st.integers(1, 3000).map(lambda n: '{"score": ' + '{"a":[' * n)
raw = st.binary(max_size=200).map(lambda data: data.decode("utf-8", "surrogateescape"))
replies = st.one_of(st.text(max_size=300), pieces, documents, nested, raw)


def is_consistent(verdict: Verdict) -> bool:
    finite = verdict.score is not None and math.isfinite(verdict.score)
    return verdict.parse_ok == finite == (verdict.parse_error is None)


@settings(max_examples=REPLIES)
@given(replies)
def test_the_parser_never_fails_and_contradicts_itself(text: str) -> None:
    verdict = parse_judge_reply(text)
    assert is_consistent(verdict)
    for stored in (verdict.score_raw, verdict.reasoning):
        well_formed(stored or "").encode()
    assert parse_judge_reply(text) == verdict


def generated(count: int) -> list[str]:
    """So many replies, the same in every run."""
    dice = random.Random(11)

    def document(depth: int) -> Any:
        kind = dice.randrange(8)
        if kind == 0 and depth < 6:
            return [document(depth + 1) for _ in range(dice.randrange(3))]
        if kind == 1 and depth < 6:
            return {dice.choice(["score", "a", ""]): document(depth + 1) for _ in range(2)}
        texts: list[Any] = ["0.5", "", "=cmd()", "x\u2028y", "\ud83d"]
        numbers: list[Any] = [None, True, 10**400, -1e308, 0.1 + 0.2, dice.random()]
        return dice.choice(texts + numbers)

    made = []
    for number in range(count):
        reply = "".join(dice.choice(PIECES) for _ in range(dice.randrange(1, 20)))
        if number % 3 == 1:
            reply = json.dumps({"score": document(0), "reasoning": document(0)})
        if number % 3 == 2:
            reply = "".join(chr(dice.randrange(1, 0x2FFF)) for _ in range(dice.randrange(60)))
        if number % 25 == 0:
            reply = '{"score": ' + "[" * dice.randrange(5000)
        made.append(reply)
    return made


def test_a_grading_run_of_generated_replies(
    tmp_path: Path, serve: Serve, report_fault: Report
) -> None:
    """Promised: a row for each; parse_ok exactly where there is a finite score; the verdict that
    the stored reply gives when it is read again; Parquet that gives back what was stored."""
    made, asked = generated(REPLIES), iter(range(REPLIES))
    given: dict[str, str] = {}

    def reply(request: Request) -> str | Answer | None:
        if request.model != "judge":
            return None
        if request.prompt not in given:
            given[request.prompt] = made[next(asked)]
        return given[request.prompt]

    server = serve(reply=reply)
    config = declare(tmp_path, items=REPLIES, scorer=None)
    run_stages(config)
    found = rows(config, "gradings")
    assert len(found) == server.count("judge") == REPLIES
    assert parse_ok_violations(open_store(load_study(config)).read("gradings")) == []
    read = 0
    for row in found:
        assert row["error"] is None
        again = parse_judge_reply(row["judge_completion"])
        assert row["parse_ok"] == (row["score"] is not None) == (row["parse_error"] is None)
        assert (row["score"], row["parse_error"]) == (again.score, again.parse_error)
        read += row["parse_ok"]
    assert 0 < read < REPLIES
    assert_reconciled(config)
    report_fault(
        "judge replies from a fuzzer",
        "a row for each; parse_ok exactly where there is a finite score",
        injected=REPLIES,
        loss=Loss(rows=REPLIES - len(found)),
    )
