"""Studies as the code location has them, in every process of its runs.

A code server loads the studies, and shows and approves what it has loaded. Processes that Dagster
starts for a run load the definitions anew: they get what the code server had read, which Dagster
stores with the plan of the run, and not what the files say by then.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dagster._core.definitions.definitions_load_context import (
    DefinitionsLoadContext,
    DefinitionsLoadType,
)

from itemeval_assets.core.config.snapshot import Snapshot
from itemeval_assets.core.design.study import Study, study_of
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.text.secrets import redacted
from itemeval_assets.engine.study_files import load_study

_PREFIX = "itemeval_assets/study/"


def load_in_location(
    path: Path, part: str = "", replaced: Mapping[str, Any] | None = None
) -> Study:
    """The study of a config file: in a process of a run, as the code server loaded it.

    `part`: which part of the code location loads it. `replaced`: see `load_study`; what the code
    server had replaced holds in a run, too. Raises ConfigError or TemplateError for what
    is wrong, and for a study that changed meanwhile and cannot be had as it was.
    """
    path = Path(path).expanduser().resolve()
    context, key = _context(), f"{_PREFIX}{part}:{path}"
    kept = _kept(context).get(key)
    study = load_study(path, replaced) if kept is None else _as_kept(kept, path, replaced)
    # Processes that this one starts get the same.
    context.add_to_pending_reconstruction_metadata(key, kept or _to_keep(study))
    return study


def paths_in_location(paths: list[Path], part: str = "") -> list[Path]:
    """The config files to load: these, and those that the code server had loaded besides."""
    mark = f"{_PREFIX}{part}:"
    kept = [Path(key.removeprefix(mark)) for key in _kept(_context()) if key.startswith(mark)]
    return list(dict.fromkeys([*paths, *kept]))


def _context() -> DefinitionsLoadContext:
    """The context of Dagster; one that it will look at, where it has none yet."""
    if not DefinitionsLoadContext.is_set():
        DefinitionsLoadContext.set(DefinitionsLoadContext.get())
    return DefinitionsLoadContext.get()


def _kept(context: DefinitionsLoadContext) -> Mapping[str, Any]:
    if context.load_type == DefinitionsLoadType.INITIALIZATION:
        return {}
    return context.reconstruction_metadata


def _to_keep(study: Study) -> str:
    """A study for Dagster to store: its snapshot; of one that holds a secret, a digest alone."""
    config, snapshot = study.config.as_yaml_dict(), study.snapshot
    prices = snapshot.prices.text if snapshot.prices else None
    code = [source.text for source in snapshot.scorers.values()]
    texts = [config, snapshot.config, prices, *code]
    if redacted(texts) == texts:
        return json.dumps({"snapshot": snapshot.to_json()})
    return json.dumps({"sha256": _digest(snapshot)})


def _as_kept(kept: str, path: Path, replaced: Mapping[str, Any] | None) -> Study:
    found = json.loads(kept)
    if "snapshot" in found:
        return study_of(Snapshot.from_json(found["snapshot"]))
    study = load_study(path, replaced)
    if _digest(study.snapshot) != found["sha256"]:
        raise ConfigError(
            f"{path}: the study has changed since the code location loaded it, and the loaded text "
            "was not kept, because it holds a secret. Reload the code location and launch the run "
            "again. Put the secret into an environment variable to avoid this"
        )
    return study


def _digest(snapshot: Snapshot) -> str:
    if snapshot.roster:
        # The first run locks what it draws from, and the models stay the same.
        roster = replace(snapshot.roster, is_locked=False, change=None)
        snapshot = replace(snapshot, roster=roster)
    return hashlib.sha256(snapshot.to_json().encode()).hexdigest()
