"""Mock models: any `mockllm/<name>` answers at once, for free, and always the same.

They stand in for real models in dry runs and tests. A mock solver is right or wrong by its
ability; a mock judge finds solutions good or bad. What it then says is its grader's to choose.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from inspect_ai.model import ChatMessage, GenerateConfig, Model, ModelOutput, ModelUsage, get_model
from inspect_ai.model._providers.mockllm import MockLLM
from inspect_ai.solver._task_state import sample_state
from inspect_ai.tool import ToolChoice, ToolInfo

from itemeval_assets.core.money.projection.estimate import estimate_tokens

from .mock_replies import Asked, answer, quality_seen
from .mock_tools import arguments_of, next_tool

Reply = Callable[[list[ChatMessage], list[ToolInfo], ToolChoice, GenerateConfig], ModelOutput]


def mock_model(model: str, reply: Callable[[float], str] | None = None) -> Model:
    """The inspect model for a mock id. `reply`: of how good it finds a solution, from 0 to 1;
    null: an answer."""
    compose = answer if reply is None else lambda asked: reply(quality_seen(asked))
    return get_model(model, custom_outputs=_replying(model, compose))


@contextmanager
def counting_here() -> Iterator[None]:
    """Mock models count tokens as this package does while the block runs, also those of a task.

    By inspect_ai's own way a table is fetched from the network.
    """
    usual = MockLLM.count_text_tokens
    MockLLM.count_text_tokens = _count
    try:
        yield
    finally:
        MockLLM.count_text_tokens = usual


async def _count(self: MockLLM, text: str) -> int:
    return estimate_tokens(text)


def _replying(model: str, compose: Callable[[Asked], str]) -> Reply:
    def reply(
        messages: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        prompt = "\n".join(message.text for message in messages)
        text = compose(_asked(model, prompt, config))
        output = ModelOutput.from_content(model, text)
        if tool := next_tool(tools, messages):
            arguments = arguments_of(tool, text)
            output = ModelOutput.for_tool_call(model, tool.name, arguments, content=text)
        read, written = estimate_tokens(prompt), estimate_tokens(text)
        output.usage = ModelUsage(
            input_tokens=read, output_tokens=written, total_tokens=read + written
        )
        return output

    return reply


def _asked(model: str, prompt: str, config: GenerateConfig) -> Asked:
    """The call: the item and the target are those of the sample, which no prompt need show."""
    settings = (config.temperature, config.top_p, config.seed, config.max_tokens)
    thought = (config.reasoning_effort, config.reasoning_tokens)
    state = sample_state()
    if state is None:
        return Asked(model, "", "", prompt)
    item_id = str(state.metadata.get("item_id", state.sample_id))
    draw = f"{state.epoch} {settings} {thought}"
    return Asked(model, item_id, state.target.text, prompt, draw)
