"""Items that are chats: from every format to what the table keeps, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from itemeval_assets.core.errors import DatasetError

from .test_datasets import WRITERS, benchmark, load

CHAT = [
    {"role": "system", "content": "Ü."},
    {"role": "user", "content": "1+1?"},
    {"role": "assistant", "content": "2"},
    {"role": "user", "content": "And 2+2?"},
]
ROWS: list[dict[str, Any]] = [
    {"id": "a", "question": CHAT, "answer": "4"},
    {"id": "b", "question": CHAT[1:2], "answer": "2"},
]
PLAIN = {"grading_scheme": None, "metadata": []}


def loaded(
    base: Path, rows: list[dict[str, Any]], name: str = "items.jsonl", **mapping: Any
) -> list[str]:
    WRITERS[name](base / name, rows)
    items = load(benchmark({"id": name}, **{**PLAIN, **mapping}), base)
    return [item["input"] for item in items]


@pytest.mark.parametrize("name", WRITERS)
def test_a_chat_is_kept_as_json(tmp_path: Path, name: str) -> None:
    """CSV has no lists: there it is JSON already."""
    in_csv = [{**row, "question": json.dumps(row["question"])} for row in ROWS]
    given = in_csv if name.endswith("csv") else ROWS
    first, second = loaded(tmp_path, given, name, chat=True)
    assert first.startswith('[{"role":"system","content":"Ü."},{"role":"user"')
    assert json.loads(first) == CHAT
    assert second == '[{"role":"user","content":"1+1?"}]'


def test_a_chat_may_be_sent_as_json_text(tmp_path: Path) -> None:
    first, _ = loaded(tmp_path, ROWS, chat=False)
    assert first.startswith('[{"content":"Ü.","role":"system"}')


def test_nobody_guesses_what_a_chat_is_sent_as(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        loaded(tmp_path, ROWS)
    assert str(caught.value) == (
        "benchmark.mapping.input: dataset 'items.jsonl', line 1: item 'a': column 'question' holds "
        "a chat; write `chat: true` in benchmark.mapping to send its turns, or `chat: false` to "
        "send it as JSON text"
    )


@pytest.mark.parametrize("value", ["[1, 2]", [1, 2], [{"a": 1}], [], '[{"role": "user"}]'])
def test_other_lists_and_texts_are_what_they_were(tmp_path: Path, value: Any) -> None:
    [kept] = loaded(tmp_path, [{**ROWS[0], "question": value}])
    assert kept == (value if isinstance(value, str) else json.dumps(value, separators=(",", ":")))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("1+1?", "line 2: item 'b': expected a chat in JSON; found '1+1?'"),
        (CHAT[:3], "line 2: item 'b': the last turn is of the assistant"),
        ("", "line 2: item 'b': expected a chat in JSON"),
    ],
)
def test_what_is_no_chat_is_refused_with_the_item(tmp_path: Path, value: Any, message: str) -> None:
    with pytest.raises(DatasetError) as caught:
        loaded(tmp_path, [ROWS[0], {**ROWS[1], "question": value}], chat=True)
    assert f"benchmark.mapping.input: dataset 'items.jsonl', {message}" in str(caught.value)
