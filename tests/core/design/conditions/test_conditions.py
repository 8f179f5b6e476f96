"""Condition ids: the same for the same design, different for any other."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.config.sections import SolversConfig
from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.design.conditions.conditions import Design
from itemeval_assets.core.design.conditions.expansion import expand_design
from itemeval_assets.core.design.conditions.ids import canonical_json, condition_id
from itemeval_assets.core.errors import ConfigError, TemplateError
from itemeval_assets.core.grading.judges.judge import JudgeConfig
from itemeval_assets.core.grading.judges.judge_reply import JUDGE_FORMAT_VERSION
from itemeval_assets.core.prompts.templates import make_template
from itemeval_assets.core.text.yaml.sections import IDENTITY
from tests.studies import merged

PROMPTS = {
    "short": "Solve.\n\n{input}\n",
    "Step_by.step-2": "Think about {id}: {input}\r\nNow.",
}
RUBRICS = {"strict": "Grade {input} and {solution} for $\\frac{a}{b}$.\n"}
BASE: dict[str, Any] = {
    "study": "toy",
    "benchmark": {"adapter": "hf", "datasets": [{"id": "a/b"}], "mapping": {"input": "q"}},
    "solvers": {"models": ["openai/gpt-5-mini"]},
    "facets": {"prompt": ["short"], "scorer": "numeric", "rubric": ["strict"]},
}
JUDGED = {
    "facets": {"grader": ["judge_a"]},
    "graders": {"judge_a": {"model": "openai/gpt-5", "scale": [0, 10]}},
}


def design(
    *extras: Mapping[str, Any],
    prompts: Mapping[str, str] = PROMPTS,
    rubrics: Mapping[str, str] = RUBRICS,
) -> Design:
    document = BASE
    for extra in extras:
        document = merged(document, extra)
    return expand_design(
        StudyConfig.model_validate(document),
        {name: make_template(name, f"{name}.md", text) for name, text in prompts.items()},
        {name: make_template(name, f"{name}.md", text) for name, text in rubrics.items()},
    )


def generate_ids(found: Design) -> list[str]:
    return [condition.id for condition in found.generate]


def grade_ids(found: Design) -> list[str]:
    return [condition.id for condition in found.grade]


# The ids that itemeval 0.2.0 gives to the same YAML and the same template texts.
@pytest.mark.parametrize(
    ("extra", "ids"),
    [
        ({}, ["gpt-5-mini_short_default--6ca3f1440af5"]),
        ({"solvers": {"temperature": 0}}, ["gpt-5-mini_short_default--2b5f56375076"]),
        (
            {
                "solvers": {
                    "models": ["openrouter/deepseek/deepseek-v3.2"],
                    "temperature": 0.7,
                    "top_p": 0.95,
                    "max_tokens": 1000,
                    "seed": 7,
                }
            },
            ["deepseek-v3-2_short_default--bd93d169c326"],
        ),
        (
            {
                "solvers": {
                    "models": ["anthropic/claude-Sonnet_4.5", "openai/o3"],
                    "temperature": 1,
                    "max_tokens": 512,
                },
                "facets": {
                    "prompt": ["short", "Step_by.step-2"],
                    "model_config": [
                        {"name": "default"},
                        {"name": "T0", "temperature": 0},
                        {
                            "name": "think.hard",
                            "reasoning_effort": "high",
                            "reasoning_tokens": 2048,
                            "max_tokens": 9000,
                            "top_p": 1,
                        },
                    ],
                },
            },
            [
                "claude-sonnet-4-5_short_default--1db56e153c5e",
                "claude-sonnet-4-5_short_t0--cc8665c67a1d",
                "claude-sonnet-4-5_short_think-hard--719e982ab021",
                "claude-sonnet-4-5_step-by-step-2_default--9401d9e6f20e",
                "claude-sonnet-4-5_step-by-step-2_t0--331aba73f488",
                "claude-sonnet-4-5_step-by-step-2_think-hard--dd6d81448d8a",
                "o3_short_default--b7b3bf4259d0",
                "o3_short_t0--794ceb276dd5",
                "o3_short_think-hard--139f765d5ef8",
                "o3_step-by-step-2_default--5b0164ac90c2",
                "o3_step-by-step-2_t0--db935ae3027f",
                "o3_step-by-step-2_think-hard--821af5dcace4",
            ],
        ),
        ({"solvers": {"split_prompt": True}}, ["gpt-5-mini_short_default--2cebc91a6eff"]),
        (
            {
                "solvers": {"models": ["together/meta-llama/Llama-3.3-70B-Instruct-Turbo-Free"]},
                "facets": {"model_config": [{"name": "a-very-long-name.of_a-model-config"}]},
            },
            ["llama-3-3-70b-instruct-t_short_a-very-long-name-of-a-mo--d57ce8e8acb0"],
        ),
    ],
)
def test_generate_ids_are_those_of_itemeval(extra: dict[str, Any], ids: list[str]) -> None:
    found = design(extra)
    assert generate_ids(found) == ids
    assert grade_ids(found) == ["scorer_numeric--c5fa592ad23d"]


def test_judge_ids() -> None:
    graders = {
        "judge_a": {"model": "openai/gpt-5", "max_tokens": None, "reasoning_effort": "low"},
        "judge_split": {"model": "openai/gpt-5", "split_rubric": True},
        "judge_json": {"model": "openai/gpt-5", "structured": True},
    }
    facets = {"grader": ["judge_a", "bare/model", "judge_split", "judge_json"]}
    assert grade_ids(design({"facets": facets, "graders": graders})) == [
        "scorer_numeric--c5fa592ad23d",
        "judge-a_strict--f95943370b9d",
        "bare-model_strict--377024cde3d4",
        "judge-split_strict--0364cff1bbd9",
        "judge-json_strict--d2049d9d1f89",
    ]


def test_scorers_come_before_judges_and_each_is_a_condition() -> None:
    found = design(JUDGED, {"facets": {"scorer": ["exact_match", "numeric"]}})
    assert [condition.label for condition in found.grade] == [
        "exact_match",
        "numeric",
        "judge_a · strict",
    ]
    assert [condition.grader.kind for condition in found.grade] == [
        "verifiable",
        "verifiable",
        "judge",
    ]


CHOICES = {"choices": "options", "target": "a", "target_is": "letter"}
SHOWN = {"short": "{input}\n{choices}", "Step_by.step-2": "{id} {input} {choices} {topic}"}


def with_choices(**mapping: Any) -> Design:
    found = {"benchmark": {"mapping": {**CHOICES, **mapping}}}
    return design(found, {"facets": {"prompt": list(SHOWN)}}, prompts=SHOWN)


def test_what_decides_how_choices_are_shown_and_which_is_right_is_in_the_id() -> None:
    plain = with_choices()
    for condition in plain.generate:
        assert condition.payload["choices"] == {"columns": "options", "target_is": "letter"}
        assert "columns" not in condition.payload["prompt"]
    changes: list[dict[str, Any]] = [
        {"shuffle_choices": 0},
        {"shuffle_choices": 1},
        {"choices": ["a", "b"]},
        {"target_is": "text"},
        {"metadata": ["topic"]},
    ]
    ids = [generate_ids(with_choices(**change))[1] for change in changes]
    assert len({*ids, generate_ids(plain)[1]}) == len(changes) + 1
    assert grade_ids(with_choices(shuffle_choices=1)) == ["scorer_numeric--c5fa592ad23d"]


def test_a_prompt_that_does_not_show_the_choices_is_refused() -> None:
    with pytest.raises(
        TemplateError, match=r"'short' \(short.md\) lacks \{choices\}; add it where"
    ):
        design({"benchmark": {"mapping": CHOICES}})
    with pytest.raises(TemplateError, match=r"write \{choices\} for \{options\}"):
        design({"benchmark": {"mapping": CHOICES}}, prompts={"short": "{input} {options}"})
    facets = {"facets": {"prompt": ["builtin:standard"]}}
    with pytest.raises(TemplateError, match="take another one, such as builtin:multiple_choice"):
        design({"benchmark": {"mapping": CHOICES}}, facets, prompts={"builtin:standard": "{input}"})


def test_a_packaged_prompt_of_choices_needs_them() -> None:
    name = "builtin:multiple_choice"
    with pytest.raises(TemplateError, match=f"facets.prompt: '{name}' shows choices; name their"):
        design({"facets": {"prompt": [name]}}, prompts={name: "{input} {choices}"})
    [doubt] = design(JUDGED, prompts={"short": "{input} {choices}"}).doubts
    assert doubt.endswith(
        "{choices} is no placeholder and is sent as it stands: "
        "benchmark.mapping.choices names no column"
    )


def test_a_rubric_that_no_judge_reads_is_told() -> None:
    start = "facets.rubric: no judge grades, so no rubric is used; name a judge in facets.grader"
    assert design().doubts == (f"{start}, or remove facets.rubric",)
    declared = {"graders": JUDGED["graders"]}
    [doubt] = design(declared).doubts
    assert doubt == f"{start} (graders has 'judge_a'), or remove facets.rubric"
    assert design(JUDGED).doubts == ()
    # A judge may be kept for later.
    plain = StudyConfig.model_validate({**BASE, "facets": {"scorer": "numeric"}, **declared})
    named = {"builtin:standard": make_template("builtin:standard", "x.md", "{input}")}
    assert expand_design(plain, named, {}).doubts == ()


def test_a_template_with_turns_is_told_apart_from_one_message_of_the_same_text() -> None:
    turns = "<|user|>\n{input}\n"
    [plain] = design(prompts={"short": "{input}\n"}).generate
    [chat] = design(prompts={"short": turns}).generate
    assert "layout" not in plain.payload and chat.payload["layout"] == "turns"
    rubric = "<|system|>\nBe strict.\n<|user|>\n{input} {solution}"
    *_, judge = design(JUDGED, rubrics={"strict": rubric}).grade
    assert judge.payload["layout"] == "turns"


def test_turns_that_would_be_split_are_refused() -> None:
    turns = "<|user|>\n{input}\n{solution}\n"
    with pytest.raises(
        TemplateError, match=r"'short' \(short.md\) has turns of its own, and split"
    ):
        design({"solvers": {"split_prompt": True}}, prompts={"short": turns})
    split = {"graders": {"judge_a": {"split_rubric": True}}}
    with pytest.raises(TemplateError, match=r"'strict' \(strict.md\) has turns of its own"):
        design(JUDGED, split, rubrics={"strict": turns})


def with_chats(text: str, **extra: Any) -> Design:
    mapping = {"benchmark": {"mapping": {"chat": True}}}
    return design(mapping, extra, prompts={"short": text})


@pytest.mark.parametrize(
    "text",
    ["{input}", "{input}\n", "<|system|>\nx {id}\n<|user|>\n\n{input}\n", "<|user|>\n{input}"],
)
def test_chats_stand_in_the_place_of_the_last_turn(text: str) -> None:
    [condition] = with_chats(text).generate
    assert condition.payload["input"] == "chat"
    kept = '[{"role":"user","content":"{id}"},{"role":"assistant","content":"b"},'
    kept += '{"role":"user","content":"c"}]'
    prompt = condition.prompt_for({"item_id": "q1", "input": kept})
    assert prompt.turns[-3:] == (("user", "{id}"), ("assistant", "b"), ("user", "c"))
    assert prompt.turns[:-3] == ((("system", "x q1"),) if "system" in text else ())
    assert prompt.head == prompt.text


@pytest.mark.parametrize(
    "text",
    [
        "Answer:\n{input}",
        "{input}{input}",
        "<|system|>\n{input}\n<|user|>\nAnswer.",
        "<|system|>\n{input}\n<|user|>\n{input}",
        "<|user|>\n{input}\nBe brief.",
    ],
)
def test_a_chat_is_not_put_into_a_text(text: str) -> None:
    with pytest.raises(
        TemplateError, match=r"'short' \(short.md\): the items are chats, and their"
    ):
        with_chats(text)


def test_payloads() -> None:
    found = design(JUDGED, {"solvers": {"temperature": 0}})
    assert found.generate[0].payload == {
        "kind": "generate",
        "model": "openai/gpt-5-mini",
        "model_config": {"name": "default", "params": {"temperature": 0.0}},
        "prompt": {"name": "short", "hash": make_template("", "", PROMPTS["short"]).hash},
    }
    scorer, judge = found.grade
    assert scorer.payload == {"kind": "grade", "scorer": "numeric"}
    assert judge.payload == {
        "kind": "grade",
        "grader": {
            "name": "judge_a",
            "model": "openai/gpt-5",
            "temperature": 0.0,
            "max_tokens": 2048,
        },
        "rubric": {"name": "strict", "hash": make_template("", "", RUBRICS["strict"]).hash},
        "format": JUDGE_FORMAT_VERSION,
    }


def test_a_facet_overrides_the_solvers() -> None:
    facet = {"name": "own", "temperature": 0.2, "max_tokens": 5}
    solvers = {"temperature": 1, "max_tokens": 9, "top_p": 0.5, "seed": 3}
    found = design({"solvers": solvers, "facets": {"model_config": [facet]}})
    assert found.generate[0].params == {
        "temperature": 0.2,
        "max_tokens": 5,
        "top_p": 0.5,
        "seed": 3,
    }


# What a run costs or how it is made: no part of an id.
COSTS = st.fixed_dictionaries(
    {},
    optional={
        "study": st.sampled_from(["other", "third"]),
        "output_dir": st.sampled_from(["out", "/tmp/out"]),
        "cache": st.booleans(),
        "solvers": st.fixed_dictionaries(
            {},
            optional={
                "max_retries": st.integers(0, 9),
                "attempt_timeout": st.integers(1, 999),
                "retry_on_error": st.integers(0, 9),
                "on_empty": st.sampled_from(["skip", "rerun", "grade"]),
                "cache_prompt": st.sampled_from(["auto", "on", "off"]),
                "provider_routing": st.just({"order": ["x"]}),
            },
        ),
        "facets": st.fixed_dictionaries({}, optional={"replications": st.integers(1, 99)}),
        "graders": st.just({"judge_a": {"provider_routing": {"order": ["y"]}}}),
        "budget": st.fixed_dictionaries(
            {},
            optional={
                "policy": st.sampled_from(["dev", "full-interactive", "full-batch"]),
                "max_usd": st.floats(1, 1000),
                "batch": st.sampled_from(["auto", True, 7]),
                "dev_items": st.integers(1, 9),
                "pricing_path": st.just("prices.json"),
            },
        ),
    },
)
CHANGED_SOLVERS: list[dict[str, Any]] = [
    {"temperature": 0},
    {"temperature": 0.5},
    {"top_p": 0.5},
    {"max_tokens": 7},
    {"seed": 0},
    {"split_prompt": True},
]
CHANGED_GRADERS: list[dict[str, Any]] = [
    {"model": "openai/gpt-4"},
    {"temperature": 0.5},
    {"max_tokens": None},
    {"max_tokens": 7},
    {"reasoning_effort": "low"},
    {"structured": True},
    {"split_rubric": True},
    {"max_solution_chars": 9},
    {"after": "numeric"},
    {"after": "exact_match"},
]


@given(COSTS)
def test_ids_do_not_depend_on_cost_settings(extra: dict[str, Any]) -> None:
    before, after = design(JUDGED), design(JUDGED, extra)
    assert generate_ids(after) == generate_ids(before)
    assert grade_ids(after) == grade_ids(before)


def test_ids_do_not_depend_on_how_scores_are_measured() -> None:
    [name] = JUDGED["graders"]
    after = design(
        JUDGED,
        {
            "graders": {name: {"scale": [0, 10]}},
            "measurement": {"level": 0.9, "cluster": "dataset_id", "margin": 0.1},
        },
    )
    assert (generate_ids(after), grade_ids(after)) == (
        generate_ids(design(JUDGED)),
        grade_ids(design(JUDGED)),
    )
    assert {condition.grader.scale for condition in after.grade} == {(0, 1), (0, 10)}


def test_repeats_add_conditions_and_change_none() -> None:
    graders = {"judge_a": {"repeats": 3}}
    once, thrice = design(JUDGED), design(JUDGED, {"graders": graders})
    scorer, first, *more = thrice.grade
    assert [scorer, first] == list(once.grade)
    assert [one.payload for one in more] == [{**first.payload, "repeat": n} for n in (2, 3)]
    assert {one.slug for one in more} == {first.slug}
    assert {one.first_id for one in thrice.grade[1:]} == {first.id}
    assert [one.label for one in thrice.grade[1:]] == [
        "judge_a · strict",
        "judge_a · strict · repeat 2",
        "judge_a · strict · repeat 3",
    ]
    with_all = design(JUDGED, {"graders": {"judge_a": {"repeats": 1, "temperature": 0}}})
    assert grade_ids(with_all) == grade_ids(once)


@given(st.randoms(use_true_random=False))
def test_ids_do_not_depend_on_the_order_of_keys(random: Any) -> None:
    def shuffled(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        keys = list(value)
        random.shuffle(keys)
        return {key: shuffled(value[key]) for key in keys}

    document = merged(merged(BASE, JUDGED), {"solvers": {"seed": 1, "top_p": 0.5}})
    found = design(shuffled(document))
    assert generate_ids(found) == generate_ids(design(document))
    assert grade_ids(found) == grade_ids(design(document))


def test_generate_ids_change_with_every_identity_field() -> None:
    facets = [
        {"name": "other"},
        {"name": "default", "temperature": 1},
        {"name": "default", "top_p": 0.25},
        {"name": "default", "max_tokens": 8},
        {"name": "default", "reasoning_effort": "low"},
        {"name": "default", "reasoning_effort": "high"},
        {"name": "default", "reasoning_tokens": 8},
    ]
    designs = [
        design(),
        design({"solvers": {"models": ["azureai/gpt-5-mini"]}}),
        design({"facets": {"prompt": ["Step_by.step-2"]}}),
        design(prompts={"short": PROMPTS["short"] + "."}),
        *(design({"solvers": changed}) for changed in CHANGED_SOLVERS),
        *(design({"facets": {"model_config": [facet]}}) for facet in facets),
    ]
    ids = [id for found in designs for id in generate_ids(found)]
    assert len(set(ids)) == len(designs)
    assert {id for found in designs for id in grade_ids(found)} == set(grade_ids(design()))


def test_grade_ids_change_with_every_identity_field() -> None:
    renamed = {"facets": {"grader": ["judge_b"]}, "graders": {"judge_b": {"model": "openai/gpt-5"}}}
    designs = [
        design(JUDGED),
        design(renamed),
        design(JUDGED, {"facets": {"rubric": ["lax"]}}, rubrics={"lax": RUBRICS["strict"]}),
        design(JUDGED, rubrics={"strict": RUBRICS["strict"] + "."}),
        *(design(JUDGED, {"graders": {"judge_a": changed}}) for changed in CHANGED_GRADERS),
    ]
    ids = [grade_ids(found)[-1] for found in designs]
    assert len(set(ids)) == len(designs)
    assert {id for found in designs for id in generate_ids(found)} == set(generate_ids(design()))


def test_the_word_judge_changes_no_id() -> None:
    assert grade_ids(design(JUDGED, {"graders": {"judge_a": {"kind": "judge"}}})) == grade_ids(
        design(JUDGED)
    )


@pytest.mark.parametrize(
    ("section", "changes", "always"),
    [(SolversConfig, CHANGED_SOLVERS, set()), (JudgeConfig, CHANGED_GRADERS, {"model"})],
)
def test_the_fields_marked_as_identity_are_those_tested_above(
    section: Any, changes: list[dict[str, Any]], always: set[str]
) -> None:
    marked = {
        name for name, field in section.model_fields.items() if field.json_schema_extra == IDENTITY
    }
    assert marked | always == {name for change in changes for name in change}


@given(
    st.lists(st.text(max_size=40), min_size=1, max_size=3), st.dictionaries(st.text(), st.text())
)
def test_an_id_is_a_safe_name_and_a_digest(parts: list[str], payload: dict[str, str]) -> None:
    id, slug = condition_id(parts, payload)
    assert re.fullmatch(r"[a-z0-9-]{1,24}(_[a-z0-9-]{1,24}){0,2}--[0-9a-f]{12}", id)
    assert id.startswith(f"{slug}--")


def test_canonical_json() -> None:
    value = {"b": 1.0, "a": ["ä", None, {"d": True, "c": 0}]}
    assert canonical_json(value) == '{"a":["ä",null,{"c":0,"d":true}],"b":1.0}'
    assert json.loads(canonical_json(value)) == value


def test_two_equal_ids_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "itemeval_assets.core.design.conditions.expansion.condition_id",
        lambda parts, payload: ("x--0", "x"),
    )
    with pytest.raises(ConfigError, match="two conditions of the design have the same id: x--0"):
        design()


def test_templates_must_hold_their_placeholders() -> None:
    with pytest.raises(TemplateError, match=r"lacks \{input\}"):
        design(prompts={"short": "no placeholder"})
    with pytest.raises(TemplateError, match=r"lacks \{solution\}"):
        design(JUDGED, rubrics={"strict": "{input} only"})


def test_look_up_by_id() -> None:
    found = design(JUDGED)
    assert found.generate_by_id == {found.generate[0].id: found.generate[0]}
    assert list(found.grade_by_id) == grade_ids(found)
