"""Reading logs: also those that a run in progress rewrites."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample

from itemeval_assets.core.errors import StoreError
from itemeval_assets.engine.logs.reading import read_log, read_log_header


def write_log(folder: Path, samples: int) -> Path:
    dataset = [Sample(input=f"{n} " + os.urandom(2000).hex(), id=n) for n in range(samples)]
    task = Task(dataset=dataset)
    [log] = eval(task, model="mockllm/model", log_dir=str(folder), display="none", score=False)
    return Path(log.location)


@contextmanager
def replaced_over_and_over(path: Path, versions: list[Path]) -> Iterator[None]:
    """Put one version after the other in the place of a log, as inspect does with each flush."""
    done = threading.Event()

    def replace() -> None:
        while not done.is_set():
            for version in versions:
                draft = shutil.copy(version, path.with_suffix(".writing"))
                Path(draft).replace(path)

    thread = threading.Thread(target=replace)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_a_log_that_is_rewritten_is_read_as_one_of_its_versions(tmp_path: Path) -> None:
    versions = [write_log(tmp_path / str(samples), samples) for samples in (1, 40)]
    path = Path(shutil.copy(versions[0], tmp_path / "running.eval"))
    with replaced_over_and_over(path, versions):
        for _ in range(60):
            assert read_log_header(path).eval.dataset.samples in (1, 40)
        counts = {len(read_log(path).samples or []) for _ in range(5)}
    assert counts <= {1, 40}


def test_a_log_that_is_damaged_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cut.eval"
    path.write_bytes(write_log(tmp_path, 1).read_bytes()[:-30])
    with pytest.raises(StoreError, match=r"cut\.eval is not a readable \.eval log"):
        read_log_header(path)
