"""Made the archives: `python -m tests.older.make disk <archive>`, in a clone at an earlier commit.

With these files copied into its `tests/`. The study has errored cells, a row that was replaced, a
release; the experiment has a spec that failed.
"""

import os
import sys
import tarfile
import tempfile
from contextlib import ExitStack
from pathlib import Path

import boto3

import itemeval_assets as ie
import tests.conftest  # noqa: F401 (seals the environment)
from itemeval_assets.experiments import BaseExperiment, ExperimentStorageSettings
from tests.s3_server import s3_server

from .kept import BUCKET, declare, specs, unreliable_server
from .simulation import BROKEN, kept_melting


def main(kind: str, archive: str) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.chdir(folder)
        server = stack.enter_context(unreliable_server())
        os.environ |= {"TEST_BASE_URL": server.base_url, "TEST_API_KEY": "sk-of-the-test"}
        output_dir, bucket = "studies", str(folder / "experiments")
        if kind == "bucket":
            endpoint = stack.enter_context(s3_server()).endpoint
            os.environ |= {
                "AWS_ENDPOINT_URL": endpoint,
                "AWS_ACCESS_KEY_ID": "testing",
                "AWS_SECRET_ACCESS_KEY": "testing",
                "AWS_REGION": "us-east-1",
                "AWS_DEFAULT_REGION": "us-east-1",
                "SCYTHE_STORAGE_BUCKET": BUCKET,
            }
            boto3.client("s3").create_bucket(Bucket=BUCKET)
            output_dir, bucket = f"s3://{BUCKET}/studies", BUCKET
        config = declare(folder, output_dir)
        print(ie.run(config))
        print(ie.run(config, only="solutions", conditions="beta", force=True))
        print(ie.run(config))
        print(ie.release(config))
        settings = ExperimentStorageSettings(BUCKET=bucket)
        BROKEN.add("lead")
        melting = BaseExperiment(kept_melting, storage_settings=settings)
        run, ref = melting.allocate(specs(folder))
        print(ref.result(), run.status())
        if kind == "bucket":
            _fetch(folder / "bucket")
        with tarfile.open(archive, "w:xz") as tar:
            for name in ("studies", "experiments", "bucket"):
                if (folder / name).exists():
                    tar.add(folder / name, name, filter=_without_locks)


def _fetch(folder: Path) -> None:
    client = boto3.client("s3")
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for entry in page["Contents"]:
            target = folder / entry["Key"]
            target.parent.mkdir(parents=True, exist_ok=True)
            client.download_file(BUCKET, entry["Key"], str(target))


def _without_locks(found: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if found.name.endswith(".lock") else found


if __name__ == "__main__":
    main(*sys.argv[1:])
