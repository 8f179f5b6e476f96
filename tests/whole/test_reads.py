"""How often a study is opened and read: each run opens it once, and reads no version twice."""

from collections import Counter
from pathlib import Path

import pytest

from itemeval_assets import api
from itemeval_assets.storage.objects.disk import LocalBackend
from itemeval_assets.storage.study.store import ResultsStore
from tests.s3_server import S3Server
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


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.long)])
def test_a_bucket_sends_no_version_of_an_object_twice_to_a_process(
    tmp_path: Path, s3: S3Server, s3_location: str, workers: int
) -> None:
    study = api.load_study(
        write_study(tmp_path, models=["mockllm/a", "mockllm/b"], extra={"output_dir": s3_location})
    )
    s3.faults.sent.clear()
    assert api.run(study, workers=workers).exit_code == 0
    # The command itself, and the workers that it starts.
    processes = 1 if workers == 1 else 1 + workers
    # A lock is looked at anew each time.
    sent = {place: times for place, times in s3.faults.sent.items() if "/.locks/" not in place[0]}
    if workers == 1:
        assert sent == {}  # it has written all of them itself
    else:
        assert sent
        assert {place: times for place, times in sent.items() if times > processes} == {}


# Of each partition: its rows and their log; what they cost, and the index of logs.
MOST_REQUESTS = {
    "solutions": 2,
    "generation_ledger": 2,
    "gradings": 2,
    "grading_ledger": 2,
    "gradings_long": 1,
}
# Of a whole run beside its partitions: one after the other, each as long as the network takes.
MOST_REQUESTS_OF_A_RUN = 62
ASSET_OF = {
    "solutions.parquet": "solutions",
    "logs/generate": "solutions",
    "bookings.parquet/generate": "generation_ledger",
    "log_index.parquet/generate": "generation_ledger",
    "replaced.parquet/generate": "generation_ledger",
    "gradings.parquet": "gradings",
    "logs/grade": "gradings",
    "bookings.parquet/grade": "grading_ledger",
    "log_index.parquet/grade": "grading_ledger",
    "replaced.parquet/grade": "grading_ledger",
    "gradings_long.parquet": "gradings_long",
}


def test_a_step_asks_a_bucket_a_few_times_for_each_partition(
    tmp_path: Path, s3: S3Server, s3_location: str
) -> None:
    """And what it asks for whole studies does not grow with their partitions."""
    by_size = {}
    for size in (1, 3):
        study = api.load_study(
            write_study(
                tmp_path / str(size),
                models=[f"mockllm/m{number}" for number in range(size)],
                graders=[f"mockllm/j{number}" for number in range(size)],
                extra={"output_dir": f"{s3_location}/{size}", "cache": False},
            )
        )
        s3.faults.seen.clear()
        assert api.run(study).exit_code == 0
        keys = [path.partition("/toy/")[2] for _, path in s3.faults.seen]
        # What is written every few seconds has nothing to do with partitions.
        keys = [key for key in keys if not key.startswith((".locks/leases/", "logs/running/"))]
        found, whole = Counter[str](), Counter[str]()
        for key in keys:
            asset = next((asset for p, asset in ASSET_OF.items() if key.startswith(f"{p}/")), None)
            if asset:
                found[asset] += 1
            else:
                whole[key.partition("/")[0]] += 1
        partitions = Counter(generate=len(study.generate_partitions()))
        partitions["grade"] = len(study.grade_partitions())
        for asset, most in MOST_REQUESTS.items():
            of = "generate" if asset in ("solutions", "generation_ledger") else "grade"
            assert found[asset] <= most * partitions[of], (asset, Counter(keys).most_common(9))
        by_size[size] = whole
    assert by_size[1].total() <= MOST_REQUESTS_OF_A_RUN, by_size[1]
    # Fifteen partitions beside three; a request that was repeated is none of theirs.
    assert by_size[3].total() <= by_size[1].total() + 3, by_size
