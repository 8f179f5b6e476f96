"""Two workers that share Postgres, Redis and a bucket, and nothing else; one of them is killed."""

import importlib.util
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.here.cluster import SMALL
from deploy.here.run import experiment
from deploy.here.servers import missing_programs

PACKAGES = ("dagster_celery", "dagster_postgres", "redis")
MISSING = [*missing_programs(), *(one for one in PACKAGES if not importlib.util.find_spec(one))]

pytestmark = [
    pytest.mark.deploy,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that the user `postgres` can reach, which those of pytest are not."""
    folder = Path(tempfile.mkdtemp(prefix="deploy_"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_a_study_survives_the_death_of_a_worker(open_folder: Path) -> None:
    figures = experiment(open_folder, "worker", SMALL)
    assert figures["holds"], figures
    assert figures["rows of solutions, gradings"] == "80, 0"
    assert figures["runs"]["taken over by another one"] >= 1
    # The other one went on from the logs in the bucket, and called nothing that was in them.
    assert figures["answers of the dead worker that were kept"] > 0
    assert figures["calls made"] == 80 + figures["made twice"]
