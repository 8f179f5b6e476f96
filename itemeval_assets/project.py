"""Projects on disk: scaffolding, and the quickstart."""

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import api, figures
from .core.design.study import Study
from .core.errors import ConfigError
from .engine.study_files import load_study
from .instances.home import CONFIG, packaged_config, require_usable
from .settings import HOME_FOLDER, nearest_dagster_home
from .storage.objects.new_files import add_lines, write_new
from .storage.study.layout import LOGS

if TYPE_CHECKING:
    from .engine.calls.progress import Progress
    from .runs.summary import RunSummary

SCHEMA = "study.schema.json"
# What pip leaves beside a packaged script.
_COMPILED = "__pycache__"
_LOCAL_MODEL = "openai-api/smollm2/SmolLM2-135M-Instruct"
_MOCK_MODEL = "mockllm/quickstart"
_RESULTS = "studies"
_IGNORED = f"""\
# Results, and Dagster's records of runs.
/{_RESULTS}/
/{HOME_FOLDER}/*
!/{HOME_FOLDER}/{CONFIG}
.tmp_dagster_home_*/
"""
_QUICKSTARTS = ("quickstart", "quickstart_mock")


@dataclass(frozen=True)
class QuickstartSummary:
    """The run, and the scores of each condition x grader, with what its calls cost."""

    run: "RunSummary"
    scores: list[dict[str, Any]]
    config: Path
    logs: str

    @property
    def errored(self) -> int:
        return self.run.errored


def init(folder: Path) -> list[Path]:
    """Make a project that runs at once, on mock models, also with Dagster's command `dg`.

    Raises ConfigError over existing files.
    """
    require_usable(folder / HOME_FOLDER)
    made = {**_packaged("project", folder), **_files("dg", folder)}
    return _written(made, folder, folder / HOME_FOLDER)


def schema_text() -> str:
    """The JSON Schema of study files, as editors read it."""
    from .core.config.reference import study_schema

    return json.dumps(study_schema(), indent=2, ensure_ascii=False) + "\n"


def add_study(project: Path, folder: Path, name: str) -> list[Path]:
    """Write the packaged study, on mock models, into a folder of a project of source code.

    Its results lie beside the code, in the folder of the project, and so does the history of runs,
    unless one further up is used. Raises ConfigError over existing files.
    """
    results = Path(os.path.relpath(project / _RESULTS, folder)).as_posix()
    changes = (r"^(study:) .*$", rf"\1 {name}\noutput_dir: {results}   # outside of the code")
    return _written(_packaged("project", folder, changes), project, nearest_dagster_home(project))


def _written(made: dict[Path, bytes], root: Path, home: Path) -> list[Path]:
    """Write new files, with what a folder of studies needs besides: a history, and a .gitignore."""
    history, ignored = home / CONFIG, root / ".gitignore"
    more = {history: packaged_config(), ignored: _IGNORED.encode()}
    write_new({**made, **{path: text for path, text in more.items() if not path.exists()}})
    add_lines(ignored, _IGNORED)
    return [*made, *more]


def quickstart(
    folder: Path | None,
    *,
    mock: bool = False,
    on_progress: "Callable[[Progress], None] | None" = None,
) -> QuickstartSummary:
    """Run the packaged study in `folder`, which is made if it is not there.

    `mock`: on mock models, in a folder and study of its own. Raises ModelError where the packages
    of the local model are not installed.
    """
    folder = folder or Path("quickstart_mock" if mock else "quickstart")
    config = quickstart_config(folder, mock)
    study = load_study(config)
    if study.name not in _QUICKSTARTS:
        raise ConfigError(
            f"{config} is the study {study.name!r}, not the quickstart: choose another folder, or "
            f"run it: itemeval-assets run {config}"
        )
    run = api.run(study, on_progress=on_progress)
    return QuickstartSummary(run, _scores(study), config, study.uri(LOGS))


def _packaged(name: str, target: Path, *changes: tuple[str, str]) -> dict[Path, bytes]:
    """The files of a packaged study, where they go; `changes` (pattern, text) in its YAML.

    The schema is beside it, for editors.
    """
    found = _files(name, target)
    text = found[target / "study.yaml"].decode()
    for pattern, wanted in changes:
        text = re.sub(pattern, wanted, text, flags=re.M)
    return {**found, target / "study.yaml": text.encode(), target / SCHEMA: schema_text().encode()}


def _files(name: str, target: Path) -> dict[Path, bytes]:
    """The files of a packaged folder, where they go."""
    source = files("itemeval_assets") / "builtin" / name
    return {target / path: entry.read_bytes() for path, entry in _walk(source)}


def _walk(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name == _COMPILED:
            continue
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry


def quickstart_config(folder: Path, mock: bool) -> Path:
    """The quickstart's YAML in `folder`, copied there at the first time."""
    config = folder / "study.yaml"
    if not config.is_file():
        on_mock = ((_LOCAL_MODEL, _MOCK_MODEL), (r"^study: quickstart\b", "study: quickstart_mock"))
        write_new(_packaged("quickstart", folder, *(on_mock if mock else ())))
    return config


def _scores(study: Study) -> list[dict[str, Any]]:
    """The rows of `scores`, each with its usd, and `mean_score` and `scored` as further names."""
    pair = ["gen_condition_id", "grade_condition_id"]
    costs = api.table(study, "gradings_long").groupby(pair)[["gen_usd", "grade_usd"]]
    usd = costs.sum(min_count=1).sum(axis=1, min_count=2).dropna().to_dict()
    return [
        {
            **asdict(row),
            "mean_score": row.mean,
            "scored": row.n_events,
            "usd": usd.get((row.gen_condition_id, row.grade_condition_id)),
        }
        for row in figures.scores(study).rows
    ]
