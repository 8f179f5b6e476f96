"""A study in a bucket beside the same one on the disk: what the network costs.

    python -m benchmarks.cases.storage.bucket [--models 10] [--graders 9] [--items 2]
        [--latency 0.05]

Every request of the bucket waits as long as one of a real bucket does. The server of the bucket is
in this process, the study in another one: on one core they would share it.
"""

import argparse
import os
import tempfile
from pathlib import Path

from benchmarks.processes import measure, python
from benchmarks.targets import Target, report
from tests.s3_server import S3Server, empty_bucket, s3_server
from tests.studies import write_study

RUN = """
import sys, time
from itemeval_assets import api
from itemeval_assets.runs import dagster_runs
study = api.load_study(sys.argv[1])
begun = time.perf_counter()
assert api.run(study).exit_code == 0
print(time.perf_counter() - begun)
"""
BUCKET = "benchmark"


def main() -> None:
    """Run both, and report the ratio of their seconds."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--models", type=int, default=10)
    parser.add_argument("--graders", type=int, default=9)
    parser.add_argument("--items", type=int, default=2)
    parser.add_argument("--latency", type=float, default=0.05)
    given = parser.parse_args()
    partitions = given.models * (1 + given.graders)
    with tempfile.TemporaryDirectory() as folder, s3_server() as server:
        _use(server)
        on_disk = _seconds(Path(folder) / "disk", given, "studies")
        server.faults.delay_s = given.latency
        server.faults.seen.clear()
        in_bucket = _seconds(Path(folder) / "bucket", given, f"s3://{BUCKET}/studies")
    report(
        [
            Target(
                f"a study in a bucket, {partitions} partitions",
                in_bucket / on_disk,
                1.5,
                f"its seconds at {given.latency} s for each request / those on the disk",
            ),
        ],
        in_bucket_s=in_bucket,
        on_disk_s=on_disk,
        requests=server.requests,
    )


def _use(server: S3Server) -> None:
    os.environ |= {
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_REGION": "us-east-1",
    }
    empty_bucket(BUCKET)


def _seconds(folder: Path, given: argparse.Namespace, place: str) -> float:
    config = write_study(
        folder,
        models=[f"mockllm/m{number}" for number in range(given.models)],
        graders=[f"mockllm/j{number}" for number in range(given.graders)],
        scorer=None,
        items=given.items,
        extra={"cache": False, "output_dir": place},
    )
    own = {"XDG_CACHE_HOME": str(folder / "cache"), "DAGSTER_HOME": str(folder / "home")}
    (folder / "home").mkdir()
    return float(measure(python(RUN, config), folder, own).output)


if __name__ == "__main__":
    main()
