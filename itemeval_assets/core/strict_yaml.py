"""YAML as plain data: it makes no objects of ours, and is as large as it looks."""

from typing import Any

import yaml

__all__ = ["StrictLoader", "load_yaml", "yaml_message"]

# Values that aliases may add to those written out. A text of a few lines can mean billions.
MOST_REPEATED = 10_000


def load_yaml(text: str | bytes, loader: type[yaml.SafeLoader] = yaml.SafeLoader) -> Any:
    """The one document of a text, or None. Raises yaml.YAMLError, and nothing else."""
    reader = loader(text)
    try:
        node = reader.get_single_node()
        if node is None:
            return None
        known: dict[int, int] = {}
        if _size(node, known) - len(known) > MOST_REPEATED:
            raise yaml.YAMLError(
                f"its aliases (*name) repeat more than {MOST_REPEATED:,} values; write them out"
            )
        return reader.construct_document(node)
    except RecursionError as error:
        raise yaml.YAMLError("its values are nested too deeply") from error
    except (ValueError, OverflowError) as error:
        # Of numbers with thousands of digits, and of dates that there are not.
        raise yaml.YAMLError(f"{error}; put quotes around a value that is text") from error
    finally:
        reader.dispose()


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values a node holds once its aliases are written out; those seen go to `known`."""
    if id(node) not in known:
        known[id(node)] = 0  # until it is left: a node inside itself is refused later
        inner: list[Any] = []
        if isinstance(node, yaml.SequenceNode):
            inner = node.value
        elif isinstance(node, yaml.MappingNode):
            inner = [part for pair in node.value for part in pair]
        known[id(node)] = 1 + sum(_size(part, known) for part in inner)
    return known[id(node)]


class StrictLoader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice: plain YAML would keep only the last."""


def _mapping_without_repeats(loader: StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen = set()
    for key_node, _ in node.value:
        if key_node.tag == "tag:yaml.org,2002:merge":
            continue
        key = key_node.value
        if not isinstance(key, str):
            raise yaml.MarkedYAMLError(
                problem="a key must be plain text; quote a value that starts with { or [",
                problem_mark=key_node.start_mark,
            )
        if key in seen:
            raise yaml.MarkedYAMLError(
                problem=f"the key {key!r} is given twice", problem_mark=key_node.start_mark
            )
        seen.add(key)
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


StrictLoader.add_constructor(
    yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_repeats
)


def yaml_message(error: yaml.YAMLError) -> str:
    """What is wrong, and in which line and column where that is known."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
    return str(error).splitlines()[0]
