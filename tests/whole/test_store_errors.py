"""What is wrong reaches the user through Dagster: exit 2, the place, and what to do."""

from pathlib import Path
from typing import Any

import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.errors import StoreError
from itemeval_assets.storage.study.store import ResultsStore
from tests.studies import write_study

from .conftest import Serve
from .looking import assert_reconciled, results_dir

CAUSE = "what the server of the bucket says"


def told(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    """The message of a command that ends with exit code 2."""
    capsys.readouterr()
    assert run_cli([*command]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said and CAUSE not in said
    return said


@pytest.mark.parametrize("table", ["solutions", "items"])
def test_what_cannot_be_written_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    table: str,
) -> None:
    config = write_study(tmp_path, items=1, graders=())

    def full(store: ResultsStore, into: str, *args: Any) -> None:
        if into == table:
            raise StoreError(f"cannot write {store.uri(into)}: no space") from OSError(CAUSE)
        write(store, into, *args)

    name = "replace" if table == "items" else "upsert"
    write = getattr(ResultsStore, name)
    monkeypatch.setattr(ResultsStore, name, full)
    said = told(capsys, "run", str(config))
    assert f"cannot write {results_dir(config)}/{table}.parquet: no space" in said.replace("\n", "")
    monkeypatch.undo()


@pytest.mark.long
def test_what_cannot_be_read_is_told_by_the_export_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_study(tmp_path, items=1, graders=())
    assert run_cli(["run", str(config)]) == 0
    assert "version: there is no 'bumpall'; there are: bumpmajor" in told(
        capsys, "release", str(config), "--version", "bumpall"
    )
    (path,) = (results_dir(config) / "solutions.parquet").iterdir()
    path.write_bytes(path.read_bytes()[:100])
    said = told(capsys, "export", str(config)).replace("\n", "")
    assert f"{path} is not a readable solutions table" in said
    assert "restore the file from a copy, or delete it" in said.lower()
    path.unlink()
    assert run_cli(["run", str(config)]) == 0


@pytest.mark.parametrize(
    ("table", "place"),
    [
        pytest.param("solutions", "disk", marks=pytest.mark.long),
        pytest.param("solutions", "bucket", marks=pytest.mark.long),
        ("gradings", "disk"),
        pytest.param("bookings", "disk", marks=pytest.mark.long),
    ],
)
def test_a_write_that_fails_leaves_nothing_held(
    tmp_path: Path,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    request: Any,
    table: str,
    place: str,
) -> None:
    """The next run of the same process, as of a notebook, goes on; so does one beside it."""
    server = serve()
    graders = ["openai-api/test/judge"]
    bucket = {"output_dir": request.getfixturevalue("s3_location")} if place == "bucket" else {}
    models = ["openai-api/test/m"]
    config = write_study(tmp_path, items=3, models=models, graders=graders, extra=bucket)
    write = ResultsStore.upsert
    failures: list[StoreError] = []

    def full(store: ResultsStore, into: str, *args: Any) -> None:
        if into == table and len(failures) < 2:
            # As Dagster keeps it, with the frames that it passed through.
            failures.append(StoreError("cannot write: no space"))
            raise failures[-1]
        write(store, into, *args)

    monkeypatch.setattr(ResultsStore, "upsert", full)
    for _ in range(2):
        with pytest.raises(StoreError, match="no space"):
            api.run(config)
    summary = api.run(config)
    assert (summary.errored, summary.missing) == (0, 0)
    assert server.count("m") == server.count("judge") == 3
    assert_reconciled(config)
