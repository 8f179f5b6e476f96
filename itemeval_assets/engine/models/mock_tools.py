"""How mock models use tools: each once, in order, and at last the one that hands in the answer."""

from collections.abc import Sequence
from typing import Any

from inspect_ai.model import ChatMessage, ChatMessageTool
from inspect_ai.tool import ToolInfo

# What agents of inspect_ai hand in their answer by.
_SUBMIT = "submit"
_BY_TYPE: dict[str, Any] = {"integer": 1, "number": 1.0, "boolean": True, "array": [], "object": {}}


def next_tool(tools: Sequence[ToolInfo], messages: Sequence[ChatMessage]) -> ToolInfo | None:
    """The first tool that was not called so far; null where all were."""
    used = {message.function for message in messages if isinstance(message, ChatMessageTool)}
    left = [tool for tool in tools if tool.name not in used]
    return next((tool for tool in left if _SUBMIT not in tool.name), left[0] if left else None)


def arguments_of(tool: ToolInfo, text: str) -> dict[str, Any]:
    """Something for each argument that a tool needs; texts are what the model says."""
    wanted = {name: tool.parameters.properties.get(name) for name in tool.parameters.required}
    return {name: _value(schema, text) for name, schema in wanted.items()}


def _value(schema: Any, text: str) -> Any:
    if schema is not None and schema.enum:
        return schema.enum[0]
    kind = schema.type if schema is not None else None
    return _BY_TYPE.get(str(kind), text)
