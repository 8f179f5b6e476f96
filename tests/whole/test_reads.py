"""How often a study is opened and read: each run opens it once, and reads no version twice."""

from collections import Counter
from pathlib import Path

import pytest

from itemeval_assets import api
from itemeval_assets.storage.objects.disk import LocalBackend
from itemeval_assets.storage.study.store import ResultsStore
from tests.studies import write_study

PARTITIONS = 12
# One run for the items, one for each stage, one for what needs no call; and the command itself.
OPENED = 5


def test_a_run_opens_its_study_once_and_reads_no_object_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[ResultsStore] = []
    loaded = Counter[tuple[int, str, tuple[int, int, int]]]()
    begin, load = ResultsStore.__init__, LocalBackend._load

    def opening(self: ResultsStore, backend: LocalBackend, study_name: str) -> None:
        opened.append(self)
        begin(self, backend, study_name)

    def loading(self: LocalBackend, key: str, path: Path) -> bytes:
        found = path.stat()
        loaded[id(self), key, (found.st_ino, found.st_mtime_ns, found.st_size)] += 1
        return load(self, key, path)

    monkeypatch.setattr(ResultsStore, "__init__", opening)
    monkeypatch.setattr(LocalBackend, "_load", loading)
    study = api.load_study(
        write_study(
            tmp_path,
            models=["mockllm/a", "mockllm/b", "mockllm/c"],
            graders=["mockllm/one", "mockllm/two", "mockllm/three"],
        )
    )
    assert len(study.grade_partitions()) == PARTITIONS
    summary = api.run(study)
    assert summary.exit_code == 0
    assert len(opened) == OPENED == len(summary.run_ids) + 1
    assert [place for place, times in loaded.items() if times > 1] == []
