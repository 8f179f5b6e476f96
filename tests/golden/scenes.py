"""The scenes: studies as data, and what is done with each of them.

Which option is in which scene: `test_options` looks that every key of the YAML is in one.
"""

import json
import re
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any
from zipfile import ZipFile, ZipInfo

import pandas as pd

from tests.model_server import Behaviour, ModelServer
from tests.task_files import AGENT

from .publications import published
from .replies import Replies
from .session import Place, Session

__all__ = ["SCENES"]

RUBRIC = """\
Grade from 0 to 1. The set {1, 2} and \\frac{1}{2} are no placeholders.

Problem {id} on {topic}: {input}
Reference: {target}
Scheme: {grading_scheme}
Solution: {solution}
"""
MAPPING = {
    "id": "id",
    "input": "question",
    "target": "answer",
    "grading_scheme": "scheme",
    "metadata": ["topic"],
}
PRICE = {"input_usd_per_mtok": 10.0, "output_usd_per_mtok": 30.0, "cache_read_usd_per_mtok": 1.0}
SERVED = "openai-api/test/"


def items(count: int) -> list[dict[str, Any]]:
    return [
        {
            "id": f"q{n}",
            "question": f"What is {n} + {n}?",
            "answer": str(2 * n),
            "scheme": "1 point for the sum.",
            "topic": None if n == 2 else "sums",
        }
        for n in range(1, count + 1)
    ]


def local(*datasets: Mapping[str, Any], **mapping: Any) -> dict[str, Any]:
    return {"adapter": "local", "datasets": list(datasets), "mapping": {**MAPPING, **mapping}}


def workbook(sheet: str, rows: list[dict[str, Any]]) -> bytes:
    """An Excel workbook: the same bytes at each time."""
    written, found = BytesIO(), BytesIO()
    pd.DataFrame(rows).to_excel(written, sheet_name=sheet, index=False)
    with ZipFile(written) as parts, ZipFile(found, "w") as fixed:
        for name in parts.namelist():
            if name != "docProps/core.xml":
                fixed.writestr(ZipInfo(name), parts.read(name))
            else:
                told = re.sub(
                    rb"\d{4}-\d\d-\d\dT[\d:]+Z", b"2026-01-01T00:00:00Z", parts.read(name)
                )
                fixed.writestr(ZipInfo(name), told)
    return found.getvalue()


def prepared(place: Place, name: str, count: int, document: Mapping[str, Any]) -> Session:
    """A study with items, two prompts, a rubric and prices."""
    session = Session(place, name)
    session.edit({"study": name, "output_dir": place.studies, **document})
    session.file("items.jsonl", "".join(json.dumps(row) + "\n" for row in items(count)))
    session.file(
        "prompts/solver/mine.md", "Solve {id} and end with `ANSWER: <n>`.\r\n\r\n{input}\n"
    )
    session.file("rubrics/strict.md", RUBRIC)
    priced = ["alpha", "beta", "judge"]
    models = {f"{SERVED}{model}": PRICE for model in priced} | {"openai/gpt-4o-mini": PRICE}
    session.file("prices.json", json.dumps({"updated_at": "2026-01-01", "models": models}))
    return session


def grid(place: Place, server: ModelServer) -> Session:
    """A grid on mock models that grows: dev first, all of it, nothing to do, an edited prompt."""
    session = prepared(
        place,
        "grid",
        3,
        {
            "cache": False,
            "benchmark": local({"id": "items.jsonl", "limit": 2}),
            "solvers": {"models": ["mockllm/a", "mockllm/b"]},
            "facets": {
                "prompt": ["mine"],
                "scorer": "numeric",
                "grader": ["judge"],
                "rubric": ["builtin:standard", "strict"],
                "replications": 1,
            },
            "graders": {"judge": {"model": "mockllm/judge", "max_tokens": 77}},
            "budget": {"policy": "dev", "dev_items": 1, "dev_replications": 1},
        },
    )
    session.give("estimate {config}")
    session.give("status {config}")
    session.give("run {config}")
    session.give("cells {config} --state done --state not_planned --condition mockllm/a --json")
    session.edit({"budget": {"policy": "full-interactive"}})
    session.give("estimate {config} --json")
    session.give("run {config} --json")
    session.give("run {config}")
    session.give("release {config}")
    session.file("prompts/solver/mine.md", "Be brief.\n\n{input}\n")
    session.edit({"facets": {"replications": 2}})
    session.give("cells {config} --json --condition mockllm/b --grader numeric")
    session.give("run {config} --condition 'b · mine' --grader judge --rubric strict --json")
    session.give("preflight {config} --json")
    session.give("export {config} --for-spreadsheets")
    session.give("status {config} --json")
    session.give("release {config} --json")
    session.give("experiments list grid --json --bucket {bucket}")
    session.give("experiments show grid --bucket {bucket}")
    session.give("release {config}")
    session.give("status {config} --policy none")
    return session


def served(place: Place, server: ModelServer) -> Session:
    """A server with faults and odd replies; then other answers, force, limits of money, a reset."""
    replies = Replies()
    server.reply = replies
    server.models = {
        "alpha": Behaviour(cached_tokens=4, reasoning_tokens=3),
        "judge": Behaviour(cached_tokens=8),
    }
    session = prepared(
        place,
        "served",
        6,
        {
            "benchmark": local({"id": "items.jsonl"}),
            "cache": True,
            "solvers": {
                "models": [f"{SERVED}alpha", f"{SERVED}beta"],
                "max_tokens": 100,
                "attempt_timeout": 30,
                "max_retries": 1,
                "max_reroutes": 2,
                "retry_on_error": 0,
                "max_connections": 2,
                "on_empty": "rerun",
            },
            "facets": {
                "prompt": ["mine"],
                "scorer": ["exact_match", "numeric"],
                "grader": ["judge", "formed"],
                "rubric": ["strict"],
            },
            "graders": {
                "judge": {"model": f"{SERVED}judge", "max_tokens": 200},
                "formed": {"model": f"{SERVED}judge", "max_tokens": 200, "structured": True},
            },
            "budget": {
                "policy": "full-interactive",
                "pricing_path": "prices.json",
                "confirm_above_usd": 0.01,
                "max_usd": 10.0,
            },
        },
    )
    session.give("preflight {config} --yes --json")
    session.give("run {config} --json")
    session.give("run {config} --max-usd 9 --json")
    session.give("cells {config} --state errored --state unparsed --state blank --json")
    replies.round = 2
    session.give("run {config} --errored --yes --json")
    replies.round = 3
    session.edit({"cache": False})
    session.give("run {config} --only solutions --condition alpha --force --yes --json")
    session.give("cells {config} --json")
    session.edit(
        {"solvers": {"models": [f"{SERVED}{name}" for name in ("alpha", "beta", "gamma")]}}
    )
    session.give("estimate {config} --json")
    session.edit({"budget": {"max_usd": 0.001}})
    session.give("run {config} --yes --json")
    session.edit({"budget": {"max_usd": None}})
    session.give("run {config} --policy dev --yes")
    session.edit({"solvers": {"models": [f"{SERVED}beta", f"{SERVED}gamma"], "on_empty": "skip"}})
    session.give("status {config}")
    session.give("recover {config} --json")
    session.give("reset {config} --json")
    return session


def every_key(place: Place, server: ModelServer) -> Session:
    """Each key of the YAML that no other scene has, with a value of its own."""
    session = prepared(
        place,
        "every_key",
        2,
        {
            "prompts_dir": "own/prompts",
            "rubrics_dir": "own/rubrics",
            "cache": False,
            "crossing": "full",
            "benchmark": {
                **local({"id": "items.jsonl", "split": "train", "limit": 1}),
                "sample": {"n": 1, "seed": 7, "by": "topic"},
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
                "max_connections": {"mockllm": 3},
                "on_empty": "skip",
                "cache_prompt": "on",
                "split_prompt": True,
                "provider_routing": {"order": ["x"]},
            },
            "facets": {
                "prompt": ["own"],
                "model_config": [
                    {"name": "default"},
                    *(
                        {
                            "name": effort,
                            "reasoning_effort": effort,
                            "temperature": 0.5,
                            "top_p": 0.9,
                            "max_tokens": 64,
                            "reasoning_tokens": 16,
                        }
                        for effort in ("high",)
                    ),
                ],
                "rubric": ["own"],
                "grader": ["plain", "split", "again", "rest", "graded", "own"],
                "scorer": "exact_match",
            },
            "graders": {
                "plain": {"model": "mockllm/judge", "reasoning_effort": "high"},
                "split": {
                    "model": "mockllm/judge",
                    "max_tokens": 50,
                    "structured": True,
                    "split_rubric": True,
                    "max_solution_chars": 40,
                    "provider_routing": {"order": ["x"]},
                },
                "again": {"model": "mockllm/judge", "temperature": 0.7, "repeats": 2},
                "rest": {"model": "mockllm/judge", "scale": [0, 10], "after": "exact_match"},
                "graded": {"model": "mockllm/judge", "scorer": "model_graded_fact"},
                "own": {
                    "model": "mockllm/judge",
                    "scorer": "model_graded_qa",
                    "args": {
                        "template": "{question} {answer} {criterion} {topic}\n{instructions}",
                        "instructions": "End with GRADE: C, GRADE: P or GRADE: I.",
                        "grade_pattern": "GRADE: ([CPI])",
                        "partial_credit": True,
                    },
                },
            },
            "budget": {
                "policy": "full-interactive",
                "confirm_above_usd": 4.0,
                "max_usd": 9.0,
                "batch": False,
                "pricing_path": "prices.json",
                "pricing_max_age_days": 1e6,
                "cache_schedule": "off",
                "prefer_native_batch": True,
            },
            "measurement": {
                "cluster": "topic",
                "level": 0.9,
                "margin": 0.05,
                "families": {"mockllm/a": "mocks"},
            },
            "seal": {"hypotheses": ["high is better than default"], "decision": "by compare"},
            "automation": {
                "started": True,
                "timezone": "Europe/Vienna",
                "cron": "7 * * * *",
                "max_attempts": 2,
                "retry_after_minutes": 1.5,
                "paid": True,
                "partitions_per_run": 2,
            },
        },
    )
    session.file("own/prompts/solver/own.md", "{input}\n\nEnd with `ANSWER: <n>`. {id}\n")
    session.file("own/rubrics/own.md", "Grade:\n{solution}\n\nof\n\n{input}\n{target}\n")
    session.give("run {config} --json")
    return session


def formats(place: Place, server: ModelServer) -> Session:
    """Items of every format of file, with ids made of columns; blank answers are graded.

    One is asked again, and graded again.
    """
    server.reply = lambda request: "" if "1 + 1" in request.prompt else "ANSWER: 4"
    rows = items(2)
    session = prepared(
        place,
        "formats",
        2,
        {
            "benchmark": local(
                {"id": "items.csv", "delimiter": ";", "encoding": "cp1252"},
                {"id": "items.json"},
                {"id": "items.jsonl", "limit": 1},
                {"id": "items.parquet"},
                {"id": "parts/"},
                {"id": "items.xlsx", "name": "Sums"},
                id="{dataset}:{id}",
            ),
            "solvers": {"models": [f"{SERVED}alpha"], "on_empty": "grade"},
            "facets": {
                "prompt": ["mine"],
                "scorer": ["exact_match"],
                "grader": ["mockllm/judge"],
                "rubric": ["strict"],
            },
            "waves": [{"name": "w", "anchors": 1}],
            "rejudges": [{"name": "w", "anchors": 1}],
            "budget": {"policy": "full-interactive", "pricing_path": "prices.json"},
        },
    )
    cells = [[*map(str, row.values())] for row in rows]
    text = "\n".join(";".join(row) for row in [list(rows[0]), *cells]) + "\n"
    session.file("items.csv", text.replace("sums", "Größe").encode("cp1252"))
    session.file("items.json", json.dumps(rows))
    pd.DataFrame(rows).to_parquet(place.folder / "items.parquet")
    for row in rows:
        session.file(f"parts/{row['id']}.parquet", pd.DataFrame([row]).to_parquet())
    session.file("items.xlsx", workbook("Sums", rows))
    session.give("run {config} --yes --json")
    session.give("run {config} --yes --json --force")
    session.file("items.json", json.dumps([{**rows[0], "answer": "3"}]))
    session.give("run {config} --json")
    session.give("estimate {config} --accept-changes")
    session.give("run {config} --accept-changes --yes --json")
    return session


def hub(place: Place, server: ModelServer) -> Session:
    """A folder of data files, read as the hub's; an id of several columns, nothing but a scorer."""
    session = prepared(
        place,
        "hub",
        1,
        {
            "benchmark": {
                "adapter": "hf",
                "datasets": [{"id": "data", "split": "test"}],
                "mapping": {"id": ["topic", "id"], "input": "question", "target": "answer"},
            },
            "solvers": {"models": ["mockllm/a"], "cache_prompt": "off"},
            "facets": {
                "prompt": ["builtin:minimal", "builtin:standard"],
                "scorer": ["multiple_choice", "numeric"],
            },
        },
    )
    rows = [{**row, "topic": "sums"} for row in items(3)]
    session.file("data/test.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    session.give("run {config} --json")
    session.edit({"benchmark": {"datasets": [{"id": "org/data", "name": "sub", "revision": "v1"}]}})
    session.give("run {config} --json")
    return session


def batch(place: Place, server: ModelServer) -> Session:
    """Calls by the batch, at half the price, of a model with a batch mode and one without."""
    server.batches.seconds = 0.1
    models = ["openai/gpt-4o-mini", f"{SERVED}beta"]
    session = prepared(
        place,
        "batch",
        2,
        {
            "cache": False,
            "benchmark": local({"id": "items.jsonl"}),
            "solvers": {"models": models, "max_tokens": 60},
            "facets": {"prompt": ["mine"], "grader": models[:1]},
            "budget": {"policy": "full-batch", "batch": True, "pricing_path": "prices.json"},
        },
    )
    session.give("estimate {config} --json")
    session.give("run {config} --yes --json")
    return session


MINE = """\
def score(solution, target, metadata):
    if metadata["topic"] is None:
        raise ValueError("no topic")
    return 2.0 * (target in solution)
"""


ESSAY = """\
---
criteria: {correct: [0, 6], clear: [0, 4]}
---
Is it correct, is it clear? {input}

{solution}
"""


def scored(place: Place, server: ModelServer) -> Session:
    """Own scorers of each type, a rubric with criteria, and one that a model writes for each item;
    then a scorer with another pattern, and one that cannot be loaded.
    """
    session = prepared(
        place,
        "scored",
        3,
        {
            "benchmark": local({"id": "items.jsonl"}),
            "solvers": {"models": ["mockllm/a"]},
            "facets": {
                "prompt": ["mine"],
                "scorer": ["numeric", "found", "held", "value", "mine", "of_inspect"],
                "grader": ["mockllm/judge"],
                "rubric": ["essay", "tailored"],
            },
            "rubrics": {
                "tailored": {
                    "materialize": {
                        "model": "mockllm/writer",
                        "template": "write",
                        "temperature": 0.2,
                        "max_tokens": 300,
                        "reasoning_effort": "low",
                        "provider_routing": {"order": ["x"]},
                    },
                    "grade_template": "by_rubric",
                }
            },
            "scorers": {
                "found": {
                    "type": "regex",
                    "pattern": r"answer: (\d+)",
                    "group": 1,
                    "flags": "i",
                    "match": "first",
                },
                "held": {"type": "contains", "ignore_case": False},
                "value": {"type": "json", "path": "answer.0", "comparison": "numeric"},
                "mine": {
                    "type": "python",
                    "function": "mine.py:score",
                    "timeout_s": 60,
                    "memory_mb": 500,
                    "scale": [0, 2],
                },
                "of_inspect": {
                    "type": "inspect",
                    "scorer": "match",
                    "args": {"location": "any"},
                    "timeout_s": 60,
                },
            },
            "budget": {"policy": "full-interactive"},
        },
    )
    session.file("mine.py", MINE)
    session.file("rubrics/essay.md", ESSAY)
    session.file("rubrics/write.md", "Say how to grade answers to this: {input} ({target})\n")
    session.file("rubrics/by_rubric.md", "{rubric}\n\n{input}\n\n{solution}\n")
    session.give("estimate {config}")
    session.give("run {config} --json")
    session.give("cells {config} --state unparsed --json")
    session.edit({"scorers": {"found": {"pattern": r"(\d+)"}}})
    session.give("run {config}")
    session.give("conditions {config} --json")
    session.file("mine.py", "import nowhere\n" + MINE)
    session.give("run {config} --json")
    session.edit({"scorers": {"found": {"pattern": r"(?<=x)y"}}})
    session.give("status {config}")
    return session


def prompts(place: Place, server: ModelServer) -> Session:
    """Choices in an order of their own, a prompt with a column and turns; chats with an image."""
    # Each prompt has answers of its own: no two gradings ask the same, and share what is cached.
    server.reply = lambda request: f"{len(request.prompt)} characters.\nANSWER: B"
    session = prepared(
        place,
        "prompts",
        0,
        {
            "benchmark": local(
                {"id": "choices.jsonl"},
                choices="options",
                target_is="index",
                shuffle_choices=3,
            ),
            "solvers": {"models": [f"{SERVED}alpha"]},
            "facets": {
                "prompt": ["builtin:multiple_choice", "on_topic", "few_shot"],
                "scorer": "multiple_choice",
                "grader": ["mockllm/judge"],
                "rubric": ["strict"],
            },
            "budget": {"policy": "full-interactive", "pricing_path": "prices.json"},
        },
    )
    rows = [
        {**row, "options": [n, n + 1, "neither"], "answer": n % 3} for n, row in enumerate(items(4))
    ]
    session.file("choices.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    session.file(
        "prompts/solver/few_shot.md",
        "<|system|>\nOn {topic}.\n\n<|user|>\n1 + 0?\n<|assistant|>\n1\n"
        "<|user|>\n{input}\n{choices}\n",
    )
    session.file("prompts/solver/on_topic.md", "On {topic}: {input}\n\n{choices}\n\n{topc}\n")
    session.give("estimate {config} --json")
    session.give("run {config} --yes")
    session.give("run {config} --yes --json")
    talk = [{"role": "user", "content": "1 + 0?"}, {"role": "assistant", "content": "1"}]
    rows = [
        {
            **row,
            # Items with answers stay what they were: these are others.
            "id": f"chat-{row['id']}",
            "question": [*talk, {"role": "user", "content": row["question"]}],
            "picture": "dot.gif",
        }
        for row in items(2)
    ]
    session.file("dot.gif", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;")
    session.file("chats.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    session.file("prompts/solver/kind.md", "<|system|>\nBe kind.\n<|user|>\n{input}\n")
    none = dict.fromkeys(("choices", "target_is", "shuffle_choices"))
    session.edit(
        {
            "benchmark": local({"id": "chats.jsonl"}, chat=True, images="picture", **none),
            "facets": {"prompt": ["kind"], "scorer": "exact_match"},
        }
    )
    session.give("run {config} --yes --json")
    session.give("show {config} chat-q1 --json")
    return session


def tasked(place: Place, server: ModelServer) -> Session:
    """A task of inspect_ai: an agent, then a judge beside its scorers, then an edited task."""
    session = Session(place, "tasked")
    session.edit(
        {
            "study": "tasked",
            "output_dir": place.studies,
            "benchmark": {
                "adapter": "inspect",
                "task": "tasks.py@agent",
                "args": {"judge": "mockllm/other", "count": 2},
            },
            "solvers": {"models": ["mockllm/a"], "max_tokens": 200},
            "facets": {"replications": 2},
            "budget": {"policy": "full-interactive"},
        }
    )
    session.file("tasks.py", AGENT)
    session.give("status {config}")
    session.give("estimate {config}")
    session.give("run {config} --json")
    session.edit({"facets": {"grader": ["mockllm/judge"]}})
    session.give("run {config}")
    session.file("tasks.py", AGENT.replace("Use the tool.", "Use a tool."))
    session.give("estimate {config} --json")
    session.give("run {config} --json")
    session.edit({"benchmark": {"args": {"count": 3}}})
    session.give("status {config}")
    session.edit({"benchmark": {"args": {"cuont": 3}}})
    session.give("run {config} --json")
    return session


SCENES: Mapping[str, Callable[[Place, ModelServer], Session]] = {
    scene.__name__: scene
    for scene in (grid, served, every_key, formats, hub, batch, scored, prompts, tasked, published)
}
