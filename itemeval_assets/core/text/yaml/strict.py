"""YAML as plain data: it makes no objects of ours, and is as large as it looks."""

import re
from itertools import takewhile
from typing import Any

import yaml

from .numbers import misread_number, number_advice
from .slips import slip_of

# Values that aliases may add to those written out. A text of a few lines can mean billions.
_MOST_REPEATED = 10_000
# Python reads no longer integers than some thousand digits, and nobody means one.
_LONGEST_NUMBER = 1_000
# As programs for letters set quotation marks.
_CURLY = re.compile("[“”„](?P<double>[^“”„]+)[“”]|[‘’](?P<single>[^‘’]+)[‘’]")


def load_yaml(text: str | bytes, loader: type[yaml.SafeLoader] = yaml.SafeLoader) -> Any:
    """The one document of a text, or None. Raises yaml.YAMLError, and nothing else."""
    reader = loader(text)
    try:
        node = reader.get_single_node()
        if node is None:
            return None
        known: dict[int, int] = {}
        if _size(node, known) - len(known) > _MOST_REPEATED:
            raise yaml.YAMLError(
                f"its aliases (*name) repeat more than {_MOST_REPEATED:,} values; write them out"
            )
        return reader.construct_document(node)
    except RecursionError as error:
        raise yaml.YAMLError("its values are nested too deeply") from error
    except (ValueError, OverflowError) as error:
        # Of dates that there are not, and of numbers where the loader is a plain one.
        raise yaml.YAMLError(f"{error}; put quotes around a value that is text") from error
    finally:
        reader.dispose()


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values a node holds once its aliases are written out; those seen go to `known`."""
    if known.get(id(node)) == 0:
        # A mapping that is merged into itself would be read as an empty one.
        raise yaml.MarkedYAMLError(
            problem="a value contains itself, through its alias", problem_mark=node.start_mark
        )
    if id(node) not in known:
        known[id(node)] = 0  # until it is left
        inner: list[Any] = []
        if isinstance(node, yaml.SequenceNode):
            inner = node.value
        elif isinstance(node, yaml.MappingNode):
            inner = [part for pair in node.value for part in pair]
        known[id(node)] = 1 + sum(_size(part, known) for part in inner)
    return known[id(node)]


class StrictLoader(yaml.SafeLoader):
    """Safe YAML that refuses what plain YAML takes for something else without a word.

    A key given twice, of which it would keep the last; a decimal comma in braces, which begins
    another key; a number with a leading zero or with colons.
    """


def _mapping_without_repeats(loader: StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    _refuse_commas_in_numbers(node)
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


def _refuse_commas_in_numbers(node: yaml.MappingNode) -> None:
    """Of `{a: 0,7}` YAML makes two keys, `a` and 7: the number ends at the comma."""
    for place, (key, value) in enumerate(node.value if node.flow_style else []):
        if isinstance(value, yaml.ScalarNode) and value.value.lstrip("+-").isdigit():
            later = takewhile(_is_bare_number, node.value[place + 1 :])
            number = ",".join([value.value, *(digits.value for digits, _ in later)])
            if number != value.value:
                advice = number_advice(number) or f"a comma ends a number in {number}"
                raise yaml.MarkedYAMLError(
                    problem=f"{key.value}: {advice}", problem_mark=value.start_mark
                )


def _is_bare_number(pair: tuple[yaml.Node, yaml.Node]) -> bool:
    key, value = pair
    return isinstance(key, yaml.ScalarNode) and key.value.isdigit() and value.value == ""


def _plain_number(loader: StrictLoader, node: yaml.ScalarNode) -> int | float:
    problem = misread_number(node.value)
    if problem is not None:
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
    if len(node.value) > _LONGEST_NUMBER:
        raise yaml.MarkedYAMLError(
            problem=f"a number has {len(node.value):,} characters; it may have at most "
            f"{_LONGEST_NUMBER:,}; put quotes around a value that is text",
            problem_mark=node.start_mark,
        )
    is_int = node.tag == "tag:yaml.org,2002:int"
    return (loader.construct_yaml_int if is_int else loader.construct_yaml_float)(node)


def _text(loader: StrictLoader, node: yaml.ScalarNode) -> str:
    if "\0" in node.value:
        raise yaml.MarkedYAMLError(
            problem="a text holds the character NUL, which no path and no name may have",
            problem_mark=node.start_mark,
        )
    _refuse_curly_quotes(node)
    return _joined(str(loader.construct_scalar(node)), node.start_mark)


def _refuse_curly_quotes(node: yaml.ScalarNode) -> None:
    """To YAML they are letters of the text."""
    found = None if node.style else _CURLY.fullmatch(node.value)
    if found:
        text = found["double"] or found["single"]
        raise yaml.MarkedYAMLError(
            problem=f"{node.value} has curly quotes, which YAML takes for letters: write {text}, "
            f'or "{text}" in straight quotes',
            problem_mark=node.start_mark,
        )


def _joined(text: str, mark: yaml.Mark) -> str:
    """The text with pairs of surrogates joined, as JSON escapes one character by two."""
    try:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError as error:
        raise yaml.MarkedYAMLError(
            problem="a text holds half of a surrogate pair (\\ud800 to \\udfff), which is no "
            "character",
            problem_mark=mark,
        ) from error


StrictLoader.add_constructor("tag:yaml.org,2002:str", _text)
StrictLoader.add_constructor("tag:yaml.org,2002:int", _plain_number)
StrictLoader.add_constructor("tag:yaml.org,2002:float", _plain_number)
StrictLoader.add_constructor(
    yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_repeats
)


def yaml_message(error: yaml.YAMLError) -> str:
    """What is wrong, and in which line and column where that is known."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        is_tab = "'\\t'" in str(error.problem)
        told = "a tab cannot stand here; YAML wants blanks" if is_tab else error.problem
        place = f"line {mark.line + 1}, column {mark.column + 1}"
        slip = None if is_tab else slip_of(error)
        return f"{slip} (YAML, {place}: {told})" if slip else f"{place}: {told}"
    return str(error).splitlines()[0]
