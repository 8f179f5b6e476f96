"""Mock models: any `mockllm/<name>` answers at once, for free, and always the same.

They stand in for real models in dry runs and tests. A mock solver is right in about 60 %
of its answers; what it replies in the place of a grader, that grader says. Both depend on the
model's name and the prompt alone.
"""

import hashlib
from collections.abc import Callable

from inspect_ai.model import ChatMessage, GenerateConfig, Model, ModelOutput, ModelUsage, get_model
from inspect_ai.solver import TaskState
from inspect_ai.solver._task_state import sample_state
from inspect_ai.tool import ToolChoice, ToolInfo

from itemeval_assets.core.money.estimate import estimate_tokens

_SHARE_RIGHT = 0.6
Reply = Callable[[list[ChatMessage], list[ToolInfo], ToolChoice, GenerateConfig], ModelOutput]


def is_mock(model: str) -> bool:
    return model.startswith("mockllm/")


def mock_model(model: str, reply: Callable[[float], str] | None = None) -> Model:
    """The inspect model for a mock id. `reply`: of a number from 0 to 1; null: an answer."""
    compose = _solve if reply is None else lambda draw, state: reply(draw)
    return get_model(model, custom_outputs=_replying(model, compose))


def _replying(model: str, compose: Callable[[float, TaskState | None], str]) -> Reply:
    def reply(
        messages: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        state = sample_state()
        prompt = "\n".join(message.text for message in messages)
        draw = f"{model}\n{state.epoch if state else 1}\n{prompt}"
        text = compose(_uniform(draw), state)
        output = ModelOutput.from_content(model, text)
        read, written = estimate_tokens(prompt), estimate_tokens(text)
        output.usage = ModelUsage(
            input_tokens=read, output_tokens=written, total_tokens=read + written
        )
        return output

    return reply


def _uniform(text: str) -> float:
    """A number in [0, 1) that depends on the text alone."""
    return int(hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8], 16) / 2**32


def _solve(draw: float, state: TaskState | None) -> str:
    target = state.target.text if state else ""
    answer = target if target and draw < _SHARE_RIGHT else str(int(draw * 1000))
    return f"A mock answer, drawn from the prompt alone.\nANSWER: {answer}"
