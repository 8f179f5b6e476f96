"""What README and docs say is true: links, YAML, commands, Python."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest
import yaml
from genai_prices import data_snapshot

from itemeval_assets import api, project
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.money.pricing import PriceBook
from itemeval_assets.core.tables.schemas import TABLES
from itemeval_assets.dagster_io.naming.keys import PartitionKeys
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.storage.study.inputs import load_config
from tests.guard.points import of_arguments, of_commands

ROOT = Path(__file__).parents[1]
# Real models that docs and packaged studies name. Providers shut models down: replace them here.
MODELS = {"openai/gpt-6-luna", "openai/gpt-6.1-sol", "anthropic/claude-haiku-5-5"}
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
# What it shows needs a study of another tool: tests/imports/test_import.py runs it.
ELSEWHERE = "importing.md"
EXAMPLES = sorted((ROOT / "examples").glob("*/README.md"))


def blocks(language: str) -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for text in re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.M | re.S):
            found.append((page.name, text))
    return found


@pytest.mark.parametrize(
    "page", [*PAGES, *EXAMPLES], ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_links_lead_somewhere(page):
    for target, place in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", page.read_text()):
        if not target.startswith("https://"):
            other = page.parent / target if target else page
            assert other.exists(), target
            assert not place or place in headings(other), f"{target}#{place}"


def headings(page: Path) -> set[str]:
    """The headings of a page as links name them."""
    found = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in found}


@pytest.mark.parametrize(("page", "text"), blocks("yaml"))
def test_yaml_blocks_are_studies(page, text, tmp_path):
    (tmp_path / "study.yaml").write_text(text)
    config, path = load_config(tmp_path / "study.yaml")
    # What a task is, only its file tells.
    assert config.benchmark.ref or load_study(path).design.generate


def test_commands_and_python_blocks_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands = [
        line.split("#")[0].split()
        for page, text in blocks("sh")
        for line in text.splitlines()
        if line.startswith("itemeval-assets ") and page != ELSEWHERE
    ]
    own = [command[1:] for command in commands if command[-1].startswith("my_project")]
    assert [command[0] for command in own] == ["init", "run", "report", "ui"]
    for command in own[:3]:
        assert run_cli(command) == 0
    monkeypatch.chdir(tmp_path / "my_project")
    others = [command[1:] for command in commands if command[1:] not in own]
    assert [command[0] for command in others] == ["estimate", "preflight"]
    for command in others:
        assert run_cli(command) == 0
    known: dict[str, dict] = {}
    for page, text in blocks("python"):
        if page == ELSEWHERE:
            continue
        exec(compile(text, page, "exec"), known.setdefault(page, {}))
    _require_one_scale_per_group(known["README.md"]["pairs"])
    if shutil.which("Rscript"):
        for page, text in blocks("r"):
            done = subprocess.run(
                ["Rscript", "-e", text], check=False, capture_output=True, text=True
            )
            assert done.returncode == 0, (page, done.stderr)


def _require_one_scale_per_group(pairs):
    """The README's means are each of one condition, graded on one scale, and of all cells."""
    conditions = pairs[["gen_condition_id", "grade_condition_id"]].nunique()
    assert len(conditions) > 1 and (conditions == 1).all(axis=None)
    assert pairs["state"].value_counts().sum() == len(pairs.obj)


def test_init_writes_the_two_files_that_dg_needs(tmp_path):
    project.init(tmp_path)
    for kind, name in (("toml", "dg.toml"), ("py", "definitions.py")):
        (text,) = (text for page, text in blocks(kind) if page == "commands.md")
        assert (tmp_path / name).read_text() == text


@pytest.mark.long
def test_the_line_for_ci_runs_a_whole_study(tmp_path):
    """Its exit code says how: 0 done, 2 wrong input, 4 over the budget."""
    project.init(tmp_path)
    [line] = (text for page, text in blocks("bash") if page == "operating.md")
    study, bin_folder = tmp_path / "study.yaml", Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}

    def ends(yaml_text: str) -> tuple[int, dict[str, Any]]:
        study.write_text(yaml_text)
        done = subprocess.run(["bash", "-c", line], cwd=tmp_path, env=environment, check=False)
        return done.returncode, json.loads((tmp_path / "run.json").read_text())

    text = study.read_text()
    for calls in (96, 0) if "TEST_LONG" in os.environ else (96,):
        code, found = ends(text)
        assert (code, found["exit_code"], found["calls"]) == (0, 0, calls)
    prices = {"models": {"mockllm/alpha": {"input_usd_per_mtok": 1, "output_usd_per_mtok": 1e6}}}
    (tmp_path / "prices.json").write_text(json.dumps(prices))
    dear = text.replace("replications: 2", "replications: 3")
    for changed, wanted, error in (
        (f"{dear}  pricing_path: prices.json\n", 4, "BudgetExceeded"),
        (f"{text}budgett: {{}}\n", 2, "ConfigError"),
    ):
        code, found = ends(changed)
        assert (code, found["exit_code"], found["error"]) == (wanted, wanted, error)


@pytest.mark.long
def test_dg_works_in_the_folder_that_init_made(tmp_path):
    """It is told of the study by nothing else. A key that no condition has, it refuses itself."""
    project.init(tmp_path)
    (key, *_) = PartitionKeys(load_study(tmp_path / "study.yaml")).generate.values()
    environment = {**os.environ, "DAGSTER_HOME": str(tmp_path / "dagster_home")}

    def dg(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "dagster_dg_cli.cli", *words]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    assert "All definitions loaded" in dg("check", "defs").stdout
    assert '"my_study/gradings_long"' in dg("list", "defs", "--json").stdout
    assert dg("launch", "--assets", "my_study/items").returncode == 0
    solutions = ("launch", "--assets", "my_study/solutions,my_study/generation_ledger")
    assert dg(*solutions, "--partition", key).returncode == 0
    assert [part.done for part in api.status(tmp_path / "study.yaml").generate] == [12, 0, 0, 0]
    refused = dg(*solutions, "--partition", f"{key}0")
    assert refused.returncode and f"{key}0" in refused.stdout + refused.stderr


def test_make_targets_of_the_readme_exist():
    wanted = {word for _, text in blocks("sh") for word in re.findall(r"^make (\w+)", text, re.M)}
    listed = subprocess.run(
        ["make", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True
    ).stdout
    assert wanted >= {"quickstart", "test"}
    assert all(f"make {target} " in listed for target in wanted)


def test_pre_commit_runs_what_make_check_runs():
    makefile = (ROOT / "Makefile").read_text()
    (targets,) = re.findall(r"^check: ([a-z ]+[a-z])", makefile, re.M)
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert [hook["entry"] for hook in hooks] == [f"make {target}" for target in targets.split()]


def test_extras_are_installed_from_the_repository():
    """By its path: no index has the package, and anyone could register its name there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pages = "\n".join(page.read_text() for page in PAGES)
    named = re.findall(r"install '([^']*)\[([a-z,-]+)\]'", pages)
    assert {where for where, _ in named} == {"."}
    extras = {extra for _, words in named for extra in words.split(",")}
    assert {"openai", "anthropic", "local-model", "deploy"} <= extras
    assert extras <= set(project["optional-dependencies"])


def test_every_command_has_its_row_and_its_function():
    page = (ROOT / "docs" / "commands.md").read_text()
    rows = re.findall(r"^\| `itemeval-assets ([\w-]+).*?` \| (.*?) \|", page, re.M)
    assert {name for name, _ in rows} == {command.split()[1] for command in of_commands()}
    for function in re.findall(r"`([\w.]+)`", " ".join(functions for _, functions in rows)):
        assert resolve_name(f"itemeval_assets.{function}")


def test_the_house_of_contributing_is_that_of_the_import_rules():
    page = (ROOT / "CONTRIBUTING.md").read_text()
    (drawing, *_) = re.findall(r"^```\n(.*?)^```", page, re.M | re.S)
    drawn = [line.split("  ")[0].split(", ") for line in drawing.splitlines()]
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = rules["contracts"][0]["layers"]
    assert drawn == [layer.split(" | ") for layer in layers]


def test_every_path_that_contributing_names_exists():
    page = (ROOT / "CONTRIBUTING.md").read_text()
    named = re.findall(r"`((?:itemeval_assets|tests|docs|benchmarks)/[\w./]*)`", page)
    assert len(named) > 20
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_each_command_of_the_how_to_page_is_one() -> None:
    page = (ROOT / "docs" / "how-to.md").read_text()
    lines = re.findall(r"`itemeval-assets ([^`]*)`", page)
    assert len(lines) > 20 and all(of_arguments(shlex.split(line)) for line in lines)


def test_results_page_names_every_table_with_its_key():
    page = (ROOT / "docs" / "results.md").read_text()
    for table in TABLES.values():
        row = re.search(rf"^\| {table.name} \|.*\| ([^|]*) \|$", page, re.M)
        assert row, table.name
        assert row[1] == ", ".join(table.key)


def test_packaged_project_files_are_in_the_package():
    assert (Path(project.__file__).parent / "builtin" / "project" / "study.yaml").exists()


def test_the_models_that_docs_name_are_sold():
    texts = [*PAGES, *(ROOT / "itemeval_assets" / "builtin").rglob("*.yaml")]
    named = {
        name.rstrip(".")
        for path in texts
        if path.name != "mistakes.md"
        for name in re.findall(r"\b(?:openai|anthropic|google)/[\w.-]*\d[\w.-]*", path.read_text())
    } - {"openai/gsm8k"}
    assert named == MODELS
    for name in MODELS:
        provider, model = name.split("/")
        assert PriceBook().price_of(name)
        _, known = data_snapshot.get_snapshot().find_provider_model(model, None, provider, None)
        assert not known.deprecated
