"""An import is killed at its n-th write: the next brings the same, and nobody pays meanwhile."""

import random
import shutil
import signal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import itemeval_assets as ie
from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.tables.schemas import TABLES
from tests.commands import Program
from tests.whole.looking import assert_reconciled

from .conftest import Kept
from .test_import import plain

HERE = Path(__file__).parent
# Of one import of the kept study, at least; where it was more, its last writes are not met.
WRITES = 150
FEW, MANY = 1, 20


@pytest.mark.parametrize("points", [FEW, pytest.param(MANY, marks=pytest.mark.long)])
def test_the_next_import_brings_the_same(imported: Kept, points: int) -> None:
    whole = told(imported.config)
    for last in sorted(random.Random(points).sample(range(1, WRITES), points)):
        shutil.rmtree(imported.folder / "ours")
        process = Program(HERE / "killed.py", imported.source, imported.config, str(last))
        assert process.wait() == -signal.SIGKILL
        refuse_or_begin(imported)
        ie.import_results(imported.source, imported.config)
        assert told(imported.config) == whole
    assert_reconciled(imported.config)


def refuse_or_begin(kept: Kept) -> None:
    """A study that was cut off on its way in opens for no run: nothing of it is paid again."""
    marked = (kept.folder / "ours" / "kept" / "study.json").exists()
    if not marked or "importing" not in (kept.folder / "ours" / "kept" / "study.json").read_text():
        assert not list((kept.folder / "ours").rglob("*.eval"))
        return
    with pytest.raises(StoreError, match=r"an import into .* was cut off"):
        ie.run(kept.config)
    assert kept.server.count() == 0


def told(config: Path) -> dict[str, Any]:
    """All rows of all tables."""
    found: dict[str, Any] = {}
    for name, table in TABLES.items():
        rows: pd.DataFrame = plain(ie.table(config, name), [*table.key])
        found[name] = rows.to_dict("records")
    return found
