"""The manifest: all that was run, and no secret."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.config.snapshot import Snapshot
from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.design.conditions.expansion import expand_design
from itemeval_assets.core.design.study import Study, run_plan
from itemeval_assets.core.money.projection.estimate import Projection
from itemeval_assets.core.prompts.templates import make_template
from itemeval_assets.core.records.manifest import build_manifest, items_hash
from itemeval_assets.core.text.secrets import redacted
from tests.rows import item
from tests.studies import study_yaml

ESTIMATE = Projection(4, 1, 100, 200, 0.5, None, None, None, ("a/b",), ("a/b",))
SECRET = "hunter2-correct-horse-battery"
SECRET_KEYS = [
    "api_key",
    "apiKey",
    "API-KEY",
    "x-api-key",
    "OPENAI_API_KEY",
    "secret",
    "client_secret",
    "password",
    "passwd",
    "db_password",
    "passphrase",
    "Authorization",
    "credentials",
    "token",
    "hf_token",
    "access_token",
    "auth-token",
    "private_key",
    "Cookie",
    "aws_secret_access_key",
    "access_key_id",
]


def study(**extra: Any) -> Study:
    config = StudyConfig.model_validate(study_yaml(extra=extra, replications=3, policy="dev"))
    design = expand_design(
        config,
        {"short": make_template("short", "/p/short.md", "{input}")},
        {"strict": make_template("strict", "/p/strict.md", "{input}{solution}")},
    )
    return Study(config, design, Snapshot("/p/study.yaml", "/p/studies/toy", "study: toy"))


def manifest(of: Study, items: list[Any] | None = None) -> dict[str, Any]:
    found = build_manifest(
        of,
        run_id="run1",
        stage="grade",
        created_at="2026-01-01T00:00:00Z",
        versions={"itemeval_version": "x", "python_version": "3", "packages": {"pandas": "2"}},
        items=[item()] if items is None else items,
        plan=run_plan(of.config),
        partitions=of.grade_partitions(),
        estimate=ESTIMATE,
        prices={"a/b": None},
    )
    return json.loads(json.dumps(found))


def test_everything_that_was_run_is_named() -> None:
    of = study()
    found = manifest(of)
    assert (found["run_id"], found["stage"], found["study"]) == ("run1", "grade", "toy")
    assert found["created_at"] == "2026-01-01T00:00:00Z"
    assert (found["itemeval_version"], found["python_version"]) == ("x", "3")
    assert found["packages"] == {"pandas": "2"}
    assert (found["config_path"], found["config_sha256"]) == (
        "/p/study.yaml",
        hashlib.sha256(b"study: toy").hexdigest(),
    )
    assert found["config"] == of.config.as_yaml_dict()
    assert (found["policy"], found["items_limit"], found["batch"]) == ("dev", 2, None)
    assert (found["replications_requested"], found["replications_effective"]) == (3, 3)
    assert found["models"] == ["mockllm/a"]
    assert found["graders"]["mockllm/judge"]["max_tokens"] == 2048
    assert found["sampling_requested"] == {of.design.generate[0].id: {}}
    assert found["sampling_effective"] is None
    estimate = {**found["estimate"], "unpriced": ("a/b",), "uncapped": ("a/b",)}
    assert estimate == ESTIMATE._asdict()
    assert found["prices"] == {"a/b": None}


def test_the_grid_and_the_selected_conditions() -> None:
    of = study()
    found = manifest(of)
    generate, grade = of.design.generate, of.design.grade
    assert [entry["id"] for entry in found["grid_generate"]] == [c.id for c in generate]
    assert [entry["payload"] for entry in found["grid_grade"]] == [c.payload for c in grade]
    assert [entry["slug"] for entry in found["grid_grade"]] == [c.slug for c in grade]
    assert found["conditions_run"] == [generate[0].id, *(c.id for c in grade)]


def test_templates_by_content() -> None:
    found = manifest(study())
    prompt = make_template("short", "/p/short.md", "{input}")
    assert found["solver_templates"] == [
        {"name": "short", "source": "local", "path": "/p/short.md", "sha256": prompt.sha256}
    ]
    assert [template["name"] for template in found["rubric_templates"]] == ["strict"]


def test_datasets() -> None:
    items = [item("q1"), item("q2"), item("q3", dataset_id="other")]
    [entry] = manifest(study(), items)["datasets"]
    assert entry == {
        "id": "items.jsonl",
        "adapter": "local",
        "split": "train",
        "name": None,
        "revision_requested": None,
        "revision_resolved": "r0",
        "n_items": 2,
        "items_hash": items_hash(items[:2]),
    }
    [entry] = manifest(study(), [])["datasets"]
    assert (entry["n_items"], entry["revision_resolved"]) == (0, None)


def test_the_items_hash_changes_with_all_that_a_model_may_see() -> None:
    base = [item("q1"), item("q2")]
    changed = [
        [{**base[0], name: "changed"}, base[1]]
        for name in ("item_id", "input", "target", "grading_scheme", "metadata_json")
    ]
    hashes = [items_hash(items) for items in (base, base[::-1], base[:1], *changed)]
    assert len(set(hashes)) == len(hashes)
    assert items_hash([{**row, "created_at": "later"} for row in base]) == items_hash(base)


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_no_secret_in_the_free_parts_of_the_config_enters(key: str) -> None:
    routing = {"order": ["x"], "headers": [{key: SECRET}], key: {"deep": [SECRET]}}
    found = manifest(
        study(
            solvers={"provider_routing": routing},
            facets={"grader": ["j"]},
            graders={"j": {"model": "a/b", "provider_routing": {"extra": routing}}},
        )
    )
    assert SECRET not in json.dumps(found)
    assert found["config"]["solvers"]["provider_routing"]["order"] == ["x"]
    assert found["graders"]["j"]["model"] == "a/b"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"https://me:{SECRET}@host/path", "https://(redacted)@host/path"),
        (f"https://host/path?api_key={SECRET}&x=1", "https://host/path?api_key=(redacted)&x=1"),
        (f"https://host/?sig=1&token={SECRET}", "https://host/?sig=1&token=(redacted)"),
        (f"Bearer {SECRET}", "(redacted)"),
        ("sk-proj-0123456789abcdefABCDEF", "(redacted)"),
        ("hf_" + "aB3" * 12, "(redacted)"),
        ("AKIAABCDEFGHIJKLMNOP", "(redacted)"),
    ],
)
def test_values_that_look_like_a_secret(text: str, kept: str) -> None:
    assert redacted({"note": [text]}) == {"note": [kept]}


@pytest.mark.parametrize(
    "value",
    [
        {"max_tokens": 5, "reasoning_tokens": 7, "input_tokens": None},
        {"id": "org/name", "models": ["openai/gpt-5", "sk/short"], "url": "https://host/a@b"},
        {"text": "Bear with me: key points, tokens", "n": 1.5, "ok": True, "none": None},
    ],
)
def test_the_rest_is_kept(value: dict[str, Any]) -> None:
    assert redacted(value) == value


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.just(SECRET),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["a", "b", *SECRET_KEYS]), inner, max_size=3)
        ),
        max_leaves=10,
    )
)
def test_nothing_below_a_secret_key_is_left(value: Any) -> None:
    def below(value: Any, hidden: bool) -> bool:
        if isinstance(value, dict):
            return all(below(v, hidden or k in SECRET_KEYS) for k, v in value.items())
        if isinstance(value, list):
            return all(below(inner, hidden) for inner in value)
        return not (hidden and value == SECRET)

    assert below(redacted(value), False)
    assert redacted(redacted(value)) == redacted(value)
