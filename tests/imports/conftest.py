"""A kept itemeval study, a config that takes it in, and a server that counts what is called."""

import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import datasets
import pandas as pd
import pytest
import yaml

import itemeval_assets as ie
from tests.model_server import ModelServer
from tests.once import once

from .kept import declare, rows, unreliable_server

HERE = Path(__file__).parent


class Kept(NamedTuple):
    """`source` is the itemeval study, `config` the YAML that takes it in."""

    folder: Path
    source: Path
    config: Path
    server: ModelServer

    def table(self, name: str) -> pd.DataFrame:
        """A table of the source."""
        return pd.read_parquet(self.source / f"{name}.parquet")

    def change(self, name: str, change: Any) -> None:
        """Write a table of the source anew."""
        change(self.table(name)).to_parquet(self.source / f"{name}.parquet")

    def edit(self, **changes: Any) -> None:
        """Replace sections of the config."""
        document = yaml.safe_load(self.config.read_text())
        self.config.write_text(yaml.safe_dump({**document, **changes}))


@pytest.fixture
def version() -> str:
    return "0.2.0"


@pytest.fixture
def output_dir() -> str:
    return "ours"


@pytest.fixture
def kept(
    version: str, output_dir: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Kept]:
    _unpack(version, tmp_path)
    monkeypatch.setattr(
        datasets, "load_dataset", lambda *_, **__: datasets.Dataset.from_list(rows())
    )
    with unreliable_server() as server:
        monkeypatch.setenv("TEST_BASE_URL", server.base_url)
        monkeypatch.setenv("TEST_API_KEY", "none")
        config = declare(tmp_path, output_dir)
        yield Kept(tmp_path, tmp_path / "studies" / "kept", config, server)


@pytest.fixture
def imported(kept: Kept, version: str, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """The study after its import, which is made once for all tests."""
    made = once(tmp_path_factory, f"imported_{version}", lambda folder: _take_in(version, folder))
    shutil.copytree(made / "ours", kept.folder / "ours")
    shutil.copy(made / "kept.template_lock.json", kept.folder)
    return kept


def _take_in(version: str, folder: Path) -> None:
    _unpack(version, folder)
    ie.import_results(folder / "studies" / "kept", declare(folder, "ours"))


def _unpack(version: str, folder: Path) -> None:
    with tarfile.open(HERE / f"itemeval_{version}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
