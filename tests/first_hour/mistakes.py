"""What beginners get wrong, each in a project fresh from `init`, and what they are told.

`python -m tests.first_hour.mistakes` writes docs/mistakes.md anew.
"""

import io
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from itemeval_assets.cli.main import run_cli
from tests.task_files import QUESTIONS

PAGE = Path(__file__).parents[2] / "docs" / "mistakes.md"
HEAD = """\
# Mistakes and messages

What a beginner may get wrong, and what the tool answers. Each of these commands ends with exit code
2 before any call, and leaves nothing new on the disk. `python -m tests.first_hour.mistakes` makes
this table: it makes each mistake in a project fresh from `itemeval-assets init`.

| mistake | command | message |
|---|---|---|
"""

# A rubric that a model writes for each item.
WRITTEN = {
    "facets.rubric": ["tailored"],
    "rubrics": {
        "tailored": {
            "materialize": {"model": "mockllm/writer", "template": "write"},
            "grade_template": "by_rubric",
        }
    },
}


class Told(NamedTuple):
    """What came of a mistake. `is_harmless`: the files are as they were, and there is no new one.

    `printed` on standard output.
    """

    code: int
    message: str
    is_harmless: bool
    printed: str


@dataclass(frozen=True)
class Mistake:
    """One slip: keys of the YAML that are set (null: taken out) or files that are written, and the
    command that meets it."""

    title: str
    keys: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str | bytes | None] = field(default_factory=dict)
    command: tuple[str, ...] = ("run", "study.yaml")
    without: str = ""

    def make(self, project: Path) -> None:
        """Write it into a project."""
        path = project / "study.yaml"
        study = yaml.safe_load(path.read_text())
        for where, value in self.keys.items():
            _set(study, where.split("."), value)
        if self.keys or self.without:
            if self.without:
                _remove(study, self.without.split("."))
            path.write_text(yaml.safe_dump(study, sort_keys=False))
        for name, text in self.files.items():
            file = project / name
            if text is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(text if isinstance(text, bytes) else text.encode())


def _set(section: Any, path: list[str], value: Any) -> None:
    for part in path[:-1]:
        section = section.setdefault(part, {})
    section[path[-1]] = value


def _remove(section: Any, path: list[str]) -> None:
    for part in path[:-1]:
        section = section[part]
    del section[path[-1]]


ITEM = '{"id": "q1", "question": "What is 2 + 2?", "answer": "4", "topic": "sums"}\n'
COLUMNS = "id,question,answer,topic\n"
CSV = {"benchmark.datasets": [{"id": "items.csv"}]}
OWN = {"type": "python", "function": "mine.py:score"}
GRADED = {"model": "mockllm/judge", "scorer": "model_graded_qa"}
TASK = {"adapter": "inspect", "task": "tasks.py@sums"}
TASKS = {"tasks.py": QUESTIONS}
LOGS = {"adapter": "logs", "task": "tasks.py@sums"}
# As a hand writes it, `models:` last.
BY_HAND = """\
study: my_study
benchmark:
  adapter: local
  datasets: [{id: items.jsonl}]
  mapping: {id: id, input: question, target: answer}
facets: {scorer: numeric}
solvers:
  models: [mockllm/alpha, mockllm/beta]
"""
LIST = "[mockllm/alpha, mockllm/beta]"


def drawn(lines: str, **sample: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """Keys and files of a study that draws its models from a roster."""
    keys = {"solvers": {"sample": {"roster": "roster.txt", "n": 2, **sample}}}
    return keys, {"roster.txt": lines}


def by_hand(before: str, after: str) -> dict[str, str]:
    """The study file with a slip."""
    return {"study.yaml": BY_HAND.replace(before, after)}


MISTAKES = [
    # Keys of the YAML.
    Mistake("A model without its provider", {"solvers.models": ["gpt-4.1-mini"]}),
    Mistake("A provider with a slip", {"solvers.models": ["opnai/gpt-4.1-mini"]}),
    Mistake(
        "A model of a provider whose package is not installed",
        {"solvers.models": ["mistral/mistral-small-latest"]},
    ),
    Mistake("A model without its API key", {"solvers.models": ["openai/gpt-4.1-mini"]}),
    Mistake("A local model whose server is not started", {"solvers.models": ["ollama/llama3.2"]}),
    Mistake("More models than the roster has", *drawn("mockllm/a\n")),
    Mistake("A roster of models without prices", *drawn("mockllm/a\nopenai/unheard-of\n", n=1)),
    Mistake("A model twice in a roster", *drawn("mockllm/a\nmockllm/b\nmockllm/a\n")),
    Mistake("Models drawn by what is no stratum", *drawn("mockllm/a\nmockllm/b\n", by="price")),
    Mistake(
        "A sample of models as itemeval has it",
        {"solvers": {"sample": {"universe": "models.txt", "n": 2, "stratify_by": "provider"}}},
    ),
    Mistake(
        "Batches of the provider itself, without its key",
        {
            "solvers.models": ["openrouter/openai/gpt-4.1-mini"],
            "budget": {"policy": "full-batch", "prefer_native_batch": True},
        },
    ),
    Mistake("A misspelt key", {"solvers.modles": ["mockllm/a"]}),
    Mistake("A section in the wrong place", {"models": ["mockllm/a"]}),
    Mistake("`system_prompt`, as in other tools", {"solvers.system_prompt": "Be brief."}),
    Mistake("`judges`, as in other tools", {"judges": {"judge": {"model": "mockllm/judge"}}}),
    Mistake("`epochs`, as in inspect_ai", {"facets.epochs": 3}),
    Mistake("`temperature` among the facets", {"facets.temperature": 0.7}),
    Mistake("`providers`, as in promptfoo", {"providers": ["openai:gpt-4.1-mini"]}),
    Mistake("`tasks`, as in lm-evaluation-harness", {"tasks": ["gsm8k"]}),
    Mistake("A scorer that there is not", {"facets.scorer": "f1"}),
    Mistake("Two scorers in one text", {"facets.scorer": "exact_match, numeric"}),
    Mistake("A scorer with a slip", {"facets.scorer": "exactmatch"}),
    Mistake(
        "A type of scorer with a slip",
        {"facets.scorer": "mine", "scorers.mine": {"type": "regx", "pattern": "x"}},
    ),
    Mistake(
        "A pattern with lookbehind",
        {"facets.scorer": "mine", "scorers.mine": {"type": "regex", "pattern": "(?<=is )x"}},
    ),
    Mistake(
        "A group that the pattern has not",
        {"facets.scorer": "mine", "scorers.mine": {"type": "regex", "pattern": "x", "group": 1}},
    ),
    Mistake(
        "An own scorer with the name of a packaged one",
        {"scorers.exact_match": {"type": "contains"}},
    ),
    Mistake("A scorer and a judge of one name", {"scorers.judge": {"type": "contains"}}),
    Mistake(
        "A path as JSONPath writes it",
        {"facets.scorer": "mine", "scorers.mine": {"type": "json", "path": "$.answers[0]"}},
    ),
    Mistake(
        "`choice` of inspect_ai",
        {"facets.scorer": "mine", "scorers.mine": {"type": "inspect", "scorer": "choice"}},
    ),
    Mistake(
        "A scorer of inspect_ai with a slip",
        {"facets.scorer": "mine", "scorers.mine": {"type": "inspect", "scorer": "includs"}},
    ),
    Mistake(
        "A scorer of inspect_ai that asks a model",
        {"facets.scorer": "mine", "scorers.mine": {"type": "inspect", "scorer": "model_graded_qa"}},
    ),
    Mistake(
        "A judge by a scorer that asks no model",
        {"graders.judge": {"model": "mockllm/judge", "scorer": "includes"}},
    ),
    Mistake(
        "Several models as one judge",
        {"graders.judge": {"model": ["mockllm/a", "mockllm/b"], "scorer": "model_graded_qa"}},
    ),
    Mistake(
        "Messages for a model-graded scorer",
        {"graders.judge": {**GRADED, "args": {"include_history": True}}},
    ),
    Mistake(
        "Braces in a grading template",
        {"graders.judge": {**GRADED, "args": {"template": '{answer} {"score": 1}'}}},
        without="facets.rubric",
    ),
    Mistake("A rubric beside model-graded scorers", {"graders.judge": GRADED}),
    Mistake("A prompt beside a task", {"benchmark": TASK}, TASKS),
    Mistake(
        "A task with a slip",
        {"benchmark": {**TASK, "task": "tasks.py@sum"}},
        TASKS,
        without="facets.prompt",
    ),
    Mistake(
        "An argument of a task with a slip",
        {"benchmark": {**TASK, "args": {"cuont": 3}}},
        TASKS,
        without="facets.prompt",
    ),
    Mistake(
        "`task_args` of inspect_ai",
        {"benchmark": {**TASK, "task_args": {"count": 3}}},
        TASKS,
        without="facets.prompt",
    ),
    Mistake(
        "Logs without their task, before any came in",
        {"benchmark": LOGS},
        without="facets.prompt",
    ),
    Mistake(
        "Where the logs lie, in the YAML",
        {"benchmark": {**LOGS, "path": "logs"}},
        without="facets.prompt",
    ),
    Mistake(
        "An argument that a scorer of inspect_ai has not",
        {
            "facets.scorer": "mine",
            "scorers.mine": {"type": "inspect", "scorer": "match", "args": {"where": "end"}},
        },
    ),
    Mistake(
        "A pattern of inspect_ai that does not compile",
        {
            "facets.scorer": "mine",
            "scorers.mine": {"type": "inspect", "scorer": "pattern", "args": {"pattern": "("}},
        },
    ),
    Mistake(
        "A Python scorer that there is not",
        {"facets.scorer": "mine", "scorers.mine": OWN},
        {"mine.py": "def scor(solution, target, metadata):\n    return 1\n"},
    ),
    Mistake(
        "A Python scorer that needs what is not installed",
        {"facets.scorer": "mine", "scorers.mine": OWN},
        {
            "mine.py": "import rouge_of_old\n\ndef score(s, t, m):\n    return 1\n",
        },
    ),
    Mistake(
        "A Python scorer with other arguments",
        {"facets.scorer": "mine", "scorers.mine": OWN},
        {"mine.py": "def score(answer):\n    return 1\n"},
    ),
    Mistake(
        "A class in the place of a function",
        {"facets.scorer": "mine", "scorers.mine": OWN},
        {"mine.py": "class score:\n    def __init__(self, solution, target, metadata): ...\n"},
    ),
    Mistake(
        "A rater without a scale",
        {"facets.grader": ["judge", "anna"], "graders.anna": {"kind": "human"}},
    ),
    Mistake(
        "A person as a judge",
        {"facets.grader": ["judge", "anna"], "graders.anna": {"kind": "person", "scale": [0, 1]}},
    ),
    Mistake(
        "A sheet before there is an answer",
        command=("ratings", "sheet", "study.yaml", "--rater", "anna", "--scale", "0,1"),
    ),
    Mistake(
        "A sheet for a rater who is a judge",
        command=("ratings", "sheet", "study.yaml", "--rater", "judge"),
    ),
    Mistake(
        "A sheet of another study",
        files={"sheet.csv": "code,score\nbcdfghjk,1\n"},
        command=("ratings", "import", "sheet.csv", "study.yaml"),
    ),
    Mistake("A scorer among the graders", {"facets.grader": ["exact_match"]}),
    Mistake("A judge among the scorers", {"facets.scorer": "judge"}),
    Mistake("A judge that is not defined", {"facets.grader": ["jugde"]}),
    Mistake("No grader and no scorer", {"facets.grader": [], "facets.scorer": None}),
    Mistake("One model in place of a list", {"solvers.models": "mockllm/alpha"}),
    Mistake(
        "No blank after a dash",
        files=by_hand(LIST, "\n    -mockllm/alpha\n    -mockllm/beta"),
    ),
    Mistake("A list in quotes", files=by_hand(LIST, f'"{LIST}"')),
    Mistake(
        "An environment variable in the YAML",
        files=by_hand("mockllm/alpha", "${MODEL}"),
    ),
    Mistake("The same model twice", {"solvers.models": ["mockllm/alpha", "mockllm/alpha"]}),
    Mistake("A dataset with `path`", {"benchmark.datasets": [{"path": "items.jsonl"}]}),
    Mistake(
        "A mapping by the names of the columns",
        {"benchmark.mapping": {"id": "id", "question": "question", "answer": "answer"}},
    ),
    Mistake("A dataset without `id:`", {"benchmark.datasets": ["items.jsonl"]}),
    Mistake("One dataset in place of a list", {"benchmark.datasets": "items.jsonl"}),
    Mistake(
        "One config in place of a list",
        {"facets.model_config": {"name": "cool", "temperature": 0}},
    ),
    Mistake("An API key in the YAML", {"solvers.api_key": "sk-..."}),
    Mistake("A number in words", {"facets.replications": "three"}),
    Mistake("No replications", {"facets.replications": 0}),
    Mistake("A policy that there is not", {"budget.policy": "full"}),
    Mistake("Money with its sign", {"budget.max_usd": "$10"}),
    Mistake("A scorer before a judge that there is not", {"graders.judge.after": "exact"}),
    Mistake(
        "A scorer before a judge without a scale",
        {"graders.judge.after": "exact_match", "graders.judge.scale": None},
    ),
    Mistake("A scale from its highest score", {"graders.judge.scale": [1, 0]}),
    Mistake("A scale in words", {"graders.judge.scale": "0-1"}),
    Mistake("A name with a blank", {"study": "My Study"}),
    Mistake("A name that is a number", {"study": 2024}),
    Mistake("A name in curly quotes", files=by_hand("my_study", "“my_study”")),
    Mistake(
        "A backslash in double quotes",
        files=by_hand("items.jsonl", r'"C:\Users\me\items.jsonl"'),
    ),
    Mistake("A file in the place of the folder of results", {"output_dir": "items.jsonl"}),
    Mistake("No benchmark", without="benchmark"),
    Mistake("A tab in the YAML", files={"study.yaml": "study: my_study\n\tsolvers: 1\n"}),
    Mistake(
        "No blank after a colon", files={"study.yaml": "study:my_study\nsolvers:\n  models: []\n"}
    ),
    Mistake(
        "A line that is indented otherwise",
        files={"study.yaml": "solvers:\n    models: []\n  temperature: 0\n"},
    ),
    Mistake(
        "A bracket that is not closed",
        files={"study.yaml": "solvers:\n  models: [mockllm/a\nstudy: my_study\n"},
    ),
    Mistake("An empty file", files={"study.yaml": ""}),
    Mistake("A time zone without its region", {"automation.timezone": "Berlin"}),
    Mistake(
        "Precision of half-width 0",
        {"benchmark.sample": {"n": 4}, "precision": {"half_width": 0}},
    ),
    Mistake(
        "Precision of two kinds, and items in no random order",
        {"precision": {"half_width": 0.02, "detect": 0.03}},
    ),
    Mistake("A gate without a margin", {"gate": {"against": "v1.0.0", "margin": 0}}),
    Mistake(
        "A gate by what is no grader",
        {"gate": {"against": "v1.0.0", "margin": 0.02, "metrics": ["accuracy"]}},
    ),
    Mistake("A plan before the first run", command=("plan", "study.yaml", "--detect", "2pt")),
    Mistake("A pilot that is too small", command=("plan", "study.yaml", "--pilot", "3")),
    Mistake(
        "A power in percent", command=(*["plan", "study.yaml", "--omega2", "0.2", "--power", "80"],)
    ),
    Mistake("A cluster that is no column", {"measurement.cluster": "topics"}),
    Mistake("A sample by what is no column", {"benchmark.sample": {"n": 4, "by": "topics"}}),
    Mistake("A sample larger than the data", {"benchmark.sample": {"n": 1000}}),
    # Templates.
    Mistake("A template that there is not", {"facets.prompt": ["concice"]}),
    Mistake("A built-in template without `builtin:`", {"facets.prompt": ["standard"]}),
    Mistake("A built-in template that there is not", {"facets.prompt": ["builtin:cot"]}),
    Mistake(
        "A template whose name ends otherwise",
        files={"prompts/solver/concise.md": None, "prompts/solver/concise.txt": "{input}\n"},
    ),
    Mistake(
        "`{question}` in place of `{input}`",
        files={"prompts/solver/concise.md": "Answer: {question}\n"},
    ),
    Mistake(
        "`{{ input }}`, as in Jinja",
        files={"prompts/solver/concise.md": "Answer: {{ input }}\n"},
    ),
    Mistake(
        "A rubric with one criterion",
        files={"rubrics/correctness.md": "---\ncriteria: [correct]\n---\n{input} {solution}\n"},
    ),
    Mistake(
        "A rubric without the solution",
        files={"rubrics/correctness.md": "Grade {input} by {target}.\n"},
    ),
    Mistake(
        "Rubrics that a model writes, and no `{rubric}` for the judge",
        WRITTEN,
        {"rubrics/write.md": "{input}\n", "rubrics/by_rubric.md": "{input} {solution}\n"},
    ),
    Mistake(
        "Rubrics that a model is to write from each solution",
        WRITTEN,
        {
            "rubrics/write.md": "{input} {solution}\n",
            "rubrics/by_rubric.md": "{rubric} {input} {solution}\n",
        },
    ),
    Mistake(
        "A turn with a slip",
        files={"prompts/solver/concise.md": "<|sytem|>\nBe brief.\n\n<|user|>\n{input}\n"},
    ),
    Mistake("A template that is empty", files={"prompts/solver/concise.md": ""}),
    # Data.
    Mistake("No file of items", {"benchmark.datasets": [{"id": "questions.jsonl"}]}),
    Mistake("A column that is not in the data", {"benchmark.mapping.input": "prompt"}),
    Mistake(
        "Choices, and a target that may mean anything", {"benchmark.mapping.choices": "options"}
    ),
    Mistake(
        "A target that is none of the choices",
        {
            "benchmark.mapping.choices": "options",
            "benchmark.mapping.target_is": "letter",
            "facets.prompt": ["builtin:multiple_choice"],
        },
        {"items.jsonl": ITEM.replace("}", ', "options": ["3", "4"]}')},
    ),
    Mistake(
        "The right choice twice",
        {
            "benchmark.mapping.choices": "options",
            "benchmark.mapping.target_is": "letter",
            "facets.prompt": ["builtin:multiple_choice"],
        },
        {"items.jsonl": ITEM.replace('"4"', '"A"').replace("}", ', "options": ["4", "3", "4"]}')},
    ),
    Mistake(
        "Chats, and nobody says how they are sent",
        files={
            "items.jsonl": ITEM.replace('"What is 2 + 2?"', '[{"role": "user", "content": "2+2?"}]')
        },
    ),
    Mistake("An image that there is not", {"benchmark.mapping.images": "topic"}),
    Mistake("An item twice", files={"items.jsonl": ITEM + ITEM}),
    Mistake(
        "A CSV file that is called `.xlsx`",
        {"benchmark.datasets": [{"id": "items.xlsx"}]},
        {"items.xlsx": COLUMNS},
    ),
    Mistake(
        "An old Excel file that is called `.xlsx`",
        {"benchmark.datasets": [{"id": "items.xlsx"}]},
        {"items.xlsx": b"\xd0\xcf\x11\xe0"},
    ),
    Mistake(
        "A folder without Parquet files",
        {"benchmark.datasets": [{"id": "data/"}]},
        {"data/items.csv": COLUMNS},
    ),
    Mistake(
        "A CSV with semicolons",
        CSV,
        {"items.csv": "id;question;answer;topic\nq1;What is 2 + 2?;4;sums\n"},
    ),
    Mistake(
        "A file with tabs between its cells",
        {"benchmark.datasets": [{"id": "items.tsv"}]},
        {"items.tsv": COLUMNS.replace(",", "\t")},
    ),
    Mistake(
        "A CSV in another encoding",
        CSV,
        {"items.csv": "id,question,answer,topic\nq1,Où?,4,sums\n".encode("cp1252")},
    ),
    Mistake("A CSV in UTF-16", CSV, {"items.csv": COLUMNS.encode("utf-16")}),
    Mistake("An Excel file that is called `.csv`", CSV, {"items.csv": b"PK\x03\x04\xff"}),
    Mistake(
        "A header with blanks",
        CSV,
        {"items.csv": "id, question, answer, topic\nq1, What is 2 + 2?, 4, sums\n"},
    ),
    Mistake(
        "A row without values", CSV, {"items.csv": f"{COLUMNS},,,\nq1,What is 2 + 2?,4,sums\n"}
    ),
    Mistake("A JSON list that is called `.jsonl`", files={"items.jsonl": f"[{ITEM.strip()}]\n"}),
    Mistake("A line that is no JSON", files={"items.jsonl": ITEM + "{'id': 'q2'}\n"}),
    Mistake("A file without items", files={"items.jsonl": ""}),
    Mistake(
        "Targets that the only scorer cannot compare with",
        {"facets.scorer": "numeric", "facets.grader": []},
        {"items.jsonl": ITEM.replace('"4"', '"four"')},
    ),
    Mistake(
        "Targets that are lists of right answers",
        {"facets.scorer": "exact_match", "facets.grader": []},
        {"items.jsonl": ITEM.replace('"4"', '["four", "4"]')},
    ),
    Mistake("A hub id with `adapter: local`", {"benchmark.datasets": [{"id": "openai/gsm8k"}]}),
    # Commands.
    Mistake("A folder in place of the file", command=("run", ".")),
    Mistake("The data in place of the study", command=("run", "items.jsonl")),
    Mistake("The Python file in place of the study", command=("run", "definitions.py")),
    Mistake("A file that there is not", command=("run", "stduy.yaml")),
    Mistake("A command with a slip", command=("rnu", "study.yaml")),
    Mistake("A study without a command", command=("study.yaml",)),
    Mistake("An option with a slip", command=("run", "study.yaml", "--yess")),
    Mistake("A condition that there is not", command=("run", "study.yaml", "--condition", "alhpa")),
    Mistake("A grader that there is not", command=("run", "study.yaml", "--grader", "jugde")),
    Mistake("A stage that there is not", command=("run", "study.yaml", "--only", "solution")),
    Mistake("A limit below zero", command=("run", "study.yaml", "--max-usd", "-1")),
    Mistake(
        "A comparison before the first run", command=("compare", "study.yaml", "alpha", "beta")
    ),
    Mistake("A comparison without its file", command=("compare", "alpha", "beta")),
    Mistake(
        "A table before the first run", command=("scores", "study.yaml", "--out", "scores.csv")
    ),
    # Later times.
    Mistake("A wave listed twice", {"waves": ["2026-12", "2026-12"]}),
    Mistake("A wave that YAML takes for a number", {"waves": [2026]}),
    Mistake("A wave with a name that is none", command=("run", "study.yaml", "--wave", "Dec 2026")),
    Mistake(
        "A rejudge before the first run", command=("run", "study.yaml", "--rejudge", "2026-12")
    ),
    Mistake(
        "A rejudge without a judge",
        {"facets.grader": []},
        command=("run", "study.yaml", "--rejudge", "2026-12"),
    ),
    Mistake("Drift before a wave", command=("drift", "study.yaml")),
    Mistake("A project that is there already", command=("init", ".")),
    Mistake("A seal of a study that claims nothing", command=("seal", "study.yaml")),
    Mistake(
        "Hypotheses without what decides them",
        {"seal.hypotheses": ["alpha is better"]},
        command=("seal", "study.yaml"),
    ),
    Mistake("A port that is no port", command=("ui", "study.yaml", "--port", "99999")),
]


def tell(mistake: Mistake, fresh: Path, folder: Path) -> Told:
    """Make a mistake in a copy of a fresh project, and run its command there."""
    shutil.copytree(fresh, folder)
    mistake.make(folder)
    before, said, printed = _contents(folder), io.StringIO(), io.StringIO()
    with chdir(folder), redirect_stderr(said), redirect_stdout(printed):
        code = run_cli(list(mistake.command))
    message, document = (_without_places(text.getvalue(), folder) for text in (said, printed))
    told = message.strip().removeprefix("error: ")
    return Told(code, told, before == _contents(folder), document)


def _without_places(text: str, folder: Path) -> str:
    """A text that says nothing of the folder and the Python that it was made with."""
    found = text.replace(f"{folder}/", "").replace(str(folder), ".")
    return found.replace(sys.executable, "python")


def fresh_project(folder: Path) -> Path:
    with redirect_stdout(io.StringIO()):
        assert run_cli(["init", str(folder)]) == 0
    return folder


def row(mistake: Mistake, message: str) -> str:
    """The line of the table."""
    text = "<br>".join(line.strip() for line in message.splitlines())
    for sign in "<>|":
        text = text.replace("<br>", "\n").replace(sign, f"\\{sign}").replace("\n", "<br>")
    return f"| {mistake.title} | `{' '.join(mistake.command)}` | {text} |\n"


def _contents(folder: Path) -> dict[Path, bytes | None]:
    """What each file holds, and each folder."""
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def main() -> None:
    for name in [name for name in os.environ if name.endswith("API_KEY")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as folder:
        fresh = fresh_project(Path(folder) / "fresh")
        rows = [
            row(mistake, tell(mistake, fresh, Path(folder) / str(number)).message)
            for number, mistake in enumerate(MISTAKES)
        ]
    PAGE.write_text(HEAD + "".join(rows))
    print(f"{PAGE}: {len(rows)} mistakes")


if __name__ == "__main__":
    main()
