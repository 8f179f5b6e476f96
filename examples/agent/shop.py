"""An agent that looks up prices with a tool, as a task of inspect_ai."""

from inspect_ai import Task, task
from inspect_ai.agent import react
from inspect_ai.dataset import Sample
from inspect_ai.scorer import Score, Scorer, Target, accuracy, mean, scorer
from inspect_ai.solver import TaskState
from inspect_ai.tool import Tool, tool

PRICES = {"apple": 3, "bread": 5, "cheese": 9, "dates": 7, "eggs": 4, "figs": 8}


@tool
def look_up() -> Tool:
    async def execute(item: str) -> str:
        """Look up the price of an item.

        Args:
            item: The name of the item.
        """
        return str(PRICES.get(item, "not sold here"))

    return execute


@scorer(metrics={"right": [accuracy()], "lookups": [mean()]})
def checked() -> Scorer:
    """Whether the price is right, and how often the agent looked."""

    async def score(state: TaskState, target: Target) -> Score:
        lookups = sum(message.role == "tool" for message in state.messages)
        is_right = target.text in state.output.completion
        return Score(value={"right": "C" if is_right else "I", "lookups": lookups})

    return score


@task
def prices(items: int = len(PRICES)) -> Task:
    samples = [
        Sample(id=name, input=f"What does {name} cost?", target=str(price))
        for name, price in list(PRICES.items())[:items]
    ]
    return Task(
        dataset=samples,
        solver=react(prompt="Look up each price before you answer.", tools=[look_up()]),
        scorer=checked(),
        message_limit=10,
    )
