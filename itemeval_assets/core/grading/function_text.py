"""Whether a function stands in a text of Python, without running it."""

import ast
from collections.abc import Iterator

from itemeval_assets.core.text.nearest import did_you_mean


def problem_with_function(text: str, path: str, function: str) -> str | None:
    """Why a module of this text cannot have the function; null where it may have it."""
    try:
        names = {*_names(ast.parse(text).body)}
    except SyntaxError as error:
        return f"{path}, line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"{path} cannot be read as Python: {error}"
    if function in names or "*" in names or "__getattr__" in names:
        return None
    return f"{path} has no function {function!r}; {did_you_mean(function, sorted(names))}"


def _names(body: list[ast.stmt]) -> Iterator[str]:
    """The names that the statements of a module bind, outside of its functions and classes."""
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.alias):
                yield (node.asname or node.name).partition(".")[0]
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                yield node.name
