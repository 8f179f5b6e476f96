"""Private names of libraries stand in one list, with the reason: docs/private-names.md."""

import ast
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "private-names.md"
FOLDERS = ("itemeval_assets", "deploy", "scripts", "benchmarks")
LIBRARY = re.compile(r"(dagster|inspect_ai)(\.\w+)*")
# Python's own, and those of named tuples, are there for everyone.
OF_PYTHON = {"_asdict", "_current_frames", "_exit", "_fields", "_make", "_replace"}


def is_private(name: str) -> bool:
    return any(re.match(r"_[^_]", part) for part in name.split("."))


def imported(tree: ast.AST) -> Iterator[str]:
    """Modules and names of the libraries, also those that a text names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and LIBRARY.fullmatch(node.module or ""):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and LIBRARY.fullmatch(str(node.value)):
            yield str(node.value)


def attributes(tree: ast.AST) -> Iterator[str]:
    """Attributes of anything but `self` and `cls`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) not in {"self", "cls"}:
            yield node.attr


def defined(tree: ast.AST) -> Iterator[str]:
    """Names that our own code gives to attributes and methods."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def test_every_private_name_is_listed_with_its_reason():
    files = chain.from_iterable((ROOT / folder).rglob("*.py") for folder in FOLDERS)
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in files]
    own = {name for tree in trees for name in defined(tree)} | OF_PYTHON
    used = {name for tree in trees for name in imported(tree)}
    used |= {name for tree in trees for name in attributes(tree) if name not in own}
    listed = set()
    for where, names, _reason in re.findall(
        r"^\| `(.+)` \| (`.+`) \| (.+) \|$", PAGE.read_text(), re.M
    ):
        prefix = f"{where}." if LIBRARY.fullmatch(where) else ""
        listed |= {prefix + name for name in re.findall(r"`([^`]+)`", names)}
    assert listed == {name for name in used if is_private(name)}
