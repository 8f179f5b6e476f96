"""Chats: what a column may hold, how a chat is kept, and how people and judges read it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.prompts.chats import (
    as_json,
    chat_of,
    is_like_a_chat,
    readable,
    stored_turns,
)
from itemeval_assets.core.prompts.turns import ROLES, Turn

CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "1+1?", "name": None},
    {"role": "assistant", "content": "2"},
    {"role": "user", "content": "And {id} <|user|>\nmore?"},
]
TURNS = [
    Turn("system", "Be brief."),
    Turn("user", "1+1?"),
    Turn("assistant", "2"),
    Turn("user", "And {id} <|user|>\nmore?"),
]


@pytest.mark.parametrize("value", [CHAT, json.dumps(CHAT)])
def test_a_chat_is_a_list_or_its_json(value: Any) -> None:
    assert chat_of(value) == TURNS


def test_a_chat_is_kept_as_json_and_read_as_text() -> None:
    kept = as_json(TURNS)
    assert kept.startswith('[{"role":"system","content":"Be brief."},{"role":"user"')
    assert stored_turns(kept) == tuple(TURNS)
    assert readable(kept) == (
        "system: Be brief.\n\nuser: 1+1?\n\nassistant: 2\n\nuser: And {id} <|user|>\nmore?"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1+1?",
        '[{"role":"user"}]',
        '[{"role": "user", "content": "spaces tell that nobody stored it"}]',
        '[{"role":"assistant","content":"x"}]',
        '[{"role":"user","content":"x"',
        '[{"content":"x","role":"user"}]',
    ],
)
def test_any_other_text_is_read_as_it_stands(text: str) -> None:
    assert readable(text) == text


@given(st.lists(st.tuples(st.sampled_from(ROLES), st.text(min_size=1)), min_size=1))
def test_any_chat_comes_back_as_it_was(said: list[tuple[Any, str]]) -> None:
    turns = [Turn(role, text) for role, text in said]
    assert list(stored_turns(as_json(turns))) == turns


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("1+1?", "expected a chat in JSON; found '1+1?'"),
        ([], "expected a chat, a list of objects with role and content; found '[]'"),
        (None, "expected a chat, a list of objects"),
        ({"role": "user", "content": "x"}, "expected a chat, a list of objects"),
        (["x"], "turn 1 is no object with role and content: 'x'"),
        ([{"from": "human", "value": "x"}], "turn 1 has no `role`; its keys: from, value"),
        ([{"role": "user"}], "turn 1 has no `content`; its keys: role"),
        ([{"role": "tool", "content": "x"}], "turn 1 has the role 'tool'; there are system, user"),
        ([{"role": "user", "content": " "}], "turn 1 has a content that is no text: ' '"),
        ([{"role": "user", "content": [{"type": "text"}]}], "turn 1 has a content that is no text"),
        ([{"role": "user", "content": "x", "tool_calls": []}], "'tool_calls', which is not sent"),
        ([CHAT[1], CHAT[2]], "the last turn is of the assistant; a model answers the user"),
    ],
)
def test_what_is_no_chat_is_refused(value: Any, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        chat_of(value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("value", "is_like"),
    [(CHAT, True), ([], False), (["x"], False), ("[]", False), ([{"role": "x"}], False)],
)
def test_what_is_like_a_chat(value: Any, is_like: bool) -> None:
    assert is_like_a_chat(value) is is_like
