"""Who may import whom is in pyproject.toml; here: that it holds, and what loading costs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from importlinter.cli import lint_imports

from itemeval_assets import api
from tests.studies import write_study

ROOT = Path(__file__).parents[1]


def test_floors_hold(capsys: pytest.CaptureFixture[str]) -> None:
    code = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert code == 0, capsys.readouterr().out


DAGSTER = {"dagster", "sqlalchemy"}
TABLES = {"pandas", "pyarrow"}
ENGINE = {"inspect_ai", "datasets"}
# What each may not load, nor those before it: all are loaded in one process.
LIGHT = {
    "itemeval_assets": TABLES | ENGINE | DAGSTER,
    "itemeval_assets.measurement": TABLES | ENGINE | DAGSTER | {"numpy", "scipy", "statsmodels"},
    "itemeval_assets.cli.main": TABLES | ENGINE | DAGSTER,
    "itemeval_assets.ui.command": TABLES | ENGINE | DAGSTER,
    # Its pages load while the code server starts.
    "itemeval_assets.ui.server": TABLES | {"dagster_webserver", "graphql"},
    "itemeval_assets.definitions": TABLES | ENGINE,
    "itemeval_assets.component": TABLES | ENGINE,
}
LOADING = """
import importlib, json, sys
for module, heavy in json.loads(sys.argv[1]).items():
    importlib.import_module(module)
    print(module, *(set(heavy) & sys.modules.keys()))
"""


def test_loading_stays_light(tmp_path: Path) -> None:
    write_study(tmp_path)  # where the definitions look for studies
    heavy = {module: sorted(names) for module, names in LIGHT.items()}
    done = interpreted(LOADING, json.dumps(heavy), cwd=tmp_path)
    assert done.stdout.splitlines() == [*LIGHT], done.stderr


def interpreted(code: str, *arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    """What an interpreter of its own says, which has loaded nothing."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


def test_a_mean_loads_no_statistics_package_but_the_functions_of_scipy() -> None:
    code = (
        "import sys, pyarrow as pa; from itemeval_assets import measurement as m;"
        "m.mean_score(pa.table({'item_id': [1, 2], 'score': [0.5, 1]}));"
        "print(*({'scipy.stats', 'statsmodels', 'mirt', 'dagster'} & sys.modules.keys()))"
    )
    done = interpreted(code)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


HEAVY = TABLES | DAGSTER | ENGINE | {"matplotlib", "boto3", "openai", "anthropic"}
HEAVY |= {"scipy", "statsmodels", "jinja2"}
# What each may load, and how many modules are loaded after it at most: one after the other in one
# process, but for the last ones, which have a copy of it each.
COMMANDS: list[tuple[list[str], set[str], int]] = [
    (["--help"], set(), 487),
    (["status", "{config}"], TABLES, 1260),
    (["cells", "{config}"], TABLES, 1260),
    (["run", "{config}"], TABLES, 1380),
    (["run", "{config}", "--workers", "2", "--json"], TABLES, 1380),
    (["conditions", "{config}"], TABLES, 1390),
    (["experiments", "list"], TABLES, 1430),
    (["scores", "{config}"], TABLES | {"scipy"}, 1575),
    (["estimate", "{config}"], TABLES | {"inspect_ai"}, 2470),
    (["export", "{config}"], TABLES | DAGSTER, 2520),
]
COPIES = 3
RUNNING = """
import json, os, sys
from itemeval_assets.cli.main import run_cli
lines, copies, heavy = json.loads(sys.argv[1])
for number, line in enumerate(lines):
    is_copy = number >= len(lines) - copies
    if is_copy and os.fork():
        assert os.wait()[1] == 0
        continue
    code = run_cli(line)
    print("told:", code, len(sys.modules), *(set(heavy) & sys.modules.keys()), file=sys.stderr)
    if is_copy:
        sys.exit()
"""


def test_a_command_loads_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    config = write_study(tmp_path)
    assert api.run(config).run_ids
    lines = [[part.format(config=config) for part in command] for command, _, _ in COMMANDS]
    done = interpreted(RUNNING, json.dumps([lines, COPIES, sorted(HEAVY)]), cwd=tmp_path)
    told = [line.split()[1:] for line in done.stderr.splitlines() if line.startswith("told: ")]
    assert len(told) == len(COMMANDS), done.stderr
    for (command, heavy, most), (code, modules, *loaded) in zip(COMMANDS, told, strict=True):
        assert (code, set(loaded) - heavy) == ("0", set()), (command, done.stderr)
        assert int(modules) <= most, command
