"""The study config: what it takes, and how it says what is wrong."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
import yaml

from itemeval_assets.core.config.reading import parse_config
from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.grading.judges.judge import JudgeConfig
from itemeval_assets.core.text.yaml.strict import StrictLoader, load_yaml
from tests.studies import merged

MINIMAL: dict[str, Any] = {
    "study": "toy",
    "benchmark": {"adapter": "hf", "datasets": [{"id": "org/data"}], "mapping": {"input": "q"}},
    "solvers": {"models": ["openai/gpt-5-mini"]},
    "facets": {"scorer": "numeric"},
}
# Every key of the config, each with a value that is not its default.
EVERY_KEY = """
study: my_study-2
output_dir: results
prompts_dir: my_prompts
rubrics_dir: my_rubrics
cache: false
benchmark:
  adapter: local
  datasets:
    - {id: items.csv, revision: null, split: test, name: null, limit: 5, delimiter: ;,
       encoding: latin-1}
    - {id: items.xlsx, revision: null, split: test, name: main, limit: 5, delimiter: null,
       encoding: null}
  mapping: {id: "{dataset}:{n}", input: q, target: a, grading_scheme: s, metadata: [t, u],
    images: i, chat: false, choices: [w, x], target_is: text, shuffle_choices: 3}
  sample: {n: 50, seed: 7, by: t}
solvers:
  models: [openai/gpt-5-mini, openrouter/deepseek/deepseek-v3.2]
  temperature: 0.5
  max_tokens: 100
  top_p: 0.9
  seed: 7
  attempt_timeout: 60
  max_retries: 0
  max_reroutes: 2
  retry_on_error: 2
  max_connections: {openai: 40, openrouter: 5}
  on_empty: rerun
  cache_prompt: "on"
  split_prompt: true
  provider_routing: {order: [anthropic], allow_fallbacks: false}
facets:
  prompt: [builtin:minimal, my.prompt-1]
  model_config:
    - {name: plain}
    - {name: hot, temperature: 1.5, top_p: 0.5, max_tokens: 10, reasoning_effort: high,
       reasoning_tokens: 4}
  grader: [judge_a, openai/gpt-5]
  rubric: [builtin:standard, strict]
  scorer: [exact_match, multiple_choice, numeric]
  replications: 3
graders:
  judge_a:
    {kind: judge, model: openai/gpt-5, max_tokens: null, reasoning_effort: low, structured: true,
     split_rubric: true, provider_routing: {sort: price}, scale: [0.0, 10.0],
     temperature: 0.3, repeats: 2, after: found, max_solution_chars: 20000}
scorers:
  found: {type: regex, pattern: "([0-9]+)", group: 1, flags: i, match: first, scale: [0.0, 2.0]}
  has: {type: contains, ignore_case: false, scale: null}
  value: {type: json, path: [a.b, 0], comparison: numeric, scale: null}
  own: {type: python, function: "mine.py:score", timeout_s: 2.5, memory_mb: 99, scale: null}
  insp: {type: inspect, scorer: includes, args: {x: 1}, timeout_s: 2.5, memory_mb: 99, scale: null}
seal: {hypotheses: [a is better], decision: by compare}
precision: {half_width: 0.02, detect: null, metrics: [numeric]}
measurement:
  cluster: t
  level: 0.9
  margin: 0.05
  families: {openai/gpt-5-mini: gpt}
waves: [{name: 2026-12, anchors: 30}]
rejudges: [{name: 2026-12, anchors: 30}]
crossing: full
budget:
  policy: full-batch
  dev_items: 4
  dev_replications: 2
  confirm_above_usd: 1.5
  max_usd: 20
  batch: 50
  prefer_native_batch: true
  pricing_path: prices.json
  pricing_max_age_days: 30
  cache_schedule: "off"
automation:
  started: true
  cron: "*/5 8-18 * * 1-5"
  timezone: Europe/Berlin
  max_attempts: 2
  retry_after_minutes: 1.5
  paid: true
  partitions_per_run: 10
"""
# What itemeval 0.2 knows, and no more.
ITEMEVAL_CONFIG = """
study: old_study
output_dir: studies
prompts_dir: prompts
rubrics_dir: rubrics
cache: true
benchmark:
  adapter: hf
  datasets:
    - {id: org/data, revision: abc123, split: train, name: main, limit: 10}
    - {id: org/data, revision: abc123, split: test}
  mapping: {input: problem, target: answer, id: uid, grading_scheme: scheme, metadata: [year]}
solvers:
  models: [anthropic/claude-sonnet-4-5, openrouter/deepseek/deepseek-v3.2]
  temperature: 0
  max_tokens: 4096
  top_p: 1
  seed: 0
  on_empty: grade
  cache_prompt: off
  split_prompt: true
  provider_routing: {only: [deepseek]}
facets:
  prompt: [builtin:standard, mine]
  grader: [strong, openai/gpt-5-mini]
  rubric: [builtin:standard]
  scorer: exact_match
  replications: 5
  model_config:
    - {name: default}
    - {name: think, reasoning_effort: xhigh, reasoning_tokens: 2048, temperature: 1.0}
graders:
  strong:
    model: openai/gpt-5
    max_tokens: 2048
    reasoning_effort: minimal
    split_rubric: true
    provider_routing: {order: [azure]}
crossing: full
budget:
  policy: full-interactive
  confirm_above_usd: 2.5
  batch: auto
  max_usd: 10.0
  dev_items: 3
  dev_replications: 1
  pricing_path: null
  pricing_max_age_days: 7
  cache_schedule: off
"""


def parsed(extra: Mapping[str, Any] | None = None) -> StudyConfig:
    return parse_config(yaml.safe_dump(merged(MINIMAL, extra or {})), "study.yaml")


def problems(extra: Mapping[str, Any]) -> list[str]:
    """The lines of the error, without the first, which names the file."""
    with pytest.raises(ConfigError) as caught:
        parsed(extra)
    head, *lines = str(caught.value).splitlines()
    assert head == "study.yaml: the study config has problems:"
    return [line.strip() for line in lines]


def test_defaults() -> None:
    config = parsed()
    assert (config.output_dir, config.prompts_dir, config.rubrics_dir) == (
        "studies",
        "prompts",
        "rubrics",
    )
    assert config.cache is True and config.crossing == "full" and config.graders == {}
    assert config.benchmark.datasets[0].split == "train"
    assert config.solvers.on_empty == "skip" and config.solvers.temperature is None
    assert config.facets.prompt == ["builtin:standard"] == config.facets.rubric
    assert [facet.name for facet in config.facets.model_config_facet] == ["default"]
    assert config.facets.grader == [] and config.facets.replications == 1
    budget = config.budget
    assert (budget.policy, budget.dev_items, budget.confirm_above_usd) == ("dev", 2, 5.0)
    assert (budget.max_usd, budget.batch, budget.pricing_path) == (None, "auto", None)


@pytest.mark.parametrize("text", [EVERY_KEY, ITEMEVAL_CONFIG])
def test_every_key_is_taken_as_written(text: str) -> None:
    written = yaml.safe_load(text)
    if written["solvers"]["cache_prompt"] is False:  # bare `off`
        written["solvers"]["cache_prompt"] = "off"
        written["budget"]["cache_schedule"] = "off"
    stored = parse_config(text, "study.yaml").as_yaml_dict()
    assert _holds(stored, written)


def _holds(stored: Any, written: Any) -> bool:
    if isinstance(written, dict):
        return all(_holds(stored[key], value) for key, value in written.items())
    if isinstance(written, list):
        return len(stored) == len(written) and all(map(_holds, stored, written))
    return stored == written


def test_no_key_is_left_out_of_the_example() -> None:
    keys = _keys(yaml.safe_load(EVERY_KEY))
    assert _keys(parse_config(EVERY_KEY, "study.yaml").as_yaml_dict()) == keys


def _keys(document: Any, path: str = "") -> set[str]:
    if isinstance(document, dict):
        inner = [_keys(value, f"{path}.{key}") for key, value in document.items()]
        free = path.endswith(("provider_routing", "families", "args"))
        return set() if free else {path}.union(*inner)
    if isinstance(document, list):
        return {path}.union(*(_keys(value, path) for value in document))
    return {path}


def test_a_grader_without_a_kind_is_a_judge() -> None:
    entry = {"model": "openai/gpt-5"}
    named, unnamed = (
        parsed({"graders": {"j": {**entry, **kind}}, "facets": {"grader": ["j"]}})
        for kind in ({"kind": "judge"}, {})
    )
    assert named == unnamed
    assert named.as_yaml_dict()["graders"]["j"]["kind"] == "judge"


def test_of_a_value_that_may_stand_alone_or_in_a_list_one_problem_is_told() -> None:
    (line,) = problems({"facets": {"scorer": "exactmatch"}})
    assert line.endswith("declared; did you mean 'exact_match'?")
    (line,) = problems({"facets": {"scorer": 3}})
    assert line.startswith("facets.scorer: give 'exact_match', ")


def test_a_grader_is_a_key_of_graders_or_a_model() -> None:
    config = parse_config(EVERY_KEY, "study.yaml")
    assert config.grader("judge_a").model_dump()["max_tokens"] is None
    assert config.grader("openai/gpt-5") == JudgeConfig(model="openai/gpt-5", max_tokens=2048)


@pytest.mark.parametrize(
    ("section", "text", "expected"),
    [
        ("solvers", "cache_prompt: on", "on"),
        ("solvers", "cache_prompt: off", "off"),
        ("solvers", "cache_prompt: auto", "auto"),
        ("budget", "cache_schedule: on", "auto"),
        ("budget", "cache_schedule: off", "off"),
    ],
)
def test_bare_on_and_off(section: str, text: str, expected: str) -> None:
    key = text.partition(":")[0]
    config = parsed({section: yaml.safe_load(text)})
    assert getattr(getattr(config, section), key) == expected


@pytest.mark.parametrize("batch", ["auto", True, False, 1, 500])
def test_batch(batch: object) -> None:
    stored = parsed({"budget": {"batch": batch}}).budget.batch
    assert (stored, type(stored)) == (batch, type(batch))


@pytest.mark.parametrize("key", ["max_usd", "confirm_above_usd"])
@pytest.mark.parametrize("text", [".inf", "-.inf", ".nan", "-5", "1000000.01"])
def test_amounts_of_money_are_sane_as_yaml_spells_them(key: str, text: str) -> None:
    [line] = problems({"budget": {key: yaml.safe_load(text)}})
    assert line.startswith(f"budget.{key}: ")


def test_the_bounds_of_money_are_allowed() -> None:
    budget = parsed({"budget": {"max_usd": 1_000_000, "confirm_above_usd": 0}}).budget
    assert (budget.max_usd, budget.confirm_above_usd) == (1e6, 0.0)


@pytest.mark.parametrize("given", [1, 40, {"openai": 40}, {"openai": 40, "openrouter": 5}])
def test_connections_in_sum_or_per_provider(given: int | dict[str, int]) -> None:
    assert parsed({"solvers": {"max_connections": given}}).solvers.max_connections == given


@pytest.mark.parametrize(
    ("given", "found"),
    [(0, "1; found 0"), ({"openai": 5, "google": 0}, "google: "), ("many", "found 'many'")],
)
def test_connections_that_there_cannot_be(given: object, found: str) -> None:
    lines = problems({"solvers": {"max_connections": given}})
    assert all(line.startswith("solvers.max_connections") for line in lines)
    assert any(found in line for line in lines)


@pytest.mark.parametrize(
    ("extra", "line"),
    [
        (
            {"solvers": {"max_connections": {"openai": -1}}},
            "solvers.max_connections.openai: give a number of at least 1; found -1",
        ),
        (
            {"solvers": {"max_connections": {"openai": "x"}}},
            "solvers.max_connections.openai: give a whole number; found 'x'",
        ),
        (
            {"solvers": {"max_connections": -1}},
            "solvers.max_connections: give a number of at least 1; found -1",
        ),
        (
            {"budget": {"batch": -1}},
            "budget.batch: give a number of at least 1; found -1",
        ),
        (
            {"budget": {"batch": "foo"}},
            "budget.batch: give true or false, a whole number or 'auto'; found 'foo'",
        ),
        (
            {"budget": {"batch": [1]}},
            "budget.batch: give true or false, a whole number or 'auto'; found [1]",
        ),
    ],
)
def test_of_a_field_of_several_kinds_only_what_is_wrong_is_told(
    extra: dict[str, Any], line: str
) -> None:
    assert problems(extra) == [line]


@pytest.mark.parametrize(
    ("extra", "path", "longest"),
    [
        ({"solvers": {"models": ["mockllm/" + "x" * 300]}}, "solvers.models[0]", 200),
        ({"solvers": {"models": ["mockllm/" + "é" * 97]}}, "solvers.models[0]", 200),
        (
            {"graders": {"a": {"model": "m/" + "x" * 300}}},
            "graders.a.model",
            200,
        ),
        ({"graders": {"j" * 201: {"model": "m/a"}}}, f"graders.{'j' * 60}...", 200),
        ({"facets": {"grader": ["m/" + "x" * 300]}}, "facets.grader[0]", 200),
        ({"facets": {"prompt": ["p" * 201]}}, "facets.prompt[0]", 200),
        ({"facets": {"rubric": ["r" * 201]}}, "facets.rubric[0]", 200),
        (
            {"facets": {"model_config": [{"name": "a"}, {"name": "n" * 201}]}},
            "facets.model_config[1].name",
            200,
        ),
        ({"benchmark": {"datasets": [{"id": "d" * 1_001}]}}, "benchmark.datasets[0].id", 1_000),
    ],
)
def test_a_long_name_is_refused_with_its_path(
    extra: dict[str, Any], path: str, longest: int
) -> None:
    [line] = problems(extra)
    assert line.startswith(f"{path}: '") and line.endswith(
        f" bytes; a name may have at most {longest:,}"
    )
    assert len(line) < 200


def test_names_may_have_two_hundred_bytes() -> None:
    longest = "m/" + "x" * 198
    assert parsed({"solvers": {"models": [longest]}}).solvers.models == [longest]


@pytest.mark.parametrize(
    ("extra", "advice"),
    [
        ({"benchmark": {"datasets": ["items.jsonl"]}}, "write {id: items.jsonl}"),
        ({"benchmark": {"datasets": "my items.csv"}}, 'write [{id: "my items.csv"}]'),
        ({"benchmark": {"datasets": {"id": "a.csv", "limit": 3}}}, "write [{id: a.csv, limit: 3}]"),
        ({"facets": {"model_config": {"temperature": 0}}}, "write [{name: NAME, temperature: 0}]"),
        ({"facets": {"model_config": ["cool"]}}, "write {name: cool}"),
        ({"solvers": {"models": "a/b"}}, "write [a/b]"),
        ({"solvers": {"models": {"a": "b"}}}, "found {'a': 'b'}"),
        ({"solvers": {"models": "-a/b -c/d"}}, "missing after the dash: write [a/b, c/d]"),
        ({"solvers": {"models": "[a/b, c/d]"}}, "take the quotes off: write [a/b, c/d]"),
        ({"facets": {"scorer": "-numeric -exact_match"}}, "write [numeric, exact_match]"),
        ({"facets": {"scorer": "[numeric]"}}, "take the quotes off: write [numeric]"),
        ({"benchmark": {"datasets": "-a.csv -b.csv"}}, "dash: write [{id: a.csv}, {id: b.csv}]"),
        ({"benchmark": {"datasets": "[{id: a.csv}]"}}, "take the quotes off: write [{id: a.csv}]"),
        ({"benchmark": {"datasets": {"-id": "a.csv"}}}, "write [{id: a.csv}]"),
        ({"benchmark": {"-id": "a.csv"}}, "missing after the dash: write `- id: ...`"),
    ],
)
def test_one_entry_in_the_place_of_a_list_is_told_as_it_is_written(
    extra: dict[str, Any], advice: str
) -> None:
    assert problems(extra)[0].endswith(advice)


@pytest.mark.parametrize(
    ("extra", "advice"),
    [
        ({"study": 2024}, 'found 2024; put it in quotes: "2024"'),
        ({"study": 1.5}, "found 1.5; put it in quotes"),
        ({"study": date(2024, 1, 31)}, "found 2024-01-31; put it in quotes"),
        ({"study": "My Study!"}, "did you mean 'my_study'?"),
        ({"study": "Größe"}, "found 'Größe'"),
        ({"study": "${NAME}"}, "environment variables are not filled in: write the value itself"),
        ({"solvers": {"models": ["$MODEL"]}}, "are not filled in: write the value itself"),
        ({"solvers": {"models": ["a/${MODEL}"]}}, "none is filled in: write the model itself"),
        ({"benchmark": {"mapping": {"question": "q"}}}, "shuffle_choices, images"),
        ({"facets": {"scorer": "a/b"}}, "it is a judge: name it in facets.grader"),
        ({"facets": {"grader": ["numeric"]}}, "it is a scorer: name it in facets.scorer"),
    ],
)
def test_what_a_value_was_meant_as_is_told(extra: dict[str, Any], advice: str) -> None:
    assert problems(extra)[0].endswith(advice)


def test_curly_quotes_are_told_wherever_they_are() -> None:
    for text in ("study: “my”", "study: ‘my’", "a: [“my”]", "“my”: 1", "a: {b: „my“}"):
        with pytest.raises(ConfigError, match=r'has curly quotes.* write my, or "my" in'):
            parse_config(text, "study.yaml")
    with pytest.raises(ConfigError, match="unknown key"):
        parse_config("a: '“my”'\nb: I say “my”\nc: “a” or “b”", "study.yaml")


@pytest.mark.parametrize("scorer", ["numeric", ["numeric"], ["numeric", "exact_match"]])
def test_one_scorer_or_a_list(scorer: str | list[str]) -> None:
    scorers = parsed({"facets": {"scorer": scorer}}).facets.scorers
    assert scorers == ([scorer] if isinstance(scorer, str) else scorer)


@pytest.mark.parametrize(
    ("extra", "line"),
    [
        ({"budgett": {}}, "budgett: unknown key 'budgett'; did you mean 'budget'?"),
        (
            {"solvers": {"temprature": 1}},
            "solvers.temprature: unknown key 'temprature'; did you mean 'temperature'?",
        ),
        (
            {"facets": {"model_config": [{"name": "a"}, {"name": "b", "maxtokens": 1}]}},
            "facets.model_config[1].maxtokens: unknown key 'maxtokens'; did you mean 'max_tokens'?",
        ),
        (
            {"graders": {"j": {"model": "a/b", "modle": 1}}},
            "graders.j.modle: unknown key 'modle'; did you mean 'model'?",
        ),
        (
            {"graders": {"j": {"model": "a/b", "kind": "jugde"}}},
            "graders.j.kind: unknown kind of grader 'jugde'; known kinds: judge, human; "
            "did you mean 'judge'?",
        ),
        (
            {"graders": {"j": {"model": "a/b", "kind": ["x"]}}},
            "graders.j.kind: unknown kind of grader ['x']; known kinds: judge, human",
        ),
        (
            {"benchmark": {"datasets": [{"id": "a/b", "zzz": 1}]}},
            "benchmark.datasets[0].zzz: unknown key 'zzz'; "
            "known keys: id, revision, split, name, limit, delimiter, encoding",
        ),
        (
            {"solvers": {"api_key": "x"}},
            "solvers.api_key: unknown key 'api_key'; put it into the environment variable that the "
            "provider reads, such as OPENAI_API_KEY, and remove it here",
        ),
        (
            {"facets": {"model_config_facet": []}},
            "facets.model_config_facet: unknown key 'model_config_facet'; "
            "did you mean 'model_config'?",
        ),
    ],
)
def test_an_unknown_key_is_refused_with_its_path_and_the_nearest_known_one(
    extra: dict[str, Any], line: str
) -> None:
    assert problems(extra) == [line]


@pytest.mark.parametrize(
    ("extra", "path", "value"),
    [
        ({"study": "My Study"}, "study", "'My Study'"),
        ({"study": "a" * 65}, "study", "'aaa"),
        ({"study": "../up"}, "study", "'../up'"),
        ({"study": "toy\n"}, "study", "'toy\\n'"),
        ({"output_dir": ""}, "output_dir", "''"),
        ({"cache": "maybe"}, "cache", "'maybe'"),
        ({"crossing": "half"}, "crossing", "'half'"),
        ({"benchmark": {"adapter": "ftp"}}, "benchmark.adapter", "'ftp'"),
        ({"measurement": {"level": 95}}, "measurement.level", "such as 0.95; found 95"),
        ({"measurement": {"level": 1}}, "measurement.level", "such as 0.95; found 1"),
        (
            {"measurement": {"level": 0.99999}},
            "measurement.level",
            "a share from 0.5 to 0.9999, such",
        ),
        ({"measurement": {"margin": 0}}, "measurement.margin", "0"),
        ({"graders": {"j": {"model": "a/b", "scale": [10, 0]}}}, "graders.j.scale", "[10, 0]"),
        (
            {"graders": {"j": {"model": "a/b", "scale": [1, 0]}}},
            "graders.j.scale",
            "the lowest score comes first: write [0, 1]",
        ),
        ({"graders": {"j": {"model": "a/b", "scale": [0]}}}, "graders.j.scale", "[0]"),
        ({"graders": {"j": {"model": "a/b", "scale": "0-10"}}}, "graders.j.scale", "'0-10'"),
        ({"graders": {"j": {"model": "a/b", "scale": [True, 2]}}}, "graders.j.scale", "[True, 2]"),
        *(
            ({"graders": {"j": {"model": "a/b", "repeats": bad}}}, "graders.j.repeats", shown)
            for bad, shown in ((0, "0"), (101, "100"), (1.5, "1.5"), ("x", "'x'"), (True, "true"))
        ),
        *(
            (
                {"graders": {"j": {"model": "a/b", "temperature": bad}}},
                "graders.j.temperature",
                shown,
            )
            for bad, shown in ((-1, "-1"), (2.1, "2.1"), ("hot", "'hot'"), (False, "false"))
        ),
        ({"benchmark": {"datasets": []}}, "benchmark.datasets", "[]"),
        ({"benchmark": {"datasets": [{"id": "a", "limit": 0}]}}, "benchmark.datasets[0].limit", ""),
        ({"benchmark": {"mapping": {"metadata": "t"}}}, "benchmark.mapping.metadata", "'t'"),
        ({"solvers": {"models": []}}, "solvers.models", "[]"),
        ({"solvers": {"models": ["gpt-5"]}}, "solvers.models[0]", "'gpt-5'"),
        ({"solvers": {"models": ["openai/gpt 5"]}}, "solvers.models[0]", "'openai/gpt 5'"),
        ({"solvers": {"temperature": "hot"}}, "solvers.temperature", "'hot'"),
        ({"solvers": {"models": ["mockllm/../../a"]}}, "solvers.models[0]", "no model id"),
        ({"graders": {"j": {"model": "a/../b"}}}, "graders.j.model", "no model id"),
        ({"facets": {"grader": ["a/./b"]}}, "facets.grader[0]", "no model id"),
        ({"solvers": {"seed": 10**30}}, "solvers.seed", "9223372036854775807"),
        ({"solvers": {"max_tokens": 10**40}}, "solvers.max_tokens", "100000000"),
        ({"solvers": {"max_retries": 10**30}}, "solvers.max_retries", "1000"),
        ({"solvers": {"retry_on_error": 10**30}}, "solvers.retry_on_error", "1000"),
        ({"solvers": {"attempt_timeout": 10**30}}, "solvers.attempt_timeout", "604800"),
        ({"solvers": {"max_connections": 10**30}}, "solvers.max_connections", "10000"),
        ({"facets": {"replications": 10**9}}, "facets.replications", "10000"),
        ({"budget": {"dev_replications": 10**9}}, "budget.dev_replications", "10000"),
        ({"solvers": {"temperature": True}}, "solvers.temperature", "a number; YAML reads this"),
        ({"solvers": {"max_tokens": True}}, "solvers.max_tokens", "a number; YAML reads this"),
        ({"solvers": {"max_connections": True}}, "solvers.max_connections", "found True"),
        ({"facets": {"replications": True}}, "facets.replications", "a number; YAML reads this"),
        ({"solvers": {"temperature": 2.1}}, "solvers.temperature", "2.1"),
        ({"solvers": {"top_p": 0}}, "solvers.top_p", "0"),
        ({"solvers": {"max_tokens": 1.5}}, "solvers.max_tokens", "1.5"),
        ({"solvers": {"on_empty": "never"}}, "solvers.on_empty", "'never'"),
        ({"solvers": {"max_retries": -1}}, "solvers.max_retries", "-1"),
        ({"solvers": {"attempt_timeout": 0}}, "solvers.attempt_timeout", "0"),
        ({"facets": {"prompt": ["../secret"]}}, "facets.prompt[0]", "'../secret'"),
        ({"facets": {"prompt": ["schön"]}}, "facets.prompt[0]", "'schön'"),
        ({"facets": {"rubric": []}}, "facets.rubric", "[]"),
        ({"facets": {"scorer": "numbers"}}, "facets.scorer", "'numbers'"),
        ({"facets": {"replications": 0}}, "facets.replications", "0"),
        ({"facets": {"model_config": [{"name": "a b"}]}}, "facets.model_config[0].name", "'a b'"),
        ({"graders": {"j": {"model": "x"}}}, "graders.j.model", "'x'"),
        ({"graders": ["j"]}, "graders", "['j']"),
        ({"budget": {"policy": "all"}}, "budget.policy", "'all'"),
        ({"budget": {"batch": "some"}}, "budget.batch", "'some'"),
        ({"budget": {"max_usd": float("nan")}}, "budget.max_usd", "nan"),
        ({"budget": {"max_usd": float("inf")}}, "budget.max_usd", "inf"),
        ({"budget": {"max_usd": -1}}, "budget.max_usd", "-1"),
        ({"budget": {"max_usd": 0}}, "budget.max_usd", "0"),
        ({"budget": {"max_usd": 1_000_001}}, "budget.max_usd", "1000001"),
        ({"budget": {"confirm_above_usd": float("nan")}}, "budget.confirm_above_usd", "nan"),
        ({"budget": {"confirm_above_usd": float("inf")}}, "budget.confirm_above_usd", "inf"),
        ({"budget": {"confirm_above_usd": -0.01}}, "budget.confirm_above_usd", "-0.01"),
        ({"budget": {"confirm_above_usd": 1e7}}, "budget.confirm_above_usd", "10000000.0"),
        ({"budget": None}, "budget", "nothing"),
    ],
)
def test_a_wrong_value_is_refused_with_its_path_and_value(
    extra: dict[str, Any], path: str, value: str
) -> None:
    lines = problems(extra)
    assert all(line.startswith(f"{path}: ") and value in line for line in lines)
    assert lines


@pytest.mark.parametrize("key", ["study", "benchmark", "solvers", "facets"])
def test_required_sections(key: str) -> None:
    document = {name: value for name, value in MINIMAL.items() if name != key}
    with pytest.raises(ConfigError, match=f"{key}: this key is required"):
        parse_config(yaml.safe_dump(document), "study.yaml")


@pytest.mark.parametrize(
    ("extra", "line"),
    [
        ({"facets": {"scorer": None}}, "facets: name at least one grader (a judge) or one scorer"),
        (
            {"facets": {"grader": ["judge_b"]}, "graders": {"judge_a": {"model": "a/b"}}},
            "facets.grader: 'judge_b' is neither a key of `graders` nor a model, "
            "<provider>/<model>; did you mean 'judge_a'?",
        ),
        (
            {"facets": {"grader": ["judge_b"]}},
            "facets.grader: 'judge_b' is neither a key of `graders` nor a model, "
            "<provider>/<model>; there are: none",
        ),
        (
            {"solvers": {"models": ["a/b", "a/b"]}},
            "solvers.models: 'a/b' is listed twice; each entry must be unique",
        ),
        (
            {"solvers": {"sample": {"roster": "r", "n": 3, "include": ["a/b", "a/b"]}}},
            "solvers.sample.include: 'a/b' is listed twice; each entry must be unique",
        ),
        (
            {"solvers": {"sample": {"roster": "r", "n": 1, "include": ["a/b", "a/c"]}}},
            "solvers.sample.include: 2 models are always in, and `n` is 1; raise `n`",
        ),
        (
            {
                "solvers": {
                    "sample": {"roster": "r", "n": 1, "include": ["a/b"], "exclude": ["a/b"]}
                }
            },
            "solvers.sample.include: 'a/b' is in `exclude`, too; remove one of the two",
        ),
        (
            {"facets": {"scorer": ["numeric", "numeric"]}},
            "facets.scorer: 'numeric' is listed twice; each entry must be unique",
        ),
        (
            {"facets": {"model_config": [{"name": "x"}, {"name": "x", "seed": None}]}},
            "facets.model_config[1].seed: unknown key 'seed'; it belongs to benchmark.sample or "
            "solvers or solvers.sample",
        ),
        (
            {"benchmark": {"datasets": [{"id": "a/b"}, {"id": "a/b"}]}},
            "benchmark.datasets: 'a/b (default, train)' is listed twice; each entry must be unique",
        ),
        (
            {"benchmark": {"datasets": [{"id": "a", "revision": r, "split": r} for r in "xy"]}},
            "benchmark.datasets: 'a' is listed with several revisions; give all its entries the "
            "same one",
        ),
        (
            {"benchmark": {"mapping": {"id": "{}"}}},
            "benchmark.mapping.id: '{}' has a brace but no {column} in it",
        ),
        (
            {
                "benchmark": {"mapping": {"metadata": ["topic"]}},
                "measurement": {"cluster": "topc"},
            },
            "measurement.cluster: 'topc' is no column of benchmark.mapping.metadata; did you mean "
            "'topic'?",
        ),
        (
            {"measurement": {"cluster": "x"}},
            "measurement.cluster: 'x' is no column of benchmark.mapping.metadata; there are: "
            "item_id, dataset_id",
        ),
        (
            {"measurement": {"margin": 5}, "graders": {"j": {"model": "a/b", "scale": [0, 1]}}}
            | {"facets": {"grader": ["j"], "rubric": ["r"], "scorer": "exact_match"}},
            "measurement.margin: 5 is as wide as the widest scale of the graders, 0 to 1, or "
            "wider; give it in units of the score: 0.05 is 5 points",
        ),
        (
            {"measurement": {"margin": 2}, "scorers": {"w": {"type": "contains", "text": "x"}}}
            | {"facets": {"scorer": ["w"]}},
            "measurement.margin: 2 is as wide as the widest scale of the graders, 0 to 1, or "
            "wider; give it in units of the score: 0.05 is 5 points",
        ),
        (
            {"measurement": {"families": {"openai/gpt-5-min": "gpt"}}},
            "measurement.families: 'openai/gpt-5-min' is no model of this study; did you mean "
            "'openai/gpt-5-mini'?",
        ),
        (
            {"benchmark": {"mapping": {"id": []}}},
            "benchmark.mapping.id: the list is empty; name at least one column",
        ),
        (
            {"benchmark": {"mapping": {"chat": True}}, "solvers": {"split_prompt": True}},
            "solvers.split_prompt: the items are chats (benchmark.mapping.chat), which have turns "
            "of their own; remove it",
        ),
        (
            {"benchmark": {"mapping": {"images": "i", "metadata": ["images"]}}},
            "benchmark.mapping.metadata: 'images' is what the names of the images are kept as; "
            "remove it from the list",
        ),
        (
            {"benchmark": {"mapping": {"shuffle_choices": 1}}},
            "benchmark.mapping.shuffle_choices: is about choices; name their column in "
            "benchmark.mapping.choices, or remove it",
        ),
        (
            {"benchmark": {"mapping": {"target_is": "text"}}},
            "benchmark.mapping.target_is: is about choices; name their column in "
            "benchmark.mapping.choices, or remove it",
        ),
        (
            {"benchmark": {"mapping": {"choices": "c", "target": "t"}}},
            "benchmark.mapping.target_is: missing; say what the column 't' holds: letter, index, "
            "number, text, label",
        ),
        (
            {"benchmark": {"mapping": {"choices": "c", "target_is": "text"}}},
            "benchmark.mapping.target_is: there is no benchmark.mapping.target",
        ),
        (
            {"benchmark": {"mapping": {"choices": ["c"]}}},
            "benchmark.mapping.choices: a list names a column for each choice, two at least and "
            "none twice; for one column that holds them all write its name alone",
        ),
        (
            {"benchmark": {"mapping": {"choices": ["c", "d", "c"]}}},
            "benchmark.mapping.choices: a list names a column for each choice, two at least and "
            "none twice; for one column that holds them all write its name alone",
        ),
        (
            {"benchmark": {"mapping": {"choices": "c", "metadata": ["choices"]}}},
            "benchmark.mapping.metadata: 'choices' is what the choices are kept as, in the order "
            "that they are shown in; remove it from the list",
        ),
    ],
)
def test_rules_across_fields(extra: dict[str, Any], line: str) -> None:
    assert line in problems(extra)


def test_all_problems_are_told_at_once() -> None:
    lines = problems(
        {
            "budgett": 1,
            "study": "A",
            "solvers": {"temperature": 9, "modls": []},
            "facets": {"replications": 0, "prompt": ["/etc/x"]},
        }
    )
    assert [line.split(":")[0] for line in lines] == [
        "study",
        "solvers.temperature",
        "solvers.modls",
        "facets.prompt[0]",
        "facets.replications",
        "budgett",
    ]


def test_problems_across_fields_are_told_at_once_and_beside_unknown_keys() -> None:
    lines = problems(
        {
            "budgett": 1,
            "solvers": {"models": ["a/b", "a/b"], "modls": 1},
            "facets": {"grader": ["nobody"]},
        }
    )
    assert [line.split(": ")[0] for line in lines] == [
        "solvers.modls",
        "budgett",
        "solvers.models",
        "facets.grader",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("study: a\nfacets: {}\nstudy: b\n", "line 3, column 1: the key 'study' is given twice"),
        ("solvers: {seed: 1, seed: 2}\n", "line 1, column 20: the key 'seed' is given twice"),
        ("study: {{name}}\n", "line 1, column 9: a key must be plain text"),
        ("? [a, b]\n: 1\n", "line 1, column 3: a key must be plain text"),
        ("study: [\n", "line 2, column 1: "),
        ("study:\n\t- a\n", "line 2, column 1: "),
        ("study: &a [*a]\n", "line 1, column 8: "),
        ("study: &a {<<: *a}\n", "line 1, column 8: a value contains itself, through its alias"),
        ("a: &a {b: &b {<<: *a}, <<: *b}\n", "line 1, column 4: a value contains itself"),
        ("study: a\x00\n", "not valid YAML"),
        ("", "expected a mapping that starts with `study: <name>`"),
        ("- a\n", "expected a mapping that starts with `study: <name>`"),
        ("just text", "expected a mapping that starts with `study: <name>`"),
        ("study: toy\non: 1\n", "YAML does not read the key true as text; put quotes around it"),
        ("study: toy\n7: 1\n", "YAML does not read the key 7 as text; put quotes around it"),
    ],
)
def test_what_is_no_config_at_all(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "study.yaml")
    assert str(caught.value).startswith("study.yaml: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("written", "line"),
    [
        (
            "true: {model: a/b}",
            "graders: YAML does not read the key true as text; put quotes around it",
        ),
        (
            "on: {model: a/b}",
            "graders: YAML does not read the key true as text; put quotes around it",
        ),
        ("1: {model: a/b}", "graders: YAML does not read the key 1 as text; put quotes around it"),
        (
            "~: {model: a/b}",
            "graders: YAML does not read the key null as text; put quotes around it",
        ),
        (
            "2026-01-31: {model: a/b}",
            "graders: YAML does not read the key 2026-01-31 as text; put quotes",
        ),
        ("true: {modell: a/b}", "graders.true.modell: unknown key 'modell'; did you mean 'model'?"),
    ],
)
def test_a_key_that_is_no_text_is_named_in_its_place(written: str, line: str) -> None:
    text = yaml.safe_dump(MINIMAL) + f"graders:\n  {written}\n"
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "study.yaml")
    assert f"  {line}" in str(caught.value)
    assert "[key]" not in str(caught.value) and "[1]" not in str(caught.value)


def test_a_key_in_a_section_that_is_no_text_is_named_in_its_place() -> None:
    text = yaml.safe_dump({**MINIMAL, "solvers": None}).replace("solvers: null", "solvers: {on: 1}")
    with pytest.raises(ConfigError, match=r"  solvers: YAML does not read the key true as text"):
        parse_config(text, "study.yaml")


def test_a_grader_may_have_any_name() -> None:
    """What is a key of `graders:` is no model id, and names no folder."""
    graders = {"../x": {"model": "openai/gpt-5"}}
    config = {**MINIMAL, "graders": graders, "facets": {"grader": ["../x"]}}
    assert parse_config(yaml.safe_dump(config), "study.yaml").facets.grader == ["../x"]
    with pytest.raises(ConfigError, match=r"facets.grader\[0\]: '../x' is no model id"):
        parse_config(yaml.safe_dump({**config, "graders": {}}), "study.yaml")


def test_merge_keys_of_yaml_are_no_repetition() -> None:
    text = yaml.safe_dump({**MINIMAL, "facets": {"grader": ["a", "b"]}})
    text += "graders:\n  a: &a {model: x/y, max_tokens: 5}\n  b: {<<: *a, max_tokens: 6}\n"
    graders = parse_config(text, "study.yaml").graders
    assert graders["b"] == JudgeConfig(model="x/y", max_tokens=6)


@pytest.mark.parametrize(
    ("extra", "line"),
    [
        ({"solvers": {"temperature": "0,7"}}, "solvers.temperature: YAML wants 0.7 for 0,7"),
        ({"solvers": {"top_p": ",5"}}, "solvers.top_p: YAML wants 0.5 for ,5"),
        ({"budget": {"max_usd": "1,50"}}, "budget.max_usd: YAML wants 1.50 for 1,50"),
        ({"budget": {"max_usd": "1,000"}}, "budget.max_usd: YAML wants 1.000 for 1,000, or 1000"),
        ({"budget": {"max_usd": "1,000,000"}}, "budget.max_usd: YAML wants 1000000 for 1,000,000"),
        ({"solvers": {"max_tokens": "1.000.000"}}, "solvers.max_tokens: YAML wants 1000000 for 1."),
        ({"solvers": {"max_tokens": "4 096"}}, "solvers.max_tokens: YAML wants 4096 for 4 096"),
        ({"budget": {"max_usd": "1e-3"}}, "budget.max_usd: YAML reads 1e-3 as text: write 0.001"),
        ({"budget": {"max_usd": "1e3"}}, "budget.max_usd: YAML reads 1e3 as text: write 1000"),
        ({"solvers": {"max_tokens": "2e3"}}, "solvers.max_tokens: YAML reads 2e3 as text: write"),
        ({"solvers": {"top_p": "95%"}}, "solvers.top_p: YAML knows no percent sign: write 0.95"),
        ({"solvers": {"max_connections": {"openai": "1,5"}}}, "solvers.max_connections"),
        ({"budget": {"max_usd": "$5"}}, "budget.max_usd: give the number alone: write 5 for $5"),
    ],
)
def test_a_number_that_is_none_to_yaml_is_told_as_it_is_written(
    extra: dict[str, Any], line: str
) -> None:
    found = problems(extra)
    assert found[0].startswith(line)
    assert not any("quotes" in one for one in found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: {temperature: 0,7}", "line 1, column 18: temperature: YAML wants 0.7 for 0,7"),
        ("a: {max_usd: 1,50, b: 1}", "line 1, column 14: max_usd: YAML wants 1.50 for 1,50"),
        ("a: {max_usd: 1, 09}", "max_usd: YAML wants 1.09 for 1,09"),
        ("a: {max_usd: 1,000,000}", "max_usd: YAML wants 1000000 for 1,000,000"),
        ("a: {max_usd: -1,5,33}", "max_usd: a comma ends a number in -1,5,33"),
        ("max_tokens: 0512", "line 1, column 13: YAML reads 0512 as octal: write 512, or put"),
        ("a: [1, 010]", "line 1, column 8: YAML reads 010 as octal: write 10, or put quotes"),
        ("attempt_timeout: 10:00", "line 1, column 18: YAML reads 10:00 in base 60: write a plain"),
        (
            "seed: " + "9" * 5_000,
            "line 1, column 7: a number has 5,000 characters; it may have at most",
        ),
        ("seed: 0x" + "f" * 5_000, "line 1, column 7: a number has 5,002 characters; it may"),
        ("attempt_timeout: 1:30.5", "line 1, column 18: YAML reads 1:30.5 in base 60"),
    ],
)
def test_a_number_that_yaml_would_misread_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "study.yaml")
    assert message in str(caught.value)


def test_numbers_of_yaml_are_left_alone() -> None:
    text = (
        "[0, 00, 7, -7, 1_000, 0x1F, 0b11, 0.7, .5, 1.0e-3, -.inf, 1:05a, '010', {a: 1, b: , c: 2}]"
    )
    assert load_yaml(text, StrictLoader) == yaml.safe_load(text)


@pytest.mark.parametrize("value", ["", ";;", "\\t", '"', "\n"])
def test_a_delimiter_is_one_character(value: str) -> None:
    dataset = {"id": "x.csv", "delimiter": value}
    [line] = problems({"benchmark": {"adapter": "local", "datasets": [dataset]}})
    assert line.startswith("benchmark.datasets[0].delimiter: give the one character that separates")
    assert '"\\t", in double quotes' in line


@pytest.mark.parametrize("value", ["utf-42", "", "base64", "Ü"])
def test_an_encoding_is_one_that_python_knows(value: str) -> None:
    dataset = {"id": "x.csv", "encoding": value}
    [line] = problems({"benchmark": {"adapter": "local", "datasets": [dataset]}})
    assert line.startswith(
        f"benchmark.datasets[0].encoding: Python does not know the text encoding {value!r}"
    )


def test_keys_for_csv_are_refused_where_the_data_is_none() -> None:
    keys = {"delimiter": ";", "encoding": "latin-1"}
    sets = [{"id": "x.CSV", **keys}, {"id": "x.jsonl", **keys}]
    assert problems({"benchmark": {"adapter": "local", "datasets": sets}}) == [
        f"benchmark.datasets[1].{key}: for CSV only, and 'x.jsonl' is not a CSV file: remove it"
        for key in keys
    ]


def test_the_name_of_a_sheet_is_refused_where_the_data_is_no_workbook() -> None:
    sets = [{"id": id, "name": "Sheet2"} for id in ("x.XLSX", "x.jsonl", "x.csv", "data/")]
    assert problems({"benchmark": {"adapter": "local", "datasets": sets}}) == [
        f"benchmark.datasets[{place}].name: the sheet of an Excel workbook (.xlsx), and {id!r} is "
        "none: remove it"
        for place, id in ((1, "x.jsonl"), (2, "x.csv"), (3, "data/"))
    ]
    on_the_hub = [{"id": "org/data", "name": "main"}]
    assert parsed({"benchmark": {"adapter": "hf", "datasets": on_the_hub}})


@pytest.mark.parametrize(
    "slip", ["gs://bucket", "s3:/bucket/x", "s3//bucket/x", "s3:bucket", "S3:bucket", "file:/x"]
)
def test_what_means_a_bucket_is_no_folder(slip: str) -> None:
    assert problems({"output_dir": slip}) == [
        "output_dir: give a folder, or a bucket as s3://bucket/prefix"
    ]


@pytest.mark.parametrize("folder", ["studies", "s3/studies", "C:/studies", "of: 2026"])
def test_other_names_are_folders(folder: str) -> None:
    assert parsed({"output_dir": folder}).output_dir == folder


@pytest.mark.parametrize(
    "cron", ["hourly", "* * * *", "60m * * * *", "* * * * * ; rm", "99 * * * *", "0 0 31 2 *"]
)
def test_a_schedule_is_five_fields_of_cron(cron: str) -> None:
    with pytest.raises(ConfigError, match=r"automation\.cron") as caught:
        parse_config(EVERY_KEY.replace("*/5 8-18 * * 1-5", cron), "study.yaml")
    assert "out of range" not in str(caught.value)


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("Berlin", "did you mean 'Europe/Berlin'?"),
        ("europe/berln", "did you mean 'Europe/Berlin'?"),
        ("US/New York", "did you mean 'America/New_York'?"),
        ("utc", "did you mean 'UTC'?"),
        # What its name says is not what it is: Etc/GMT+2 is behind UTC.
        ("GMT+2", "write one such as Europe/Berlin or UTC"),
        ("CEST", "write one such as Europe/Berlin or UTC"),
        ("", "write one such as Europe/Berlin or UTC"),
        ("../UTC", "did you mean"),
    ],
)
def test_a_time_zone_is_one_of_the_iana(zone: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(EVERY_KEY.replace("Europe/Berlin", f'"{zone}"'), "study.yaml")
    assert f"  automation.timezone: there is no time zone {zone!r}; {said}" in str(caught.value)


@pytest.mark.parametrize("key", ["output_dir", "prompts_dir", "rubrics_dir"])
def test_the_character_nul_is_refused_with_its_line(key: str) -> None:
    with pytest.raises(ConfigError, match=r"study\.yaml: not valid YAML: line 1, column .*NUL"):
        parse_config(f'{key}: "a\\0b"\n', "study.yaml")


@pytest.mark.parametrize("text", ['scorers: {x: {pattern: "%s"}}\n', '"%s": 1\n'])
def test_half_a_character_is_refused_with_its_line(text: str) -> None:
    for half in ("\\ud83d", "a\\ude00", "\\ude00\\ud83d"):
        with pytest.raises(ConfigError, match=r"not valid YAML: line 1, column .*surrogate pair"):
            parse_config(text % half, "study.yaml")


def test_a_character_in_two_escapes_is_one_as_in_json() -> None:
    text = yaml.safe_dump(merged(MINIMAL, {"prompts_dir": "PLACE"}))
    found = parse_config(text.replace("PLACE", '"\\ud83d\\ude00"'), "study.yaml")
    assert found.prompts_dir == "\U0001f600"


def test_words_that_yaml_reads_as_true_or_false_are_told_to_be_put_in_quotes() -> None:
    text = yaml.safe_dump(merged(MINIMAL, {"benchmark": {"mapping": {"grading_scheme": "s"}}}))
    for place, word, said in (
        ("target", "no", "benchmark.mapping.target: give a text; found False; YAML reads no and "
         "off as false: write 'no' or 'off' in quotes"),
        ("metadata", "[on]", "YAML reads yes and on as true: write 'yes' or 'on' in quotes"),
        ("id", "off", "YAML reads no and off as false"),
    ):  # fmt: skip
        with pytest.raises(ConfigError) as refused:
            parse_config(text.replace("  mapping:\n", f"  mapping:\n    {place}: {word}\n"), "s")
        assert said in str(refused.value)
