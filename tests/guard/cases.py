"""The cases: command lines, documents, launches and variables, each with an effect that is seen.

A case is data, so that what it exercises is worked out from what it is run with (`points`). One
case takes as much as goes together: a run costs seconds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["COMMANDS", "DOCUMENTS", "LAUNCHES", "Command", "Document", "Launch"]

Seen = Callable[[Any], Any]


@dataclass(frozen=True)
class Command:
    """One command line; `{config}`, `{folder}` and `{port}`, which is busy, are filled in.

    `shows` is true of its JSON, or of its words where it prints none.
    """

    line: str
    shows: Seen
    exit_code: int = 0


@dataclass(frozen=True)
class Document:
    """A study's YAML, run once; its keys are in the manifest, and `shows` is true of the summary.

    `message`: what a run of it says instead, with exit code 2.
    """

    keys: Mapping[str, Any]
    shows: Seen = field(default=lambda summary: True)
    message: str | None = None


@dataclass(frozen=True)
class Launch:
    """One Dagster run of a study's assets, with a config of its first step, and run tags."""

    step: str
    config: Mapping[str, Any]
    shows: Seen
    tags: Mapping[str, str] = field(default_factory=dict)
    succeeds: bool = True


def _done(summary: Mapping[str, Any]) -> list[int]:
    return [part["done"] for part in (*summary["status"]["generate"], *summary["status"]["grade"])]


def _new(seen: Mapping[str, Any]) -> int:
    return seen["rows of this run"]


def _calls(summary: Mapping[str, Any]) -> int:
    return summary["calls"]


# Of a study of models a and b, a scorer and a judge, three items of which dev takes two; without a
# response cache. One after the other: each sees what those before have left.
COMMANDS: Sequence[Command] = [
    Command("init {folder}/new", lambda words: "itemeval-assets run" in words),
    Command("init {folder}/another --json", lambda found: len(found) == 9),
    Command("status {config} --policy=dev --json", lambda found: found["policy"] == "dev"),
    Command(
        "status {config} --policy=full-batch --json",
        lambda found: [part["cells"] for part in found["generate"]] == [3, 3],
    ),
    Command(
        "seal {config} --json",
        lambda found: "seal: there is nothing to seal" in found["message"],
        exit_code=2,
    ),
    Command("status {config} --policy=full-interactive", lambda words: "full-interactive" in words),
    Command(
        "estimate {config} --policy=full-interactive --only=solutions --condition=mockllm/a --json",
        lambda found: (found["policy"], found["remaining"]["calls"]) == ("full-interactive", 3),
    ),
    Command(
        "estimate {config} --policy=dev --grader=mockllm/judge --rubric=strict --force --json",
        lambda found: (found["policy"], found["remaining"]["calls"]) == ("dev", 8),
    ),
    Command(
        "estimate {config} --policy=full-batch --only=gradings --json",
        lambda found: (found["policy"], found["remaining"]["calls"]) == ("full-batch", 0),
    ),
    Command(
        "preflight {config} --yes --json",
        lambda found: [health["verdict"] for health in found] == ["ok"] * 3,
    ),
    Command(
        "preflight {config} --max-usd=0 --json",
        lambda found: (found["error"], found["allowed_usd"]) == ("ConsentMissing", 0.0),
        exit_code=3,
    ),
    Command(
        "run {config} --policy=dev --only=solutions --condition=mockllm/a --yes --json",
        lambda found: (_calls(found), _done(found)[:2]) == (2, [2, 0]),
    ),
    Command(
        "run {config} --only=gradings --condition=mockllm/a --grader=mockllm/judge "
        "--rubric=strict --max-usd=1 --json",
        lambda found: (_calls(found), _done(found)) == (2, [2, 0, 0, 2, 0, 0]),
    ),
    Command(
        "cells {config} --policy=dev --condition=mockllm/a --grader=mockllm/judge --rubric=strict "
        "--state=done --state=unparsed --state=blank --state=stale --state=errored "
        "--state=missing --state=not_planned --json",
        lambda found: (
            (found["cells"], len(found["rows"]), found["states"]["not_planned"]) == (3, 3, 1)
        ),
    ),
    Command(
        "cells {config} --policy=full-interactive --json",
        lambda found: (found["cells"], found["states"]["missing"]) == (12, 10),
    ),
    Command("cells {config} --policy=full-batch", lambda words: "full-batch: 12 cells" in words),
    Command(
        "run {config} --policy=full-batch --max-usd=0 --json",
        lambda found: (found["error"], found["calls"]) == ("ConsentMissing", 8),
        exit_code=3,
    ),
    Command(
        "run {config} --policy=full-interactive --json",
        lambda found: (_calls(found), _done(found)) == (8, [3] * 6),
    ),
    Command(
        "redraw {config} --dry-run --json",
        lambda found: "the YAML names its models" in found["message"],
        exit_code=2,
    ),
    Command("run {config} --policy=full-batch --errored --json", lambda found: _calls(found) == 0),
    Command(
        "estimate {config} --accept-changes --json",
        lambda found: (found["changed"], found["remaining"]["calls"]) == ([], 0),
    ),
    Command("run {config} --accept-changes --json", lambda found: _calls(found) == 0),
    Command(
        "run {config} --policy=dev --force --workers=2 --json",
        lambda found: (_calls(found), _done(found)) == (8, [2] * 6),
    ),
    *(
        Command(
            f"{command} {{config}} --policy={policy} --json",
            lambda found, policy=policy: found["policy"] == policy,
        )
        for command in ("scores", "compare", "reliability", "agreement", "items")
        for policy in ("dev", "full-interactive", "full-batch")
    ),
    Command(
        "scores {config} --by=dataset_id --condition=mockllm/a --grader=mockllm/judge "
        "--rubric=strict --out={folder}/scores.csv --json",
        lambda found: [row["group"] for row in found["rows"]] == ["items.jsonl"],
    ),
    Command(
        "scores {config} --pass-at=1 --passes=0.5 --grader=mockllm/judge --json",
        lambda found: found["figure"] == "pass@1, from a score of 0.5",
    ),
    Command(
        "scores {config} --majority-at=1 --grader=mockllm/judge --json",
        lambda found: found["figure"] == "majority@1",
    ),
    Command(
        "scores {config} --panel --json",
        lambda found: found["message"].startswith("a panel needs two judges"),
        exit_code=2,
    ),
    Command(
        "compare {config} mockllm/a mockllm/b --by=dataset_id --grader=mockllm/judge "
        "--rubric=strict --out={folder}/compared.html --json",
        lambda found: (found["facet"], len(found["by_grader"])) == ("model", 1),
    ),
    *(
        Command(
            f"compare {{config}} --of={facet} --json",
            lambda found, facet=facet: found["facet"] == facet,
        )
        for facet in ("condition", "model", "prompt", "config", "grader")
    ),
    Command(
        "reliability {config} --grader=mockllm/judge --rubric=strict --crossed --random=grader "
        "--out={folder}/reliability.html --json",
        lambda found: [one["fixed"] for one in found["by_grader"]] == [[]],
    ),
    *(
        Command(
            "plan {config} mockllm/a mockllm/b --detect=5pt --max-usd=900 --power=0.9 "
            f"--omega2=0.01 --sigma2=0.01 --judge2=0.01 --grader=mockllm/judge "
            f"--rubric=strict --policy={policy} "
            "--out={folder}/plan.html --json",
            lambda found, policy=policy: (
                found["power"] == 0.9
                and found["policy"] == policy.replace("dev", "full-interactive")
                and found["by_grader"][0]["chosen"]["detect"] <= 0.05
            ),
        )
        for policy in ("dev", "full-interactive", "full-batch")
    ),
    Command(
        "plan {config} --pilot=3 --json",
        lambda found: found["message"].startswith("pilot: 3 is too few items"),
        exit_code=2,
    ),
    *(
        Command(
            "gate {config} --against=mockllm/a --candidate=mockllm/b --margin=5pt --metric=judge "
            f"--policy={policy} --out={{folder}}/gate.xml --json",
            lambda found: "share" in found["message"] and "a gate needs 10" in found["message"],
            exit_code=2,
        )
        for policy in ("dev", "full-interactive", "full-batch")
    ),
    Command(
        "show {config} q2 --condition=mockllm/a --grader=mockllm/judge --rubric=strict "
        "--policy=dev --out={folder}/q2.csv --json",
        lambda found: [(item["item_id"], len(item["answers"])) for item in found] == [("q2", 1)],
    ),
    *(
        Command(
            f"{command} {{config}} {item}--policy={policy} --json",
            bool,
        )
        for command, item in (("show", "q1 "), ("report", ""))
        for policy in ("full-interactive", "full-batch")
    ),
    Command(
        "cells {config} --state=done --out={folder}/cells.csv --json",
        lambda found: {row["state"] for row in found["rows"]} == {"done"},
    ),
    Command(
        "report {config} --policy=dev --out={folder}/report.html --open --json",
        lambda found: found["report"].endswith("report.html"),
    ),
    Command(
        "agreement {config} --judge=mockllm/judge --json",
        lambda found: [card["judge"] for card in found] == ["judge · strict"],
    ),
    Command(
        "agreement {config} --grader=mockllm/judge --rubric=strict --out={folder}/agreement.csv "
        "--json",
        lambda found: found["judges"] == ["judge · strict"],
    ),
    *(
        Command(
            f"drift {{config}} --grader=judge --rubric=strict --policy={policy} "
            "--out={folder}/drift.html --json",
            lambda found: "this study has no later time" in found["message"],
            exit_code=2,
        )
        for policy in ("dev", "full-interactive", "full-batch")
    ),
    Command(
        "estimate {config} --wave=w --anchors=2 --policy=full-interactive --json",
        lambda found: found["remaining"]["calls"] == 8,
    ),
    Command(
        "estimate {config} --rejudge=w --policy=full-interactive --json",
        lambda found: found["remaining"]["calls"] == 6,
    ),
    Command(
        "run {config} --wave=w --rejudge=w --anchors=1 --json",
        lambda found: found["message"].startswith("wave and rejudge: a run does one of them"),
        exit_code=2,
    ),
    Command(
        "items {config} --grader=mockllm/judge --rubric=strict --out={folder}/items.csv --json",
        lambda found: len(found["by_grader"][0]["items"]) == 3,
    ),
    *(
        Command(
            f"irt {{config}} --model={model} --passes=0.5 --grader=mockllm/judge --rubric=strict "
            "--policy=full-interactive --out={folder}/irt.html --json",
            lambda found: "2 respondents: item response theory needs 30" in found["message"],
            exit_code=2,
        )
        for model in ("1pl", "2pl")
    ),
    *(
        Command(
            f"irt {{config}} --policy={policy} --json",
            lambda found: found["error"] == "MeasurementError",
            exit_code=2,
        )
        for policy in ("dev", "full-batch")
    ),
    *(
        Command(
            f"responses {{config}} --grader=judge --persons={persons} --passes=0.5 "
            f"--policy={policy} --out={{folder}}/of_{persons}.csv --json",
            lambda found: len(found["rows"]) == 2 and len(found["items"]) == 3,
        )
        for persons, policy in (("conditions", "full-batch"), ("replications", "full-interactive"))
    ),
    Command(
        "responses {config} --grader=judge --states --policy=dev --json",
        lambda found: {*found["rows"][0]["values"].values()} == {"done"},
    ),
    Command(
        "ratings sheet {config} --rater=anna --n=2 --seed=1 --out={folder}/sheet.csv "
        "--rubric=strict --scale=0,1 --again --condition=mockllm/a --json",
        lambda found: (found["answers"], found["scale"]) == (2, [0.0, 1.0]),
    ),
    Command(
        "ratings next {config} --rater=anna --n=1 --seed=1 --rubric=strict --scale=0,1 --json",
        lambda found: (found["answers"], found["seed"]) == (1, 1),
    ),
    Command(
        "ratings import {folder}/sheet.csv {config} --rater=anna --json",
        lambda found: (found["ratings"], found["blank"]) == (0, 2),
    ),
    Command(
        "rubrics export {config} {folder}/rubrics.csv --json",
        lambda found: found["error"] == "ConfigError",
        exit_code=2,
    ),
    Command(
        "rubrics import {config} {folder}/rubrics.csv --by=anna --json",
        lambda found: found["error"] == "ConfigError",
        exit_code=2,
    ),
    Command(
        "conditions {config} --out={folder}/conditions.csv --json", lambda found: len(found) == 4
    ),
    Command("recover {config} --json", lambda found: (_calls(found), found["recovered"]) == (0, 0)),
    Command(
        "recover {config} --accept-loss --json",
        lambda found: (found["accepted"], found["status"]["lost"]) == ([], []),
    ),
    Command(
        "import {folder} {config} --dry-run --json",
        lambda found: "is no study of itemeval" in found["message"],
        exit_code=2,
    ),
    Command(
        "import {folder} {config} --write-config --json",
        lambda found: "is there already" in found["message"],
        exit_code=2,
    ),
    Command(
        "reset {config} --only=gradings --condition=mockllm/a --grader=judge --rubric=strict "
        "--json",
        lambda found: found == [],
    ),
    Command("reset {config} --only=solutions --json", lambda found: found == []),
    *(
        Command(
            f"{command} {{config}} --only=item_rubrics --json",
            lambda found: "is not a stage" in found["message"],
            exit_code=2,
        )
        for command in ("run", "estimate", "reset")
    ),
    Command("estimate {config} --errored --json", lambda found: found["remaining"]["calls"] == 0),
    Command(
        "export {config} --for-spreadsheets --json",
        lambda found: any("spreadsheets" in name for name in found["paths"]),
    ),
    *(
        Command(
            f"every-eval {{config}} --organization=Lab --relationship={word} --without-rows --json",
            lambda found: (found["records"], found["rows"]) == (2, 0),
        )
        for word in ("first_party", "third_party", "collaborative", "other")
    ),
    Command("release {config} --version=2.0.0 --json", lambda found: found["version"] == "v2.0.0"),
    Command(
        "compare {config} --release=v2.0.0 --json",
        lambda found: found["facet"] == "release" and found["by_grader"][0]["left_out"],
    ),
    Command(
        "compare {config} --release=v2.0.0 --with=v2 --json",
        lambda found: found["message"] == "v2.0.0 and v2 are the same release: name two",
        exit_code=2,
    ),
    Command(
        "experiments list toy --bucket={folder}/experiments --prefix=scythe --json",
        lambda found: [run["version"] for run in found] == ["v2.0.0"],
    ),
    Command(
        "experiments show toy --version=v2.0.0 --run={run} --bucket={folder}/experiments "
        "--prefix=scythe --json",
        lambda found: found["summary"]["version"] == "v2.0.0",
    ),
    Command(
        "experiments compare toy v2.0.0 v2.0.0/{run} --bucket={folder}/experiments "
        "--prefix=scythe --json",
        lambda found: found["is_equal"] and found["frames"]["scalars"]["rows_before"] > 0,
    ),
    Command(
        "experiments download toy --version=v2.0.0 --run={run} --to={folder}/copy "
        "--bucket={folder}/experiments --prefix=scythe --json",
        lambda found: any(path.endswith("README.md") for path in found),
    ),
    Command(
        "quickstart {folder}/quick --mock --json",
        lambda found: len(found["scores"]) == 4 and found["run"]["exit_code"] == 0,
    ),
    Command("schema", lambda words: '"$schema"' in words),
    Command(
        "view {config} --only-write --json",
        lambda found: (found["logs"], found["written"]) != (0, 0),
    ),
    Command("view {config} --port={port} --open", lambda words: "{port}" not in words, exit_code=2),
    Command("ui {config} --port={port} --open", lambda words: "{port}" not in words, exit_code=2),
]

EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"]
CSV = {"id": "items.csv", "split": "train", "limit": 2, "delimiter": ";", "encoding": "utf-8"}
MAPPING = {
    "id": "id",
    "input": "question",
    "target": "answer",
    "grading_scheme": "scheme",
    "metadata": ["topic"],
}
SAMPLING = {"temperature": 0.5, "top_p": 0.9, "max_tokens": 64, "reasoning_tokens": 16}
OF_OTHERS = {
    "mine": {
        "type": "python",
        "function": "mine.py:score",
        "timeout_s": 30.0,
        "memory_mb": 500,
    },
    "of_inspect": {"type": "inspect", "scorer": "match", "args": {"location": "any"}},
}
MODEL_GRADED = {
    scorer: {
        "model": "mockllm/judge",
        "scorer": scorer,
        "args": {
            "template": "{question} {answer} {instructions}",
            "instructions": "Grade: C, P or I.",
            "grade_pattern": "GRADE: (.)",
            "partial_credit": scorer == "model_graded_qa",
        },
    }
    for scorer in ("model_graded_qa", "model_graded_fact")
}
DOCUMENTS: Mapping[str, Document] = {
    "everything": Document(
        {
            "study": "everything",
            "output_dir": "results",
            "prompts_dir": "own/prompts",
            "rubrics_dir": "own/rubrics",
            "cache": False,
            "crossing": "full",
            "benchmark": {
                "adapter": "local",
                "datasets": [CSV],
                "mapping": MAPPING,
                "sample": {"n": 2, "seed": 7, "by": "topic"},
            },
            "solvers": {
                "models": ["mockllm/a"],
                "temperature": 0.1,
                "max_tokens": 99,
                "top_p": 0.8,
                "seed": 7,
                "attempt_timeout": 30,
                "max_retries": 1,
                "retry_on_error": 1,
                "max_reroutes": 2,
                "max_connections": {"mockllm": 3},
                "on_empty": "skip",
                "cache_prompt": "auto",
                "split_prompt": True,
                "provider_routing": {"order": ["x"]},
            },
            "facets": {
                "prompt": ["mine"],
                "model_config": [
                    {"name": effort, "reasoning_effort": effort, **SAMPLING} for effort in EFFORTS
                ],
                "rubric": ["builtin:standard"],
                "scorer": ["exact_match", "multiple_choice", "numeric"],
                "replications": 3,
            },
            "budget": {
                "policy": "dev",
                "prefer_native_batch": True,
                "dev_items": 1,
                "dev_replications": 2,
                "confirm_above_usd": 4.0,
                "max_usd": 9.0,
                "batch": "auto",
                "pricing_path": "prices.json",
                "pricing_max_age_days": 1e6,
                "cache_schedule": "auto",
            },
            "gate": {
                "against": "none",
                "candidate": "low",
                "margin": 0.05,
                "metrics": ["numeric"],
            },
            "precision": {"half_width": 0.5, "metrics": ["numeric"]},
            "automation": {
                "started": True,
                "cron": "7 * * * *",
                "timezone": "Asia/Tokyo",
                "max_attempts": 2,
                "retry_after_minutes": 1.5,
                "paid": True,
                "partitions_per_run": 2,
            },
        },
        # Seven conditions, one item, two replications; three scorers of each, of which
        # multiple_choice finds no letter in the targets.
        lambda summary: (
            (_calls(summary), _done(summary), summary["status"]["sample"]["of"])
            == (14, [2] * 7 + [2, 0, 2] * 7, 2)
        ),
    ),
    "later_times": Document(
        {
            "study": "later_times",
            "benchmark": {
                "adapter": "local",
                "datasets": [{"id": "items.jsonl"}],
                "mapping": MAPPING,
            },
            "solvers": {"models": ["mockllm/a"]},
            "facets": {"grader": ["mockllm/judge"], "rubric": ["builtin:standard"]},
            "waves": [{"name": "w", "anchors": 1}, {"name": "v"}],
            "rejudges": [{"name": "w", "anchors": 1}],
            "budget": {"policy": "full-interactive"},
        },
        lambda summary: min(_done(summary)) == 1 and len(_done(summary)) == 7,
    ),
    "item_rubrics": Document(
        {
            "study": "item_rubrics",
            "benchmark": {
                "adapter": "local",
                "datasets": [{"id": "items.jsonl"}],
                "mapping": MAPPING,
            },
            "solvers": {"models": ["mockllm/a"]},
            "facets": {"grader": ["mockllm/judge"], "rubric": ["low", "high"]},
            "rubrics": {
                effort: {
                    "materialize": {
                        "model": "mockllm/writer",
                        "template": "write",
                        "temperature": 0.5,
                        "max_tokens": 77,
                        "reasoning_effort": effort,
                        "provider_routing": {"order": ["x"]},
                    },
                    "grade_template": "by_rubric",
                }
                for effort in EFFORTS
            },
            "budget": {"policy": "full-interactive"},
        },
        lambda summary: (_calls(summary), _done(summary)) == (5 * 3, [3] * 3),
    ),
    "roster": Document(
        {
            "study": "roster",
            "benchmark": {
                "adapter": "local",
                "datasets": [{"id": "items.jsonl"}],
                "mapping": MAPPING,
                "sample": {"n": 2},
            },
            "solvers": {
                "sample": {
                    "roster": "roster.txt",
                    "n": 2,
                    "seed": 7,
                    "by": "provider",
                    "exclude": ["mockllm/a"],
                    "include": ["mockllm/d"],
                    "where": {"provider": ["mockllm"], "max_output_usd_per_mtok": 5.0},
                }
            },
            "facets": {"scorer": "numeric"},
            "precision": {"detect": 0.5},
        },
        # Two items; of three models one is excluded.
        lambda summary: (
            (_calls(summary), summary["status"]["model_sample"])
            == (
                4,
                "sample of 2 of 3 models of roster.txt, seed 7, by provider, of mockllm, up to "
                "$5 per million output tokens, with mockllm/d, without mockllm/a",
            )
        ),
    ),
    "own_scorers": Document(
        {
            "study": "own_scorers",
            "benchmark": {
                "adapter": "local",
                "datasets": [{"id": "items.jsonl"}],
                "mapping": MAPPING,
            },
            "solvers": {"models": ["mockllm/a"]},
            "facets": {
                "scorer": ["numeric", "last", "first", "held", "text", "number", *OF_OTHERS]
            },
            "scorers": {
                "last": {"type": "regex", "pattern": r"(\d+)", "group": 1, "flags": "i"},
                "first": {"type": "regex", "pattern": r"(\d+)", "match": "first"},
                "again": {"type": "regex", "pattern": "x", "match": "last"},
                "held": {"type": "contains", "ignore_case": False, "scale": [0, 1]},
                "text": {"type": "json", "path": "answer", "comparison": "exact"},
                "number": {"type": "json", "path": ["answer", 0], "comparison": "numeric"},
                **OF_OTHERS,
            },
        },
        # Two items; mock answers hold no JSON.
        lambda summary: (
            (_calls(summary), _done(summary)) == (2, [2, 2, 2, 2, 2, 0, 0, 2, 2])
            and summary["failed_checks"] == []
        ),
    ),
    "task": Document(
        {
            "study": "task",
            "benchmark": {"adapter": "inspect", "task": "tasks.py@sums", "args": {"count": 3}},
            "solvers": {"models": ["mockllm/a"]},
            "facets": {},
        },
        # Two of three samples, graded by the two scorers of the task.
        lambda summary: (_calls(summary), _done(summary)) == (2, [2, 2, 2]),
    ),
    "logs": Document(
        {
            "study": "logs",
            "benchmark": {"adapter": "logs", "task": "tasks.py@sums", "args": {"count": 3}},
            "solvers": {"models": ["mockllm/a"]},
            "facets": {},
        },
        message="no log of 'tasks.py@sums' with these arguments has come in yet",
    ),
    "judges": Document(
        {
            "study": "judges",
            "benchmark": {
                "adapter": "local",
                "datasets": [{"id": "items.jsonl"}],
                "mapping": MAPPING,
            },
            "solvers": {"models": ["mockllm/a"], "on_empty": "rerun", "cache_prompt": "on"},
            "facets": {"prompt": ["builtin:minimal"], "grader": [*EFFORTS, *MODEL_GRADED, "anna"]},
            "graders": {
                effort: {
                    "kind": "judge",
                    "model": "mockllm/judge",
                    "reasoning_effort": effort,
                    "max_tokens": 77,
                    "max_solution_chars": 5 if effort == "low" else None,
                    "structured": effort == "high",
                    "split_rubric": effort == "low",
                    "provider_routing": {"order": ["x"]},
                    "scale": [0, 1],
                    "temperature": 0.5,
                    "repeats": 2 if effort == "high" else 1,
                    "after": "exact_match" if effort == "max" else None,
                }
                for effort in EFFORTS
            }
            | MODEL_GRADED
            | {"anna": {"kind": "human", "scale": [0, 10]}},
            "measurement": {
                "cluster": "topic",
                "level": 0.9,
                "margin": 0.1,
                "families": {"mockllm/a": "a"},
            },
            "seal": {"hypotheses": ["a is better than b"], "decision": "compare, level 0.9"},
            "budget": {"policy": "full-interactive", "cache_schedule": "off", "batch": False},
        },
        lambda summary: (_calls(summary), _done(summary)) == (3 + 24 + 6, [3] * 11 + [0]),
    ),
    # Of three items, each with the same right choice.
    **{
        f"choices by {kind}": Document(
            {
                "study": f"choices_{kind}",
                "benchmark": {
                    "adapter": "local",
                    "datasets": [{"id": "choices.jsonl"}],
                    "mapping": {
                        "input": "question",
                        "target": kind,
                        "choices": "options",
                        "target_is": kind,
                        "shuffle_choices": 1,
                    },
                },
                "solvers": {"models": ["mockllm/a"]},
                "facets": {"prompt": ["builtin:multiple_choice"], "scorer": "multiple_choice"},
                "budget": {"policy": "full-interactive"},
            },
            lambda summary: _done(summary) == [3, 3],
        )
        for kind in ("letter", "index", "number", "text", "label")
    },
    "chats": Document(
        {
            "study": "chats",
            "benchmark": {
                "adapter": "local",
                "datasets": [{"id": "chats.jsonl"}],
                "mapping": {"input": "question", "target": "answer", "chat": True},
            },
            "solvers": {"models": ["mockllm/a"]},
            "facets": {"prompt": ["builtin:minimal"], "scorer": "numeric"},
        },
        message="the items are chats",
    ),
    "images": Document(
        {
            "study": "images",
            "benchmark": {
                "adapter": "local",
                "datasets": [{"id": "items.jsonl"}],
                "mapping": {"input": "question", "target": "answer", "images": "topic"},
            },
            "solvers": {"models": ["mockllm/a"]},
            "facets": {"scorer": "numeric"},
        },
        message="there is no image",
    ),
    "batch": Document(
        {
            "study": "batch",
            "benchmark": {
                "adapter": "local",
                "datasets": [{"id": "items.jsonl"}],
                "mapping": {"input": "question", "target": "answer"},
            },
            "solvers": {"models": ["mockllm/a"], "on_empty": "grade", "cache_prompt": "off"},
            "facets": {"scorer": "numeric"},
            "budget": {"policy": "full-batch", "batch": True},
        },
        lambda summary: _done(summary) == [3, 3],
    ),
    "hub": Document(
        {
            "study": "hub",
            "benchmark": {
                "adapter": "hf",
                "datasets": [{"id": "org/data", "name": "sub", "revision": "v1", "split": "test"}],
                "mapping": {"input": "question", "target": "answer"},
            },
            "solvers": {"models": ["mockllm/a"]},
            "facets": {"scorer": "numeric"},
        },
        message="org/data",
    ),
}

# Of a study of one model, one scorer, one judge and three items, after it has been run by `dev`
# (two items). The effect is read off the metadata of the step's first asset.
LAUNCHES: Sequence[Launch] = [
    Launch("items", {"accept_changes": True}, lambda seen: seen["dagster/row_count"] == 3),
    Launch("estimate", {"policy": "dev", "force": True}, lambda seen: seen["calls"] == 4),
    Launch("estimate", {"policy": "full-interactive"}, lambda seen: seen["calls"] == 2),
    Launch(
        "estimate", {"policy": "full-batch", "skip_tried": True}, lambda seen: seen["calls"] == 2
    ),
    Launch("solutions", {"policy": "full-batch", "recover_only": True}, lambda seen: True),
    Launch("solutions", {"policy": "full-batch", "consent_usd": 0.0}, lambda _: True, {}, False),
    Launch(
        "solutions",
        {"policy": "full-batch", "consent_usd": 1.0, "skip_tried": True},
        lambda seen: _new(seen) == 1,
        {"itemeval_assets/consent_usd": "0"},
    ),
    Launch("solutions", {"policy": "dev", "force": True}, lambda seen: _new(seen) == 2),
    Launch(
        "solutions",
        {"policy": "full-interactive", "force": True},
        lambda _: True,
        {"itemeval_assets/consent_usd": "0"},
        False,
    ),
    Launch(
        "gradings",
        {"policy": "dev", "recover_only": True},
        lambda seen: _new(seen) == 0,
    ),
    Launch("gradings", {"policy": "dev", "force": True}, lambda seen: _new(seen) == 2),
    Launch(
        "gradings",
        {"policy": "full-interactive", "consent_usd": 1.0, "skip_tried": True},
        lambda seen: _new(seen) == 1,
    ),
    Launch("gradings", {"policy": "full-batch"}, lambda seen: _new(seen) == 0),
    Launch("preflight", {"consent_usd": 0.0}, lambda _: True, {}, False),
    Launch("ledger", {"accept_loss": True}, lambda seen: seen["losses recorded"] == 0),
    Launch(
        "export", {"for_spreadsheets": True}, lambda seen: "export/gradings_long_for" in str(seen)
    ),
    Launch("release", {"version": "3.0.0"}, lambda seen: seen["version"] == "v3.0.0"),
]
