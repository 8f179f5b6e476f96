"""Judge replies: whatever a model sends becomes a verdict, and never an exception."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.grading.judges.judge_reply import (
    FORMAT_NOTICE,
    JUDGE_FORMAT_VERSION,
    REPLY_SCHEMA,
    parse_judge_reply,
)
from itemeval_assets.core.grading.verdict import RAW_LIMIT, Verdict
from itemeval_assets.core.text.words import well_formed

CODES = {
    "no_json_object",
    "no_score_in_json",
    "score_not_numeric",
    "score_not_finite",
}


def fenced(body: str, mark: str = "```", info: str = "json") -> str:
    return f"{mark}{info}\n{body}\n{mark}"


SCORED = {
    "bare": ('{"score": 3}', 3.0),
    "in prose": ('I would say {"score": 3}, all in all.', 3.0),
    "fenced": (fenced('{"score": 3}'), 3.0),
    "upper-case info": (fenced('{"score": 3}', info="JSON"), 3.0),
    "json5": (fenced('{"score": 3}', info="json5"), 3.0),
    "no info": (fenced('{"score": 3}', info=""), 3.0),
    "tildes": (fenced('{"score": 3}', mark="~~~"), 3.0),
    "fence on one line": ('```json {"score": 3} ```', 3.0),
    "fence without spaces": ('```{"score": 3}```', 3.0),
    "CRLF": ('```json\r\n{\r\n  "score": 3\r\n}\r\n```\r\n', 3.0),
    "unclosed fence": ('```json\n{"score": 3}', 3.0),
    "quoted block": ('> ```json\n> {"score": 3}\n> ```', 3.0),
    "words in the fence": (fenced('Here it is: {"score": 3}'), 3.0),
    "byte order mark": ('\ufeff{"score": 3}', 3.0),
    "doubled braces": ('{{"score": 3}}', 3.0),
    "list of one": ('[{"score": 3}]', 3.0),
    # the order of candidates
    "last fence first": (fenced('{"score": 1}') + "\n" + fenced('{"score": 2}'), 2.0),
    "fence before bare": (fenced('{"score": 1}') + '\nor {"score": 2}', 1.0),
    "unclosed fence last": (fenced('{"score": 1}') + '\n```json\n{"score": 2}', 2.0),
    "last bare first": ('{"score": 1} no, {"score": 2}', 2.0),
    "fence without score": ('{"score": 1}\n' + fenced('{"points": 9}'), 1.0),
    "object without score": ('{"score": 1} and {"points": 9}', 1.0),
    "odd fence mark before": (
        "a ``` mark\n" + fenced('{"score": 3}') + ' {"score": 1}',
        3.0,
    ),
    "longer fence": ("````\n```\n" + '{"score": 3}\n' + "````" + ' {"score": 1}', 3.0),
    # outermost objects
    "inner score": ('{"score": 3, "criterion": {"score": 9}}', 3.0),
    "inner score first": ('{"criteria": [{"score": 9}], "score": 3}', 3.0),
    "score one object down": ('{"result": {"score": 7}}', 7.0),
    "score in a list": (fenced('{"grades": [{"by": "me"}, {"score": 7}]}'), 7.0),
    "score far down": ('{"a":' * 100 + '{"score": 7}' + "}" * 100, 7.0),
    "one score of several objects": ('{"a": 1} {"b": {"score": 7}} ```{"c": {}}```', 7.0),
    "inner score beside LaTeX": (r'{"r": {"score": 7, "reasoning": "\(x\)"}}', 7.0),
    "outermost score before inner ones": ('{"score": 3} {"a": {"score": 9}}', 3.0),
    "fence in a string": (fenced('{"score": 3, "reasoning": "```py\\nx\\n```"}'), 3.0),
    "fence on lines of a string": (
        '{"score": 1}\n' + fenced('{"score": 3, "reasoning": "a\n```py\nx\n```\nb"}'),
        3.0,
    ),
    "fence in another object": ('{"a": "```"} {"score": 1} {"score": 3}', 3.0),
    "object in a string": ('{"score": 3, "reasoning": "not {\\"score\\": 9}"}', 3.0),
    "braces in a string": ('{"score": 3, "reasoning": "}{ {"}', 3.0),
    "brace open in prose": ('the set {x | x > 1: {"score": 3}', 3.0),
    "quote open in prose": ('the 5" set {"x: {"score": 3}', 3.0),
    "cut off, then again": ('{"score": 1, "reasoning": "b\n\n{"score": 3}', 3.0),
    "form filled in": ('{"score": <number>}\n' + fenced('{"score": 3}'), 3.0),
    "LaTeX before": (r"\frac{1}{2} \text{\"a\"} \{ " + '{"score": 3}', 3.0),
    "noise before": ('{"":x' * 1000 + '\n{"score": 3}', 3.0),
    # values
    "string": ('{"score": " 7 "}', 7.0),
    "negative string": ('{"score": "-0.5"}', -0.5),
    "exponent": ('{"score": 1e-3}', 0.001),
    "integer of 250 digits": ('{"score": 1' + "0" * 249 + "}", 1e249),
    "integer of 305 digits": ('{"score": 1' + "0" * 304 + "}", 1e304),
    "key twice": ('{"score": 1, "score": 2}', 2.0),
}


@pytest.mark.parametrize(("text", "score"), SCORED.values(), ids=SCORED)
def test_score_is_found(text: str, score: float) -> None:
    verdict = parse_judge_reply(text)
    assert (verdict.score, verdict.parse_ok, verdict.parse_error) == (score, True, None)


FAILED = {
    "null": (None, "no_json_object"),
    "empty": ("", "no_json_object"),
    "blank": (" \r\n\t", "no_json_object"),
    "prose": ("A fine solution: 7/10.", "no_json_object"),
    "number": ("7", "no_json_object"),
    "JSON in a JSON string": (r'"{\"score\": 3}"', "no_json_object"),
    "Python dict": ("{'score': 3}", "no_json_object"),
    "trailing comma": ('{"score": 3,}', "no_json_object"),
    "quote inside a string": (
        '{"reasoning": "he said "x"", "score": 3}',
        "no_json_object",
    ),
    "cut off": ('{"score": 3, "reasoning": "and', "no_json_object"),
    "cut off after an inner score": (
        '{"a": {"score": 9}, "score": 3',
        "no_json_object",
    ),
    "inner score past a break": (
        '{"a": [{"score": 1, "why": "the "best""}, {"score": 0}], "score": 3}',
        "no_json_object",
    ),
    "empty object": ("{}", "no_score_in_json"),
    "other keys": (fenced('{"Score": 3, "points": 3}'), "no_score_in_json"),
    "two inner scores": ('{"a": {"score": 9}, "b": {"score": 9}}', "no_score_in_json"),
    "inner scores of two objects": ('{"a": {"score": 1}} {"a": {"score": 2}}', "no_score_in_json"),
    "inner scores under one key": ('{"a": {"score": 1}, "a": {"score": 2}}', "no_score_in_json"),
    "score inside a score": ('{"a": {"score": {"score": 2}}}', "no_score_in_json"),
    "inner score in a string": (r'{"a": "{\"score\": 9}"}', "no_score_in_json"),
    "inner score that is no number": ('{"a": {"score": "7/10"}}', "score_not_numeric"),
    "fraction": ('{"score": "7/10"}', "score_not_numeric"),
    "word": ('{"score": "high"}', "score_not_numeric"),
    "empty string": ('{"score": ""}', "score_not_numeric"),
    "true": ('{"score": true}', "score_not_numeric"),
    "score null": ('{"score": null}', "score_not_numeric"),
    "list": ('{"score": [3]}', "score_not_numeric"),
    "object": ('{"score": {"value": 3}}', "score_not_numeric"),
    "bad value wins": (
        '{"score": 1} ' + fenced('{"score": "n/a"}'),
        "score_not_numeric",
    ),
    "1e999": ('{"score": 1e999}', "score_not_finite"),
    "NaN": ('{"score": NaN}', "score_not_finite"),
    "-Infinity": ('{"score": -Infinity}', "score_not_finite"),
    "nan string": ('{"score": "nan"}', "score_not_finite"),
    "inf string": ('{"score": "-inf"}', "score_not_finite"),
    "1e999 string": ('{"score": "1e999"}', "score_not_finite"),
    "400 digits": ('{"score": ' + "9" * 400 + "}", "score_not_finite"),
    "5,000 digits": ('{"score": -' + "9" * 5000 + "}", "score_not_finite"),
    "string of 5,000 digits": ('{"score": "' + "9" * 5000 + '"}', "score_not_finite"),
}


@pytest.mark.parametrize(("text", "code"), FAILED.values(), ids=FAILED)
def test_failure_has_its_code(text: str | None, code: str) -> None:
    verdict = parse_judge_reply(text)
    assert (verdict.score, verdict.parse_ok, verdict.parse_error) == (None, False, code)


@pytest.mark.parametrize(
    ("value", "raw"),
    [
        ("3", "3"),
        ("3.50", "3.5"),
        ('"3"', "'3'"),
        ("null", "None"),
        ("true", "True"),
        ("[1]", "[1]"),
        ("NaN", "nan"),
        ("9" * 400, "9" * 400),
        ("9" * 5000, "inf"),
        ('"' + "x" * 1000 + '"', "'" + "x" * (RAW_LIMIT - 1)),
        (r'"\ud800"', r"'\ud800'"),
    ],
)
def test_score_raw_is_the_repr_of_the_value(value: str, raw: str) -> None:
    assert parse_judge_reply(f'{{"score": {value}}}').score_raw == raw


@pytest.mark.parametrize(
    ("value", "reasoning"),
    [
        ('"clear"', "clear"),
        ('""', ""),
        ("null", None),
        ('["a", "b"]', "['a', 'b']"),
        ("5", "5"),
        ('"two\nlines"', "two\nlines"),
        (r'"a\nb \u00e9 \"c\" \\alpha"', 'a\nb é "c" \\alpha'),
        # repaired: the strict decode fails
        (
            r'"\(x\) \alpha \underline{x} \\ \"c\""',
            '\\(x\\) \\alpha \\underline{x} \\ "c"',
        ),
        (r'"\( \frac12 \beta \theta \rho"', r"\( \frac12 \beta \theta \rho"),
        (r'"\(x\)\nso"', "\\(x\\)\nso"),
        # not repaired: it decodes as it stands
        (r'"\frac12"', "\frac12"),
        (r'"a\ud800b"', "a\ufffdb"),
        (r'"\ud83d\ude00"', "\U0001f600"),
        ('"a\ud800b"', "a\ufffdb"),
        ('"a\0b"', "a\ufffdb"),
    ],
)
@pytest.mark.parametrize("wrap", [str, fenced])
def test_reasoning(value: str, reasoning: str | None, wrap) -> None:
    verdict = parse_judge_reply(wrap(f'{{"score": 3, "reasoning": {value}}}'))
    assert (verdict.score, verdict.reasoning) == (3.0, reasoning)


def test_reasoning_stays_beside_a_bad_score() -> None:
    verdict = parse_judge_reply('{"score": "7/10", "reasoning": "close"}')
    assert verdict.reasoning == "close"


@pytest.mark.parametrize(
    "text",
    [
        "{" * 100_000,
        "[" * 100_000,
        '{"score":' * 100_000,
        '{"a":' * 100_000 + "1" + "}" * 100_000,
        '{"score": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"score": ' + "[" * 950 + "]" * 950 + "}",
        '{"score": 1, "x": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"' * 100_000,
        '"' * 100_001,
        "\\" * 100_001,
        "`" * 100_000,
        "```" + "\n```json" * 10_000,
        '{"score": "\\',
        '{"score": "\\u12',
        '{"\ud800": "\udfff", "score": "\ud800"}',
        "\0" * 1000,
    ],
    ids=lambda text: text[:12].encode("unicode_escape").decode(),
)
def test_hostile_reply_fails_and_the_next_object_counts(text: str) -> None:
    assert parse_judge_reply(text).parse_error in CODES
    assert parse_judge_reply(text + "\n" + fenced('{"score": 3}')).parse_error in {None} | CODES


@pytest.mark.parametrize(
    "noise",
    [
        "{" * 100_000,
        '{"":x' * 50_000,
        '{"a":' * 50_000 + "1" + "}" * 50_000,
        "[" * 100_000,
    ],
    ids=["braces", "broken objects", "deep nesting", "brackets"],
)
def test_verdict_after_noise_is_found(noise: str) -> None:
    assert parse_judge_reply(noise + "\n" + fenced('{"score": 3}')).score == 3.0


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
        ),
        max_leaves=12,
    ),
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=6),
)
def test_the_only_score_is_found_wherever_it_stands(rest: object, path: list[str]) -> None:
    reply: object = {"score": 7, "reasoning": "so", "rest": rest}
    for key in path:
        reply = {"x": rest, key: [reply]}
    verdict = parse_judge_reply(f"So:\n{json.dumps(reply)}\nDone.")
    assert (verdict.score, verdict.reasoning) == (7.0, "so")


def test_notice_and_schema_ask_for_what_is_read() -> None:
    assert JUDGE_FORMAT_VERSION == 1
    assert '"score"' in FORMAT_NOTICE
    filled_in = FORMAT_NOTICE.replace("<number>", "0.5").replace("<why>", "so")
    assert parse_judge_reply(filled_in) == Verdict.scored(0.5, "0.5", "so")
    assert parse_judge_reply(FORMAT_NOTICE).parse_error == "no_json_object"
    assert REPLY_SCHEMA["required"] == list(REPLY_SCHEMA["properties"]) == ["score", "reasoning"]
    assert REPLY_SCHEMA["additionalProperties"] is False


@pytest.mark.parametrize(
    ("score", "ok", "error"),
    [
        (None, True, None),
        (1.0, False, "code"),
        (1.0, True, "code"),
        (None, False, None),
    ],
)
def test_verdict_refuses_a_contradiction(score, ok, error) -> None:
    with pytest.raises(ValueError, match="contradict"):
        Verdict(score, None, None, ok, error)


# Any code point, lone surrogates too: a model's bytes are not ours to choose.
any_text = st.text(st.characters())
json_fragments = st.lists(
    st.one_of(
        st.sampled_from(
            [
                '{"score":',
                '{"',
                "{",
                "}",
                "[",
                "]",
                '"',
                ":",
                ",",
                "\\",
                "\\u",
                "```",
                "```json",
                "~~~",
                "\n",
                "\r\n",
                "NaN",
                "1e999",
                "true",
                '"reasoning":',
                '{"a": 1}',
                "\ud800",
            ]
        ),
        st.integers().map(str),
        any_text,
    )
).map("".join)


@given(st.one_of(any_text, json_fragments))
def test_any_text_gives_a_consistent_storable_verdict(text: str) -> None:
    verdict = parse_judge_reply(text)
    assert verdict.parse_ok == (verdict.parse_error is None) == (verdict.score is not None)
    assert verdict.parse_error in {None} | CODES
    assert verdict.score is None or math.isfinite(verdict.score)
    for written in (verdict.score_raw, verdict.reasoning):
        (written or "").encode()


prose = st.one_of(any_text, json_fragments).map(lambda t: t.replace("```", "").replace("~~~", ""))


@given(
    score=st.one_of(
        st.floats(allow_nan=False, allow_infinity=False),
        st.integers(-(10**308), 10**308),
    ),
    reasoning=st.one_of(any_text, json_fragments),
    before=prose,
    after=prose,
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 2]),
)
def test_round_trip_in_a_fenced_block(score, reasoning, before, after, ascii_only, indent) -> None:
    body = json.dumps(
        {"score": score, "reasoning": reasoning}, ensure_ascii=ascii_only, indent=indent
    )
    verdict = parse_judge_reply(f"{before}\n{fenced(body)}\n{after}")
    assert verdict.score == float(score)
    assert verdict.score_raw == repr(score)[:RAW_LIMIT]
    assert verdict.reasoning == well_formed(reasoning)
