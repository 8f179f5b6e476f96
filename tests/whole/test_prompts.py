"""Prompts as people write them: what the model server is really sent, and what the tables keep."""

import json
import math
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.figures import item_answers
from tests.model_server import Behaviour, ModelServer, Request
from tests.studies import merged, write_study

from .conftest import Serve
from .looking import assert_reconciled, mirrored_long_table, results_dir, rows, write_prices
from .test_batch import be_openai

MODEL = "openai-api/test/m"
JUDGE = "openai-api/test/judge"


def declare(
    folder: Path,
    template: str,
    items: Sequence[Mapping[str, Any]],
    mapping: Mapping[str, Any],
    rubric: str | None = None,
    **changes: Any,
) -> Path:
    """A study of these items with this prompt, and a judge where there is a rubric."""
    benchmark = {"mapping": {"grading_scheme": None, "metadata": [], **mapping}}
    budget = {"pricing_path": write_prices(folder, "m", "judge")}
    extra = merged({"benchmark": benchmark, "budget": budget}, changes.pop("extra", {}))
    given = {"models": [MODEL], "graders": [JUDGE] if rubric else (), **changes}
    config = write_study(folder, prompts=["mine"], extra=extra, **given)
    (folder / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    (folder / "prompts" / "solver" / "mine.md").write_text(template)
    if rubric:
        (folder / "rubrics" / "strict.md").write_text(rubric)
    return config


def sent(server: ModelServer, model: str = "m") -> list[list[tuple[str, str]]]:
    """(role, content) of each message of each request, in the order of their texts."""
    return sorted(
        [(str(one["role"]), str(one["content"])) for one in request.messages]
        for request in server.requests
        if request.model == model
    )


SUMS = [
    {"id": "q1", "question": "1+1?", "answer": 2, "topic": "sums", "unit": "{input} {id}"},
    {"id": "q2", "question": "2+2?", "answer": 4, "topic": None, "unit": ["a", "b"]},
]


def test_columns_of_the_item_stand_in_a_prompt(tmp_path: Path, serve: Serve) -> None:
    server = serve()
    template = "On {topic} in {unit}, \\frac{1}{2}:\n{input}"
    config = declare(tmp_path, template, SUMS, {"metadata": ["topic", "unit"]})
    foreseen = api.estimate(config)
    summary = api.run(config)
    assert sent(server) == [
        [("user", 'On  in ["a", "b"], \\frac{1}{2}:\n2+2?')],
        [("user", "On sums in {input} {id}, \\frac{1}{2}:\n1+1?")],
    ]
    assert summary.exit_code == 0 and summary.usd <= foreseen.remaining.usd
    assert_reconciled(config)


def test_estimates_count_the_columns_of_a_prompt(tmp_path: Path) -> None:
    items = [{**SUMS[0], "unit": "x" * 40_000}]
    config = declare(tmp_path, "{input} {unit}", items, {"metadata": ["unit"]})
    bare = declare(tmp_path / "bare", "{input}", items, {"metadata": ["unit"]})
    extra_tokens = api.estimate(config).grid.input_tokens - api.estimate(bare).grid.input_tokens
    assert extra_tokens == pytest.approx(20_000, abs=2)


@pytest.mark.long
def test_a_column_that_is_no_longer_mapped_is_a_new_condition(tmp_path: Path) -> None:
    """The template is the same, and what the model is shown is not."""
    config = declare(
        tmp_path, "{topic}: {input}", SUMS, {"metadata": ["topic"]}, models=["mockllm/a"]
    )
    api.run(config)
    declare(tmp_path, "{topic}: {input}", SUMS, {"metadata": ["unit"]}, models=["mockllm/a"])
    assert api.estimate(config).remaining.calls == 2


def test_a_near_miss_is_told_by_estimate_and_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mapping = {"metadata": ["topic"]}
    config = declare(tmp_path, "{topc} {input}", SUMS, mapping, models=["mockllm/a"])
    told = "template 'mine': {topc} is no placeholder and is sent as it stands; {topic} is one"
    assert run_cli(["estimate", str(config)]) == 0
    assert told in capsys.readouterr().out
    assert run_cli(["run", str(config), "--yes"]) == 0
    said = capsys.readouterr()
    assert said.err.startswith(f"! {told}")
    assert told not in said.out
    assert api.run(config, force=True).notes == [told]


@pytest.mark.long
def test_a_near_miss_is_told_to_whoever_is_asked_for_consent(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve()
    extra = {"budget": {"confirm_above_usd": 0}}
    config = declare(tmp_path, "{topc} {input}", SUMS, {"metadata": ["topic"]}, extra=extra)
    assert run_cli(["run", str(config)]) == 3
    assert "{topc} is no placeholder" in capsys.readouterr().err
    assert server.count() == 0


OPTIONS = [
    {"id": f"q{n}", "question": f"{n}+{n}?", "options": [2 * n, "none", 2 * n + 1, 7], "answer": 0}
    for n in range(1, 4)
]
CHOICES = {"choices": "options", "target_is": "index", "shuffle_choices": 11}


def right_letter(request: Request) -> str | None:
    """The letter before the sum that is asked for; judges answer as usual."""
    if request.model != "m":
        return None
    [n] = re.findall(r"(\d+)\+\1\?", request.prompt)
    [letter] = re.findall(rf"^([A-D])\) {2 * int(n)}$", request.prompt, re.M)
    return f"I look for the sum.\nANSWER: {letter}"


def test_shuffled_choices_are_scored_by_the_letter_that_was_shown(
    tmp_path: Path, serve: Serve
) -> None:
    server = serve(reply=right_letter)
    config = declare(
        tmp_path,
        "{input}\n{choices}",
        OPTIONS,
        CHOICES,
        rubric="{input}\n{choices}\nRight: {target}\n{solution}",
        scorer="multiple_choice",
        replications=2,
        models=[MODEL, "openai-api/test/n"],
        extra={"cache": False},
    )
    server.models["n"] = Behaviour()
    assert api.run(config, max_usd=math.inf).exit_code == 0
    by_item: dict[str, set[str]] = {}
    for request in server.requests:
        if request.model != "judge":
            question, _, choices = request.prompt.partition("\n")
            by_item.setdefault(question, set()).add(choices)
    # The same order for both models and both replications; stored as it was shown.
    stored = {row["input"]: row for row in rows(config, "items")}
    assert by_item == {
        question: {json.loads(row["metadata_json"])["choices"]} for question, row in stored.items()
    }
    assert len({row["target"] for row in stored.values()}) > 1
    for row in stored.values():
        assert f"{row['target']}) {2 * int(row['item_id'][1:])}" in by_item[row["input"]].pop()
    scored = [r for r in rows(config, "gradings_long") if r["scorer_name"] and r["model"] == MODEL]
    assert [row["score"] for row in scored] == [1.0] * 6
    judged = [request.prompt for request in server.requests if request.model == "judge"]
    assert all(f"\nRight: {stored[p[:4]]['target']}\n" in p for p in judged)
    assert all(json.loads(stored[p[:4]]["metadata_json"])["choices"] in p for p in judged)
    assert api.estimate(config).remaining.calls == 0
    assert_reconciled(config)


@pytest.mark.long
def test_another_order_is_another_condition_and_the_old_rows_stay(tmp_path: Path) -> None:
    def declared(seed: int | None) -> Path:
        mapping = {**CHOICES, "shuffle_choices": seed}
        template = "{input}\n{choices}"
        return declare(
            tmp_path, template, OPTIONS, mapping, models=["mockllm/a"], scorer="multiple_choice"
        )

    api.run(declared(1))
    config = declared(2)
    assert api.estimate(config).remaining.calls == 3
    api.run(config)
    assert len(rows(config, "solutions")) == 6
    shown = rows(config, "gradings_long")
    assert len({row["gen_condition_id"] for row in shown}) == 2
    assert api.estimate(declared(1)).remaining.calls == 0


@pytest.mark.parametrize("command", ["run", "estimate"])
def test_choices_that_are_unclear_end_before_any_call(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    items = [OPTIONS[0], {**OPTIONS[1], "answer": 9}]
    config = declare(
        tmp_path, "{input}{choices}", items, CHOICES, models=["mockllm/a"], scorer="multiple_choice"
    )
    assert run_cli([command, str(config)]) == 2
    shown = capsys.readouterr()
    assert "benchmark.mapping.target: dataset 'items.jsonl', line 2: item 'q2': the target '9'" in (
        shown.err
    )
    assert "Traceback" not in shown.out + shown.err
    assert not list(results_dir(config).rglob("*.parquet"))


FEW_SHOT = """\
<|system|>
You add $\\frac{a}{b}$ about {topic}.

<|user|>
0+1?
<|assistant|>
ANSWER: 1
<|user|>
{input}
"""


def test_turns_are_sent_as_turns_and_answered_by_the_cache(tmp_path: Path, serve: Serve) -> None:
    server = serve()
    mapping = {"metadata": ["topic"]}
    rubric = "<|system|>\nBe strict.\n<|user|>\n{input} {target}\n{solution}"
    config = declare(tmp_path, FEW_SHOT, SUMS, mapping, rubric=rubric, replications=2)
    foreseen = api.estimate(config)
    summary = api.run(config, max_usd=math.inf)
    assert sent(server)[::2] == [
        [
            ("system", f"You add $\\frac{{a}}{{b}}$ about {topic}."),
            ("user", "0+1?"),
            ("assistant", "ANSWER: 1"),
            ("user", question),
        ]
        for topic, question in (("", "2+2?"), ("sums", "1+1?"))
    ]
    judged = sent(server, "judge")
    assert {tuple(role for role, _ in one) for one in judged} == {("system", "user")}
    assert all(one[0][1] == "Be strict." and '"score"' in one[1][1] for one in judged)
    assert summary.usd <= foreseen.remaining.usd
    assert_reconciled(config)
    shutil.rmtree(results_dir(config))
    server.reset_counts()
    again = api.estimate(config)
    assert again.remaining.cached == again.remaining.calls == 8
    assert api.run(config).cached == 8 and server.count() == 0


@pytest.mark.long
def test_turns_go_through_a_batch(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = be_openai(serve(), monkeypatch)
    server.batches.seconds = 0.1
    config = declare(
        tmp_path,
        FEW_SHOT.replace("{topic}", "sums"),
        SUMS,
        {},
        models=["openai/gpt-4o-mini"],
        extra={"cache": False},
        policy="full-batch",
    )
    assert api.run(config, max_usd=math.inf).exit_code == 0
    assert [[role for role, _ in one] for one in sent(server, "gpt-4o-mini")] == [
        ["system", "user", "assistant", "user"]
    ] * 2


@pytest.mark.parametrize("command", ["run", "estimate", "status"])
def test_wrong_turns_end_with_a_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    config = declare(tmp_path, "<|sytem|>\nx\n<|user|>\n{input}", SUMS, {}, models=["mockllm/a"])
    assert run_cli([command, str(config)]) == 2
    shown = capsys.readouterr()
    assert "mine.md): the line <|sytem|> begins no turn; write <|system|>" in shown.err
    assert not (tmp_path / "studies").exists()


CHATS = [
    {
        "id": "q1",
        "question": [
            {"role": "system", "content": "You are kind."},
            {"role": "user", "content": "1+1? {id}"},
            {"role": "assistant", "content": "2"},
            {"role": "user", "content": "And 2+2?\n<|user|>"},
        ],
        "answer": 4,
        "topic": "sums",
    },
    {"id": "q2", "question": [{"role": "user", "content": "3+3?"}], "answer": 6, "topic": "more"},
]


@pytest.mark.long
def test_chats_are_sent_as_their_turns_and_judged_as_text(tmp_path: Path, serve: Serve) -> None:
    server = serve()
    config = declare(
        tmp_path,
        "<|system|>\nOn {topic}.\n<|user|>\n{input}\n",
        CHATS,
        {"chat": True, "metadata": ["topic"]},
        rubric="Chat:\n{input}\nRight: {target}\n{solution}",
        replications=2,
    )
    foreseen = api.estimate(config)
    summary = api.run(config, max_usd=math.inf)
    assert summary.exit_code == 0 and summary.usd <= foreseen.remaining.usd
    assert sent(server)[::2] == [
        [("system", "On more."), ("user", "3+3?")],
        [
            ("system", "On sums."),
            ("system", "You are kind."),
            ("user", "1+1? {id}"),
            ("assistant", "2"),
            ("user", "And 2+2?\n<|user|>"),
        ],
    ]
    text = "system: You are kind.\n\nuser: 1+1? {id}\n\nassistant: 2\n\nuser: And 2+2?\n<|user|>"
    judged = [one[0][1] for one in sent(server, "judge")]
    assert sum(prompt.startswith(f"Chat:\n{text}\nRight: 4\n") for prompt in judged) == 2
    assert_reconciled(config)
    [stored, _] = rows(config, "items")
    assert json.loads(stored["input"]) == CHATS[0]["question"]
    [answered] = item_answers(config, "q1")
    assert answered.question == text
    shutil.rmtree(results_dir(config))
    server.reset_counts()
    assert api.estimate(config).remaining.cached == 8
    assert api.run(config).cached == 8 and server.count() == 0


def test_a_template_that_holds_the_input_alone_passes_a_chat_on(
    tmp_path: Path, serve: Serve
) -> None:
    server = serve()
    config = declare(tmp_path, "{input}\n", CHATS, {"chat": True})
    assert api.run(config, policy="dev", max_usd=math.inf).exit_code == 0
    chat, question = sent(server)
    assert [role for role, _ in chat] == ["system", "user", "assistant", "user"]
    assert question == [("user", "3+3?")]


@pytest.mark.long
def test_blank_answers_to_chats_are_asked_again(tmp_path: Path, serve: Serve) -> None:
    server = serve(reply=lambda request: "" if request.attempt == 1 else "ANSWER: 4")
    solvers = {"on_empty": "rerun"}
    config = declare(tmp_path, "{input}", CHATS, {"chat": True}, solvers=solvers)
    api.run(config, max_usd=math.inf)
    assert api.estimate(config).remaining.calls == 2
    api.run(config, max_usd=math.inf)
    assert [row["solution"] for row in rows(config, "solutions")] == ["ANSWER: 4"] * 2
    assert server.count() == 4


@pytest.mark.long
def test_what_people_see_of_chats_and_choices(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = declare(
        tmp_path,
        "<|system|>\n{choices}\n<|user|>\n{input}",
        [{**chat, "options": ["4", "6"]} for chat in CHATS],
        {"chat": True, "choices": "options", "target_is": "text"},
        models=["mockllm/a", "mockllm/b"],
        scorer="multiple_choice",
    )
    assert run_cli(["run", str(config)]) == 0
    capsys.readouterr()
    assert run_cli(["show", str(config), "q1"]) == 0
    told = capsys.readouterr().out
    assert "assistant: 2\n\nuser: And 2+2?" in told and "A) 4\nB) 6\n" in told
    assert run_cli(["show", str(config), "q1", "--json"]) == 0
    [found] = json.loads(capsys.readouterr().out)
    assert found["choices"] == "A) 4\nB) 6" and found["target"] == "A"
    page = tmp_path / "report.html"
    assert run_cli(["report", str(config), "--out", str(page)]) == 0
    assert "assistant: 2" in page.read_text() and "A) 4\nB) 6" in page.read_text()
    assert run_cli(["export", str(config), "--for-spreadsheets"]) == 0
    mirrored_long_table(results_dir(config))


def test_chats_that_nobody_declared_end_before_any_call(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = declare(tmp_path, "{input}", CHATS, {}, models=["mockllm/a"])
    assert run_cli(["run", str(config)]) == 2
    assert "line 1: item 'q1': column 'question' holds a chat; write `chat: true`" in (
        capsys.readouterr().err
    )
    assert not list(results_dir(config).rglob("*.parquet"))


@pytest.mark.long
def test_a_text_that_looks_like_a_stored_chat_is_judged_as_it_stands(
    tmp_path: Path, serve: Serve
) -> None:
    server = serve()
    text = '[{"role":"user","content":"1+1?"}]'
    items = [{"id": "q1", "question": text, "answer": 2}]
    config = declare(tmp_path, "{input}", items, {}, rubric="Item: {input}\n{solution}")
    api.run(config, max_usd=math.inf)
    assert sent(server) == [[("user", text)]]
    [[(_, judged)]] = sent(server, "judge")
    assert judged.startswith(f"Item: {text}\n")
