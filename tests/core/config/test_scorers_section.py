"""The section `scorers:` as people write it, and what is said of the slips in it."""

from typing import Any

import pytest

from itemeval_assets.core.config.reading import parse_config

from .test_config import MINIMAL, parsed, problems

FOUND = {"type": "regex", "pattern": "(a)(?P<num>b)"}


def test_a_facet_names_own_scorers_beside_those_of_the_package() -> None:
    config = parsed({"scorers": {"mine": FOUND}, "facets": {"scorer": ["numeric", "mine"]}})
    assert config.facets.scorers == ["numeric", "mine"]
    assert config.scorers["mine"].type == "regex"


def test_an_entry_that_no_facet_names_is_fine() -> None:
    assert [*parsed({"scorers": {"mine": FOUND}}).scorers] == ["mine"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (3, "scorers.mine: expected a section with keys; found 3"),
        ({}, ".type: this key is required; known types: regex, contains, json, python, inspect"),
        ({"type": "regx"}, "unknown type of scorer 'regx'; known types: "),
        ({"type": "regx"}, "did you mean 'regex'?"),
        ({"type": "regex"}, "scorers.mine.pattern: this key is required"),
        ({**FOUND, "pattrn": "a"}, "scorers.mine.pattrn: unknown key 'pattrn'; did you mean 'pa"),
        (
            {"type": "contains", "pattern": "a"},
            "scorers.mine.pattern: unknown key 'pattern'; known",
        ),
        (
            {**FOUND, "pattern": "(a"},
            "scorers.mine.pattern: RE2 does not take this pattern: missing",
        ),
        ({**FOUND, "pattern": "(?=a)"}, "It has no lookaround and no backreferences"),
        ({**FOUND, "pattern": 3}, "scorers.mine.pattern: give a text; found 3"),
        ({**FOUND, "group": 3}, "scorers.mine.group: the pattern has no group 3: it has 2 groups"),
        ({**FOUND, "group": "nun"}, "no group of the name 'nun'; did you mean 'num'?"),
        (
            {**FOUND, "group": True},
            "scorers.mine.group: give a number or a text in quotes; YAML rea",
        ),
        ({**FOUND, "flags": "x"}, "scorers.mine.flags: give letters out of i, m and s, each once"),
        ({**FOUND, "flags": "ii"}, "give letters out of i, m and s, each once; found 'ii'"),
        (
            {**FOUND, "match": "frist"},
            "scorers.mine.match: give 'last' or 'first'; found 'frist'; d",
        ),
        (
            {**FOUND, "scale": [1, 0]},
            "scorers.mine.scale: the lowest score comes first: write [0, 1]",
        ),
        ({**FOUND, "scale": [0, 10**400]}, "scorers.mine.scale: give the lowest and the highest"),
        ({**FOUND, "scale": [1, 1]}, "scorers.mine.scale: give the lowest and the highest score"),
        ({"type": "json", "path": 3}, "scorers.mine.path: give a text or a list"),
        ({"type": "json", "path": "a..b"}, "scorers.mine.path: give keys and places, such as"),
        ({"type": "json", "path": "$.a[0]"}, "path: write keys and places joined by dots: a.0; fo"),
        ({"type": "json", "path": "$['a b'][0].c"}, "joined by dots: a b.0.c; found"),
        ({"type": "json", "path": "a[*].b"}, "write keys and places joined by dots: a.*.b; found"),
        ({"type": "json", "path": "$"}, "joined by dots: answer.values.0; found '$'"),
        ({"type": "json", "path": ["a", True]}, "path: YAML reads a step as true; put quotes"),
        ({"type": "json", "path": ["a", -1]}, "scorers.mine.path: give keys and places, such as"),
        ({"type": "json", "path": []}, "scorers.mine.path: give keys and places, such as"),
        (
            {"type": "json", "path": "a", "comparison": "num"},
            "scorers.mine.comparison: give 'exact'",
        ),
        ({"type": "python", "function": "mine.py"}, "scorers.mine.function: give <file>.py:<funct"),
        ({"type": "python", "function": "a b:c"}, "scorers.mine.function: give <file>.py:<funct"),
        (
            {"type": "python", "function": "m.py:f", "timeout_s": 0},
            "timeout_s: give a number above",
        ),
        ({"type": "python", "function": "m.py:f", "memory_mb": 1}, "give a number of at least 16"),
        (
            {"type": "inspect", "scorer": "f1", "args": 3},
            "scorers.mine.args: give keys with values",
        ),
        (
            {"type": "inspect", "scorer": "choice"},
            "scorers.mine.scorer: 'choice' cannot grade a sto",
        ),
        ({"type": "inspect", "scorer": "choice"}, "the choices that its solver marked"),
        ({"type": "inspect", "scorer": "inspect_ai/perplexity"}, "the log probabilities of tokens"),
        (
            {"type": "inspect", "scorer": "model_graded_qa"},
            "make it a judge, an entry of `graders`",
        ),
        ({"type": "inspect", "scorer": "multi_scorer"}, "which a YAML file cannot hold"),
    ],
)
def test_slips_are_told_with_their_place(entry: Any, said: str) -> None:
    (line,) = problems({"scorers": {"mine": entry}})
    assert line.startswith("scorers.mine") and said in line


def test_the_name_of_a_scorer_of_the_package_is_taken() -> None:
    (line,) = problems({"scorers": {"numeric": FOUND}})
    assert line == (
        "scorers.numeric: 'numeric' is a scorer of the package; give yours another name"
    )


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"scorer": "includes"}, "scorer: a judge takes model_graded_qa or model_graded_fact"),
        ({"scorer": None}, "scorer: a judge takes model_graded_qa or model_graded_fact"),
        ({"model": ["a/b", "c/d"]}, "model: a judge is one model: declare an entry"),
        ({"structured": True}, "structured: unknown key"),
        ({"args": 3}, "args: "),
        ({"args": {"model": "a/b"}}, "args: remove 'model': the model is `model`, beside"),
        ({"args": {"model_role": "x"}}, "args: remove 'model_role': the model is `model`, beside"),
        ({"args": {"reducer": "mode"}}, "args: remove 'reducer': it is about votes"),
        ({"args": {"include_history": True}}, "args: remove 'include_history': stored answers"),
        (
            {"args": {"templat": "x"}},
            "args.templat: unknown key 'templat'; did you mean 'template'?",
        ),
        ({"args": {"partial_credit": "some"}}, "args.partial_credit: give true or false"),
        ({"args": {"grade_pattern": "GRADE"}}, "args.grade_pattern: put the grade in a group"),
        ({"args": {"grade_pattern": "(?<=G)(.)"}}, "args.grade_pattern: RE2 does not take this"),
        ({"args": {"template": ""}}, "args.template: "),
    ],
)
def test_slips_of_a_judge_with_a_scorer_are_told_with_their_place(keys: Any, said: str) -> None:
    entry = {"model": "a/b", "scorer": "model_graded_qa", **keys}
    (line,) = problems({"graders": {"qa": entry}})
    assert line.startswith("graders.qa.") and said in line


@pytest.mark.parametrize("name", ["Numeric", "exact match", "Multiple-Choice"])
def test_so_is_one_that_a_reader_takes_for_it(name: str) -> None:
    (line,) = problems({"scorers": {name: FOUND}})
    assert line.startswith(f"scorers.{name}: ") and "is a scorer of the package" in line


def test_a_scorer_and_a_judge_have_two_names() -> None:
    judge = {"model": "a/b"}
    (line,) = problems({"scorers": {"x": FOUND}, "graders": {"x": judge, "y": judge}})
    assert line.startswith("scorers.x: graders.x has the same name; give one of them another")
    (line,) = problems({"scorers": {"a/b": FOUND}, "facets": {"grader": ["a/b"]}})
    assert line.startswith("scorers.a/b: facets.grader has the same name")


def test_an_empty_section_is_told_in_words() -> None:
    (line,) = problems({"scorers": None})
    assert line == "scorers: give keys with values, such as {key: value}; found nothing"
    (line,) = problems({"scorers": {"mine": None}})
    assert line == "scorers.mine: expected a section with keys; found nothing"


def test_a_list_of_steps_may_hold_any_key() -> None:
    config = parsed({"scorers": {"mine": {"type": "json", "path": ["$ref", "a[0]", 0]}}})
    assert config.scorers["mine"].definition["path"] == ["$ref", "a[0]", 0]


def test_a_facet_that_names_no_scorer_is_told_the_nearest() -> None:
    (line,) = problems({"scorers": {"mine": FOUND}, "facets": {"scorer": ["mime"]}})
    assert line == (
        "facets.scorer: 'mime' is neither a scorer of the package nor a key of `scorers`, "
        "where others are declared; did you mean 'mine'?"
    )


@pytest.mark.parametrize(
    ("facet", "written"),
    [
        ({"scorer": "exact_match, numeric"}, "write [exact_match, numeric]"),
        ({"scorer": ["exact_match,numeric"]}, "write [exact_match, numeric]"),
        ({"grader": "judge, openai/x"}, "write [judge, openai/x]"),
        ({"prompt": "builtin:minimal, mine"}, 'write ["builtin:minimal", mine]'),
    ],
)
def test_names_with_commas_between_them_are_a_list(facet: Any, written: str) -> None:
    (line,) = problems({"facets": facet})
    assert line.endswith(f"; {written}")


def test_a_type_of_a_package_is_known_where_one_offers_it() -> None:
    text = str({**MINIMAL, "scorers": {"mine": {"type": "theirs", "args": {"a": 1}}}})
    (entry,) = parse_config(text, "study.yaml", packaged=["theirs"]).scorers.values()
    assert entry.type == "theirs" and entry.definition == {"type": "theirs", "args": {"a": 1}}
