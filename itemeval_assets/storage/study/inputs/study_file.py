"""Reads a study's YAML, and all that it names."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from itemeval_assets.core.config.reading import parse_config
from itemeval_assets.core.config.roster import Roster
from itemeval_assets.core.config.snapshot import PriceText, Snapshot
from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.design.study import BYTE_ORDER_MARK, Study, study_of
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.grading.code import Source
from itemeval_assets.core.grading.grading_prompt import PromptOf
from itemeval_assets.core.tasks.lock import TaskLock
from itemeval_assets.core.text.locations import scheme_of

from .model_lock import read_roster, roster_of_today
from .prices import price_book, price_text
from .scorer_code import packaged_types, read_sources
from .task_lock import read_task_lock
from .template_lock import Kept, read_template_lock
from .templates import load_templates
from .tranches import read_tranche
from .unreadable import unreadable

# What ends like this is no study. JSON may be one, since it is YAML.
_OF_DATA = (".jsonl", ".csv", ".parquet", ".xlsx", ".tsv")


def read_study(
    path: str | Path,
    prompt_of: PromptOf,
    *,
    task: TaskLock | None = None,
    replaced: Mapping[str, Any] | None = None,
    kept: Kept | None = None,
    redraw: bool = False,
) -> Study:
    """The study of a YAML. `prompt_of` tells the prompts of model-graded scorers.

    `task`: what is known of its task, if not what the study's folder says. `replaced`: keys in the
    place of those of the YAML. `kept`: the words of packaged templates, if not those that are kept
    beside the YAML. `redraw`: the models from the roster of today, whatever is locked. Raises
    ConfigError or TemplateError with everything that is wrong.
    """
    path = _resolved(path)
    text = _text_of(path)
    replaced = replaced or {}
    packaged = _packaged_types(text)
    config = parse_config(text.removeprefix(BYTE_ORDER_MARK), str(path), replaced, packaged)
    location = study_location(config, path)
    kept = read_template_lock(config.study, path.parent) if kept is None else kept
    prompts, rubrics = load_templates(config, path.parent, kept, prompt_of)
    prices = price_text(config, path.parent)
    snapshot = Snapshot(
        str(path),
        location,
        text,
        prompts,
        rubrics,
        prices,
        replaced,
        _scorer_sources(config, path),
        [name for name in packaged if name in {one.type for one in config.scorers.values()}],
        task or read_task_lock(config, location, path),
        _roster(config, path, prices, redraw=redraw),
        read_tranche(config, location),
    )
    return study_of(snapshot, config)


def load_config(
    path: str | Path, replaced: Mapping[str, Any] | None = None
) -> tuple[StudyConfig, Path]:
    """What the YAML of a study says, and where it lies: nothing that it names is read.

    Raises ConfigError for what is wrong.
    """
    path = _resolved(path)
    text = _text_of(path)
    packaged = _packaged_types(text)
    config = parse_config(text.removeprefix(BYTE_ORDER_MARK), str(path), replaced or {}, packaged)
    return config, path


def _packaged_types(text: str) -> list[str]:
    """The types of scorers that packages offer: to look for them takes longer than all the rest."""
    return packaged_types() if "scorers" in text else []


def _scorer_sources(config: StudyConfig, path: Path) -> dict[str, Source]:
    try:
        return read_sources(config, path.parent)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _roster(
    config: StudyConfig, path: Path, prices: PriceText | None, *, redraw: bool
) -> Roster | None:
    if config.solvers.sample is None and not redraw:
        return None
    try:
        read = roster_of_today if redraw else read_roster
        return read(config, path, price_book(config, prices))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _resolved(path: str | Path) -> Path:
    if not isinstance(path, (str, os.PathLike)):
        raise ConfigError(f"{path!r} is no path of a study's YAML file: give a str or a Path")
    try:
        return Path(path).expanduser().resolve()
    except (TypeError, ValueError, RuntimeError, OSError) as error:
        raise ConfigError(f"cannot read the config {str(path)!r}: {error}") from error


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except IsADirectoryError as error:
        raise ConfigError(f"{path} is a folder; name the study's YAML file in it") from error
    except FileNotFoundError as error:
        raise ConfigError(f"there is no config file {path}{_beside(path)}") from error
    except OSError as error:
        raise ConfigError(f"cannot read the config {path}: {error.strerror}") from error


def _beside(path: Path) -> str:
    """The files in the same folder that may be meant; empty where there are none."""
    near = [p.name for p in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
    return f"; that folder has {', '.join(sorted(near))}" if near else ""


def _text_of(path: Path) -> str:
    """The text of a config, which gives back its bytes: a byte order mark stays in it."""
    content = _read_bytes(path)
    suffix = path.suffix.lower()
    if suffix in (*_OF_DATA, ".py"):
        what = "is a Python file" if suffix == ".py" else "holds data"
        raise ConfigError(
            f"{path} {what}, and is no study: name the study's YAML file{_beside(path)}"
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(unreadable(path, error)) from error


def study_location(config: StudyConfig, path: Path) -> str:
    """The folder of a study: a path of this machine, or an `s3://` URI.

    Raises ConfigError where `output_dir` is a file.
    """
    given = config.output_dir
    if scheme_of(given):
        return f"{given.rstrip('/')}/{config.study}"
    folder = (path.parent / Path(given).expanduser()).resolve()
    if folder.is_file():
        raise ConfigError(f"{path}: output_dir: {folder} is a file; name a folder")
    return str((folder / config.study).resolve())
