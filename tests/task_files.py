"""Tasks of inspect_ai for tests, written beside the YAML of a study."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.model_server import Answer, Request, json_answer
from tests.studies import merged

__all__ = [
    "AGENT",
    "ASKING",
    "ODD",
    "PICTURES",
    "QUESTIONS",
    "SHELL",
    "WILD",
    "agent_reply",
    "tool_answer",
    "write_task_study",
]

# Questions that are answered in one call, and scored by two scorers of inspect_ai.
QUESTIONS = """\
from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.scorer import includes, match
from inspect_ai.solver import generate, system_message


@task
def sums(count: int = 4, word: str = "sum"):
    samples = [
        Sample(id=f"s{n}", input=f"What is the {word} of {n} and {n}?", target=str(2 * n),
               metadata={"topic": word})
        for n in range(1, count + 1)
    ]
    return Task(
        dataset=MemoryDataset(samples, name="sums"),
        solver=[system_message("Be brief."), generate()],
        scorer=[match(), includes()],
    )
"""

# An agent with a tool, a scorer of two values, and one that asks the model of the study.
AGENT = '''\
from inspect_ai import Task, task
from inspect_ai.agent import react
from inspect_ai.dataset import Sample
from inspect_ai.model import get_model
from inspect_ai.scorer import Score, Target, accuracy, mean, scorer
from inspect_ai.solver import TaskState
from inspect_ai.tool import tool


@tool
def add():
    async def execute(x: int, y: int) -> str:
        """Add two numbers.

        Args:
            x: One number.
            y: The other number.
        """
        return str(x + y)

    return execute


@scorer(metrics={"right": [accuracy()], "calls": [mean()]})
def checked():
    async def score(state: TaskState, target: Target) -> Score:
        calls = sum(message.role == "tool" for message in state.messages)
        is_right = target.text in state.output.completion
        return Score(value={"right": "C" if is_right else "I", "calls": calls})

    return score


@scorer(metrics=[accuracy()])
def judged(model: str = ""):
    async def score(state: TaskState, target: Target) -> Score:
        judge = get_model(model) if model else get_model()
        reply = await judge.generate(f"Is {target.text} in: {state.output.completion}")
        return Score(value="C" if target.text in reply.completion else "I", explanation="asked")

    return score


@task
def agent(judge: str = "", count: int = 4, message_limit: int = 20):
    samples = [
        Sample(id=n, input=f"Add {n} and {n}.", target=str(2 * n)) for n in range(1, count + 1)
    ]
    return Task(
        dataset=samples,
        solver=react(prompt="Use the tool.", tools=[add()]),
        scorer=[checked(), judged(judge)],
        message_limit=message_limit,
    )
'''

# An agent that goes on after any error, and a scorer that counts its failed steps. It asks the
# model of the task, or one of its own.
STUBBORN = """\
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.model import get_model
from inspect_ai.scorer import Score, mean, scorer
from inspect_ai.solver import solver


@solver
def steps(most, model):
    async def solve(state, generate):
        done = []
        for step in range(most):
            try:
                said = await get_model(model).generate(f"{state.input} Step {step}")
                done.append(said.completion)
            except Exception:
                done.append("failed")
            if done[-1] == "enough":
                break
        state.output.completion = " | ".join(done)
        return state

    return solve


@scorer(metrics=[mean()])
def share():
    async def score(state, target):
        return Score(value=float("failed" not in state.output.completion))

    return score


@task
def stubborn(count: int = 8, most: int = 6, model: str | None = None):
    samples = [Sample(id=n, input=f"Add {n}?", target=str(n)) for n in range(count)]
    return Task(dataset=samples, scorer=share(), solver=steps(most, model))
"""

# A scorer that asks a model again and again, and goes on after any error.
ASKING = """\
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.model import get_model
from inspect_ai.scorer import Score, mean, scorer


@scorer(metrics=[mean()])
def jury(most, model):
    async def score(state, target):
        said = []
        for nr in range(most):
            try:
                told = await get_model(model).generate(f"Is it right? Juror {nr}")
                said.append(told.completion)
            except Exception:
                said.append("failed")
            if said[-1] == "enough":
                break
        return Score(value=float("failed" not in said))

    return score


@task
def asking(count: int = 8, most: int = 200, model: str | None = None):
    samples = [Sample(id=n, input=f"Add {n}?", target=str(n)) for n in range(count)]
    return Task(dataset=samples, scorer=jury(most, model))
"""

# An agent in the sandbox of this machine, whose scorer looks at the files that it left.
SHELL = """\
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import Score, accuracy, scorer
from inspect_ai.solver import basic_agent
from inspect_ai.tool import bash
from inspect_ai.util import sandbox


@scorer(metrics=[accuracy()])
def files():
    async def score(state, target):
        seen = await sandbox().exec(["cat", "note.txt", "made.txt"])
        return Score(value="C" if target.text in seen.stdout else "I", explanation=seen.stdout)

    return score


@task
def shell():
    samples = [
        Sample(id=f"f{n}", input=f"File {n}.", target="made 1", files={"note.txt": f"note {n}"})
        for n in range(3)
    ]
    return Task(
        dataset=samples,
        solver=basic_agent(tools=[bash()], message_limit=10),
        scorer=files(),
        sandbox="local",
    )
"""

# Questions with pictures beside the file: one, and two in one question.
PICTURES = """\
from pathlib import Path

from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessageUser, ContentImage, ContentText
from inspect_ai.scorer import includes, match

HERE = Path(__file__).parent


@task
def pictures():
    shown = {"p1": ["red.png"], "p2": ["blue.png"], "p3": ["red.png", "blue.png"], "p4": []}
    samples = [
        Sample(
            id=id,
            input=[ChatMessageUser(content=[
                ContentText(text=f"Which colours? ({id})"),
                *(ContentImage(image=str(HERE / name)) for name in names),
            ])],
            target=" and ".join(name.removesuffix(".png") for name in names) or "none",
        )
        for id, names in shown.items()
    ]
    return Task(dataset=samples, scorer=[match(), includes()])
"""

# Chats and an image; metadata that has the names of columns of ours.
ODD = """\
from pathlib import Path

from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.model import (
    ChatMessageAssistant, ChatMessageSystem, ChatMessageUser, ContentImage, ContentText
)
from inspect_ai.scorer import Score, mean, scorer

print("loaded")
DOT = str(Path(__file__).parent / "dot.gif")


@scorer(metrics=[mean()])
def odd():
    async def score(state, target):
        print("scored")
        values = {"1": "maybe", "2": [1, 2], "x": float("nan")}
        value = values.get(str(state.sample_id), 0.25)
        return None if state.sample_id == "none" else Score(value=value, explanation="why")

    return score


@task
def odd_ones():
    talk = [
        ChatMessageSystem(content="Be kind."), ChatMessageUser(content="1?"),
        ChatMessageAssistant(content="One."), ChatMessageUser(content="2?"),
    ]
    picture = [ContentText(text="What is it?"), ContentImage(image=DOT)]
    theirs = {"item_id": "z", "epoch": 9, "dataset_id": "d", "most_usd": 5, "path": Path("/x")}
    samples = [
        Sample(input="one", target=["1", "uno"], id=1, metadata=theirs),
        Sample(input=talk, target="2", id="2"),
        Sample(input=[ChatMessageUser(content=picture)], target="dot", id="x"),
        Sample(input="emoji", id="\\u00e9/\\U0001f600", choices=["a", "b"]),
        Sample(input="none", id="none"),
    ]
    mine = {"study": "theirs", "model": "m"}
    return Task(dataset=samples, scorer=odd(), metadata=mine, version="3-x")
"""

# A scorer whose values only its scores name.
WILD = """\
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import Score, match, mean, scorer


@scorer(metrics={"*": [mean()]})
def wild():
    async def score(state, target):
        return Score(value={"length": 7, "polite": "C"})

    return score


@task
def sums():
    samples = [Sample(id=f"s{n}", input=f"{n} and {n}?", target=str(2 * n)) for n in range(1, 5)]
    return Task(dataset=samples, scorer=[match(), wild()])
"""


def write_task_study(
    folder: Path,
    *,
    task: str = "tasks.py@sums",
    text: str = QUESTIONS,
    args: Mapping[str, Any] | None = None,
    models: Sequence[str] = ("mockllm/a",),
    replications: int = 1,
    graders: Sequence[str] = (),
    policy: str = "full-interactive",
    extra: Mapping[str, Any] | None = None,
) -> Path:
    """Write `study.yaml` and `tasks.py`; returns the path of the YAML."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tasks.py").write_text(text, encoding="utf-8")
    document = {
        "study": "toy",
        "benchmark": {"adapter": "inspect", "task": task, **({"args": dict(args)} if args else {})},
        "solvers": {"models": list(models)},
        "facets": {"grader": list(graders), "replications": replications},
        "budget": {"policy": policy},
    }
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(merged(document, extra or {}), sort_keys=False), "utf-8")
    return path


def agent_reply(request: Request) -> Answer | str | None:
    """What a model of the server says to the agent: a call of the tool, then of `submit`.

    The judge says what it was asked.
    """
    last = request.messages[-1]
    if str(last["content"] or "").startswith("Is "):
        return str(last["content"])
    if any(message["role"] == "tool" for message in request.messages):
        said = next(m["content"] for m in reversed(request.messages) if m["role"] == "tool")
        return tool_answer(request, "submit", {"answer": f"It is {said}"})
    number = int(str(_question(request)).split()[1])
    return tool_answer(request, "add", {"x": number, "y": number})


def _question(request: Request) -> Any:
    asked = (message["content"] for message in request.messages if message["role"] == "user")
    return next(text for text in asked if str(text).startswith("Add "))


def tool_answer(request: Request, tool: str, arguments: Mapping[str, Any]) -> Answer:
    """A completion that calls a tool."""
    call = {
        "id": f"call_{tool}",
        "type": "function",
        "function": {"name": tool, "arguments": json.dumps(arguments)},
    }
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    usage = {
        "prompt_tokens": request.prompt_tokens,
        "completion_tokens": 7,
        "total_tokens": request.prompt_tokens + 7,
    }
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    return json_answer(
        200,
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 0,
            "model": request.model,
            "choices": [choice],
            "usage": usage,
        },
    )
