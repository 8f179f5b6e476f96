"""Mock models use tools: each once, then the one that hands in the answer, with what they need."""

from typing import Any

from inspect_ai.model import ChatMessage, ChatMessageTool, ChatMessageUser
from inspect_ai.tool import ToolInfo, ToolParams
from inspect_ai.util import JSONSchema

from itemeval_assets.engine.models.mock_tools import arguments_of, next_tool


def tool(name: str, **arguments: JSONSchema) -> ToolInfo:
    parameters: Any = ToolParams(properties=arguments, required=list(arguments))  # type: ignore[arg-type]
    return ToolInfo(name=name, description=name, parameters=parameters)


def test_each_tool_is_called_once_and_the_answer_is_handed_in_last() -> None:
    tools = [tool("submit"), tool("look"), tool("add")]
    messages: list[ChatMessage] = [ChatMessageUser(content="?")]
    called = []
    while (found := next_tool(tools, messages)) is not None:
        called.append(found.name)
        messages.append(ChatMessageTool(content="done", function=found.name))
    assert called == ["look", "add", "submit"]
    assert next_tool([], messages) is None


def test_arguments_have_the_types_that_a_tool_wants() -> None:
    wanted = tool(
        "all",
        count=JSONSchema(type="integer"),
        share=JSONSchema(type="number"),
        sure=JSONSchema(type="boolean"),
        text=JSONSchema(type="string"),
        word=JSONSchema(type="string", enum=["red", "blue"]),
        several=JSONSchema(type="array"),
        thing=JSONSchema(type="object"),
        any=JSONSchema(),
    )
    assert arguments_of(wanted, "said") == {
        "count": 1,
        "share": 1.0,
        "sure": True,
        "text": "said",
        "word": "red",
        "several": [],
        "thing": {},
        "any": "said",
    }
    optional = ToolParams(properties={"x": JSONSchema(type="string")})  # type: ignore[dict-item]
    assert arguments_of(ToolInfo(name="a", description="b", parameters=optional), "said") == {}
