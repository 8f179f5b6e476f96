"""Who may import whom is in pyproject.toml; here: that it holds, and what loading costs."""

import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

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
        ("itemeval_assets.cli.main", ["pandas", "pyarrow", "inspect_ai", "datasets", "dagster"]),
    ],
)
def test_loading_stays_light(tmp_path: Path, module: str, heavy: list[str]) -> None:
    write_study(tmp_path)  # where the definitions look for studies
    code = f"import sys, {module}; print(*(set({heavy}) & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
