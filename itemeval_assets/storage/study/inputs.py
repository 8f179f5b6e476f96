"""Reads what a user writes: the study YAML, its templates, its price file."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from itemeval_assets.core.config.reading import parse_config
from itemeval_assets.core.config.snapshot import PriceText, Snapshot
from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.design.study import BYTE_ORDER_MARK, Study, study_of
from itemeval_assets.core.errors import ConfigError, TemplateError
from itemeval_assets.core.grading.code import Source
from itemeval_assets.core.money.pricing import PriceBook, PriceFile, parse_price_file
from itemeval_assets.core.prompts.templates import BUILTIN, Template, make_template
from itemeval_assets.core.text.locations import scheme_of
from itemeval_assets.core.text.nearest import did_you_mean

from .scorer_code import packaged_types, read_sources


def load_study(path: str | Path, replaced: Mapping[str, Any] | None = None) -> Study:
    """Load one study from its YAML. Touches no dataset and no network.

    `replaced`: keys in the place of those of the YAML, as `replaced_keys` gives them. Raises
    ConfigError or TemplateError with everything that is wrong.
    """
    path = _resolved(path)
    text = _text_of(path)
    replaced = replaced or {}
    # To look for them takes longer than all the rest.
    packaged = packaged_types() if "scorers" in text else []
    config = parse_config(text.removeprefix(BYTE_ORDER_MARK), str(path), replaced, packaged)
    prompts, rubrics = _load_templates(config, path.parent)
    prices = _price_text(config, path.parent)
    snapshot = Snapshot(
        str(path),
        _location(config, path),
        text,
        prompts,
        rubrics,
        prices,
        replaced,
        _scorer_sources(config, path),
        [name for name in packaged if name in {one.type for one in config.scorers.values()}],
    )
    return study_of(snapshot, config)


def load_prices(study: Study) -> PriceBook:
    """The study's prices, as they were when it was loaded.

    Raises ConfigError for an unreadable `budget.pricing_path`.
    """
    given, found = study.config.budget.pricing_path, study.snapshot.prices
    if given is None or found is None:
        return PriceBook(environment=os.environ)
    if found.text is None:
        raise ConfigError(f"budget.pricing_path: {found.problem}")
    prices = parse_price_file(found.text, found.path)
    _refuse_old_prices(study, prices, found.path)
    return PriceBook(prices.models, f"budget.pricing_path {given}", os.environ)


def prices_if_needed(study: Study) -> PriceBook:
    """The study's prices; where they cannot be read, only who asks for one is told (ConfigError).

    What was called before has its price in its log.
    """
    try:
        return load_prices(study)
    except ConfigError as problem:
        return PriceBook.unreadable(problem)


def _scorer_sources(config: StudyConfig, path: Path) -> dict[str, Source]:
    try:
        return read_sources(config, path.parent)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _price_text(config: StudyConfig, base: Path) -> PriceText | None:
    """The price file, or why it cannot be read: only who needs a price is told."""
    given = config.budget.pricing_path
    if given is None:
        return None
    path = (base / Path(given).expanduser()).resolve()
    if not path.is_file():
        problem = f"there is no file {path}; the path is relative to the config"
        return PriceText(str(path), problem=problem)
    try:
        return PriceText(str(path), path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        return PriceText(str(path), problem=_unreadable(path, error))


def _refuse_old_prices(study: Study, prices: PriceFile, path: str) -> None:
    longest = study.config.budget.pricing_max_age_days
    if longest is None:
        return
    age = prices.age_days(datetime.now(UTC))
    if age is None or age > longest:
        found = "has no updated_at" if age is None else f"is {age:.0f} days old"
        raise ConfigError(
            f"budget.pricing_path: {path} {found}; budget.pricing_max_age_days is {longest:g}. "
            "Look up the prices and set updated_at in the file, or raise the limit"
        )


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
        near = [p.name for p in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
        hint = f"; that folder has {', '.join(sorted(near))}" if near else ""
        raise ConfigError(f"there is no config file {path}{hint}") from error
    except OSError as error:
        raise ConfigError(f"cannot read the config {path}: {error.strerror}") from error


def _text_of(path: Path) -> str:
    """The text of a config, which gives back its bytes: a byte order mark stays in it."""
    try:
        return _read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(_unreadable(path, error)) from error


def _unreadable(path: Path, error: OSError | UnicodeDecodeError) -> str:
    """Why a file cannot be read, in words."""
    if isinstance(error, UnicodeDecodeError):
        return f"{path} is not UTF-8 text (byte {error.start})"
    if isinstance(error, IsADirectoryError):
        return f"{path} is a folder; there has to be a file of that name"
    return f"cannot read {path}: {error.strerror}"


def _location(config: StudyConfig, path: Path) -> str:
    given = config.output_dir
    if scheme_of(given):
        return f"{given.rstrip('/')}/{config.study}"
    return str((path.parent / Path(given).expanduser() / config.study).resolve())


def _load_templates(
    config: StudyConfig, base: Path
) -> tuple[dict[str, Template], dict[str, Template]]:
    """All prompts and rubrics by reference. Every missing one is named in a single error."""
    prompts, rubrics, problems = {}, {}, []
    wanted = [
        (prompts, "facets.prompt", name, base / config.prompts_dir / "solver", "prompts")
        for name in config.facets.prompt
    ]
    if config.facets.grader:
        wanted += [
            (rubrics, "facets.rubric", name, base / config.rubrics_dir, "rubrics")
            for name in config.facets.rubric
        ]
    for found, where, name, folder, builtin in wanted:
        try:
            found[name] = _load_template(name, folder, builtin)
        except TemplateError as error:
            problems.append(f"{where}: {error}")
    if problems:
        raise TemplateError("\n".join(problems))
    return prompts, rubrics


def _load_template(name: str, folder: Path, builtin: str) -> Template:
    if name.startswith(BUILTIN):
        packaged = _packaged(builtin)
        short = name.removeprefix(BUILTIN)
        if short not in packaged:
            known = [f"{BUILTIN}{one}" for one in packaged]
            raise TemplateError(f"there is no packaged {name!r}; there are: {', '.join(known)}")
        return make_template(name, f"{BUILTIN}{builtin}/{short}.md", packaged[short])
    path = (folder / f"{name}.md").resolve()
    try:
        return make_template(name, str(path), path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise TemplateError(
            f"{name!r}: there is no file {path}{_hint(name, folder, builtin)}"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"{name!r}: {_unreadable(path, error)}") from error


def _hint(name: str, folder: Path, builtin: str) -> str:
    packaged = list(_packaged(builtin))
    if name in packaged:
        return f"; for the packaged one write {BUILTIN}{name}"
    local = sorted(path.stem for path in folder.glob("*.md"))
    return f"; {did_you_mean(name, [*local, *(f'{BUILTIN}{one}' for one in packaged)])}"


@cache
def _packaged(kind: str) -> dict[str, str]:
    folder = files("itemeval_assets") / "builtin" / kind
    return {
        entry.name.removesuffix(".md"): entry.read_text(encoding="utf-8")
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".md")
    }
