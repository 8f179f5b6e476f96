"""Made the archives: `python -m tests.imports.make <python> <version>`.

`python` is one of an environment with this version of itemeval, and openai; it needs no network.
The study has errored cells, blank and unparsed answers, solutions that were called again, answers
of a wave where the version knows waves.
"""

import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from .kept import declare, unreliable_server

# With today's inspect_ai the peer cannot store a call that failed: an output without choices has
# no stop reason. Its dataset is handed over, since it reads those of the hub alone.
RUN = """
import inspect, json, sys
import datasets
from inspect_ai.model import ModelOutput
from itemeval import load_config, prepare_study, run_generate, run_grade
from itemeval.adapters._hf import HFAdapter

def stop_reason(output):
    return output.choices[0].stop_reason if output.choices else None
rows = [json.loads(line) for line in open("items.jsonl")]
HFAdapter.resolve_revision = lambda self, spec: "0" * 40
datasets.load_dataset = lambda *_, **__: datasets.Dataset.from_list(rows)
ModelOutput.stop_reason = property(stop_reason)
for word in sys.argv[1:]:
    prepared = prepare_study(load_config("studies.yaml"))
    stage, _, how = word.partition("+")
    run = {"generate": run_generate, "grade": run_grade}[stage]
    options = {"display": "none", "max_usd": 1e9, "force": how == "force"}
    if how == "wave":
        options["wave"] = "again"
    known = inspect.signature(run).parameters
    run(prepared, **{name: value for name, value in options.items() if name in known})
"""


def main(python: str, version: str) -> None:
    with tempfile.TemporaryDirectory() as place, unreliable_server() as server:
        folder = Path(place)
        declare(folder)
        seal = {"HF_HUB_OFFLINE": "1", "TEST_API_KEY": "none", "TEST_BASE_URL": server.base_url}
        words = ["generate", "grade", "generate+force", "grade"]
        words += ["generate+wave", "grade+wave"] if version != "0.1.0" else []
        subprocess.run(
            [python, "-c", RUN, *words], cwd=folder, env={**os.environ, **seal}, check=True
        )
        with tarfile.open(Path(__file__).with_name(f"itemeval_{version}.tar.xz"), "w:xz") as tar:
            tar.add(folder / "studies", "studies", filter=_without_locks)


def _without_locks(found: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if found.name.endswith(".lock") else found


if __name__ == "__main__":
    main(*sys.argv[1:])
