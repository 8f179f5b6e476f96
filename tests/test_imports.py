"""Who may import whom is in pyproject.toml; here: that it holds, and what loading costs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

from itemeval_assets import api
from tests.studies import write_study

ROOT = Path(__file__).parents[1]


def test_floors_hold(capsys: pytest.CaptureFixture[str]) -> None:
    code = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert code == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("itemeval_assets.definitions", ["pandas", "pyarrow", "inspect_ai", "datasets"]),
        ("itemeval_assets.component", ["pandas", "pyarrow", "inspect_ai", "datasets"]),
        ("itemeval_assets", ["pandas", "pyarrow", "inspect_ai", "datasets", "dagster"]),
        ("itemeval_assets.measurement", ["numpy", "pandas", "pyarrow", "scipy", "statsmodels"]),
        ("itemeval_assets.cli.main", ["pandas", "pyarrow", "inspect_ai", "datasets", "dagster"]),
        ("itemeval_assets.ui.command", ["pandas", "pyarrow", "inspect_ai", "datasets", "dagster"]),
        # Its pages load while the code server starts.
        ("itemeval_assets.ui.server", ["pandas", "pyarrow", "dagster_webserver", "graphql"]),
    ],
)
def test_loading_stays_light(tmp_path: Path, module: str, heavy: list[str]) -> None:
    write_study(tmp_path)  # where the definitions look for studies
    code = f"import sys, {module}; print(*(set({heavy}) & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_a_mean_loads_no_statistics_package_but_the_functions_of_scipy() -> None:
    code = (
        "import sys, pyarrow as pa; from itemeval_assets import measurement as m;"
        "m.mean_score(pa.table({'item_id': [1, 2], 'score': [0.5, 1]}));"
        "print(*({'scipy.stats', 'statsmodels', 'mirt', 'dagster'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


TABLES = {"pandas", "pyarrow"}
DAGSTER = {"dagster", "sqlalchemy"}
HEAVY = TABLES | DAGSTER | {"inspect_ai", "datasets", "matplotlib", "boto3", "openai", "anthropic"}
HEAVY |= {"scipy", "statsmodels", "jinja2"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The config of a study whose first run is over."""
    config = write_study(tmp_path_factory.mktemp("finished"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DAGSTER_HOME", str(config.parent))
        assert api.run(config).run_ids
    return config


@pytest.mark.parametrize(
    ("command", "heavy", "most"),
    [
        (["--help"], set(), 480),
        (["status", "{config}"], TABLES, 1150),
        (["cells", "{config}"], TABLES, 1150),
        (["run", "{config}"], TABLES, 1150),
        (["run", "{config}", "--workers", "2", "--json"], TABLES, 1150),
        (["scores", "{config}"], TABLES | {"scipy"}, 1500),
        (["conditions", "{config}"], TABLES, 1150),
        (["experiments", "list"], TABLES, 1150),
        (["estimate", "{config}"], TABLES | {"inspect_ai"}, 2300),
        (["export", "{config}"], TABLES | DAGSTER, 2400),
    ],
)
def test_a_command_loads_what_it_needs(
    finished: Path, command: list[str], heavy: set[str], most: int
) -> None:
    arguments = [part.format(config=finished) for part in command]
    code = (
        "import sys; from itemeval_assets.cli.main import run_cli;"
        f"code = run_cli({arguments}); loaded = {HEAVY} & sys.modules.keys();"
        "print(code, len(sys.modules), *sorted(loaded), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=finished.parent,
        env={**os.environ, "DAGSTER_HOME": str(finished.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    code, modules, *loaded = done.stderr.splitlines()[-1].split()
    assert (code, set(loaded) - heavy) == ("0", set()), done.stderr
    assert int(modules) <= most
