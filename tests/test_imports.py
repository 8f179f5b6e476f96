"""Who may import whom, read from the source; and what loading the definitions costs."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import itemeval_assets
from tests.studies import write_study

PACKAGE = Path(itemeval_assets.__file__).parent
# Layers of ours that each layer may import at run time. A layer is a folder, or a module of the
# package itself. Imports for type annotations alone (TYPE_CHECKING) are free.
ALLOWED = {
    "core": set(),
    "engine": {"core", "garbage", "installation"},
    "storage": {"core", "settings"},
    "stages": {"engine", "storage", "core"},
    "settings": {"core"},
    "garbage": set(),
    "installation": set(),
    "plots": {"core"},
    "releases": {"experiments", "stages", "storage", "core"},
    "dagster_io": {"core"},
    "defs": {
        "dagster_io",
        "releases",
        "stages",
        "plots",
        "storage",
        "core",
        "settings",
        "installation",
    },
    "definitions": {"defs", "settings"},
    "history": set(),
    "migrations": set(),
    "instances": {"history", "migrations", "core", "settings"},
    "interrupts": set(),
    "entry": {"cli", "interrupts"},
    "runs": {
        "interrupts",
        "dagster_io",
        "instances",
        "garbage",
        "defs",
        "stages",
        "engine",
        "storage",
        "core",
        "settings",
    },
    "api": {"runs", "stages", "storage", "core"},
    "project": {"api", "instances", "engine", "storage", "core", "settings"},
    "component": {"project", "defs", "storage", "core", "settings"},
    "reports": {"api", "project", "core", "installation"},
    "experiments": {
        "interrupts",
        "dagster_io",
        "instances",
        "migrations",
        "storage",
        "core",
        "settings",
    },
    "experiments_cli": {"experiments", "reports", "core"},
    "ui": {"instances", "storage", "core", "settings"},
    "cli": {"api", "garbage", "project", "experiments_cli", "reports", "ui", "core"},
    "__init__": {"component", "api", "storage", "core"},
}
# Third-party packages that only these layers may import.
ONLY_IN = {
    "inspect_ai": {"engine"},
    "datasets": {"engine"},
    "huggingface_hub": {"engine"},
    "dagster": {
        "dagster_io",
        "defs",
        "definitions",
        "component",
        "history",
        "instances",
        "runs",
        "experiments",
        "ui",
    },
    "dagster_webserver": {"ui"},
    "starlette": {"ui"},
    "uvicorn": {"ui"},
    "sqlalchemy": {"history", "instances"},
    "graphql": {"ui"},
    "typer": {"cli", "experiments_cli"},
    "rich": {"cli", "reports", "experiments"},
    "filelock": {"storage", "instances"},
    "boto3": {"storage"},
    "botocore": {"storage"},
    "matplotlib": {"plots"},
}


@cache
def imports(layer: str) -> list[tuple[str, str]]:
    """(file, dotted name) of every run-time import of a layer, also those inside functions."""
    return list(_imports(layer))


def _imports(layer: str) -> Iterator[tuple[str, str]]:
    folder = PACKAGE / layer
    for path in sorted(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{layer}.py"]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        typing_only = {
            inner
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            for inner in ast.walk(node)
        }
        home = ["itemeval_assets", *path.relative_to(PACKAGE).parts[:-1]]
        for node in ast.walk(tree):
            if node in typing_only or not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            if isinstance(node, ast.Import):
                bases = [alias.name for alias in node.names]
            else:
                above = home[: len(home) + 1 - node.level] if node.level else []
                base = ".".join([*above, *([node.module] if node.module else [])])
                bases = [f"{base}.{alias.name}" for alias in node.names]
            yield from ((path.name, base) for base in bases)


def test_every_layer_is_declared() -> None:
    found = {path.stem for path in PACKAGE.glob("*.py")}
    found |= {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert found == set(ALLOWED)


@pytest.mark.parametrize("layer", ALLOWED)
def test_layers_import_only_what_lies_below_them(layer: str) -> None:
    broken = [
        (file, name)
        for file, name in imports(layer)
        if name.startswith("itemeval_assets.")
        and name.split(".")[1] not in {layer, *ALLOWED[layer]}
    ]
    assert broken == []


@pytest.mark.parametrize("package", ONLY_IN)
def test_packages_are_imported_by_their_layers_only(package: str) -> None:
    users = {
        layer for layer in ALLOWED for _, name in imports(layer) if name.split(".")[0] == package
    }
    assert users <= ONLY_IN[package]
    assert users


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("itemeval_assets.definitions", ["pandas", "pyarrow", "inspect_ai", "datasets"]),
        ("itemeval_assets.component", ["pandas", "pyarrow", "inspect_ai", "datasets"]),
        ("itemeval_assets", ["pandas", "pyarrow", "inspect_ai", "datasets", "dagster"]),
        ("itemeval_assets.cli", ["pandas", "pyarrow", "inspect_ai", "datasets", "dagster"]),
    ],
)
def test_loading_stays_light(tmp_path: Path, module: str, heavy: list[str]) -> None:
    write_study(tmp_path)  # where the definitions look for studies
    code = f"import sys, {module}; print(*(set({heavy}) & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
