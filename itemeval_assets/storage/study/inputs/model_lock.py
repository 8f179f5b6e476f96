"""Reads a roster, and reads and writes what of it is locked: `<study>.model_lock.json`.

The lock has all models of the roster, as the first run found it, so that a file that is edited
later changes no study. Like other files that define a study it lies beside the YAML: to load a
study takes no network.
"""

import json
from dataclasses import replace
from pathlib import Path

from itemeval_assets.core.config.roster import Roster, named, parse_roster, words_on_change
from itemeval_assets.core.config.sections.solvers import ModelSampleConfig
from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.design.drawn_models import eligible, may_be_drawn
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.money.pricing import PriceBook
from itemeval_assets.core.text.nearest import did_you_mean
from itemeval_assets.core.text.strict_json import load_json
from itemeval_assets.storage.own_files import draft_name
from itemeval_assets.storage.study.layout import model_lock

from .unreadable import unreadable

_PRICES = "output_usd_per_mtok"


def read_roster(config: StudyConfig, path: Path, prices: PriceBook) -> Roster | None:
    """What models are drawn from: the locked roster, or before the first run its file.

    Null where the YAML names the models. `path`: of the YAML. Raises ConfigError.
    """
    if config.solvers.sample is None:
        return None
    locked = _locked(config.study, path)
    if locked is None:
        _require_excluded(config.solvers.sample, path)
        return roster_of_today(config, path, prices)
    change = _change(locked, config.solvers.sample.roster, path)
    return replace(locked, change=change and f"{change}. {_what_to_do(path)}")


def roster_of_today(config: StudyConfig, path: Path, prices: PriceBook) -> Roster:
    """The roster as its file is now, whatever is locked.

    Raises ConfigError for what is wrong in it, and for models without a price that may be drawn.
    """
    sample = config.solvers.sample
    if sample is None:
        raise ConfigError("solvers.sample: the YAML names its models, and draws none")
    models = _read(path.parent, sample.roster)
    wanted = [one for one in dict.fromkeys((*models, *sample.include)) if may_be_drawn(one, sample)]
    if unpriced := [model for model in wanted if prices.price_of(model) is None]:
        raise ConfigError(
            f"solvers.sample.roster: {sample.roster} has models without a price: "
            f"{named(unpriced)}; nothing is drawn. Give them prices in the file of "
            "budget.pricing_path, or name them in solvers.sample.exclude"
        )
    looks_at_prices = sample.where is not None and sample.where.max_output_usd_per_mtok is not None
    known = {model: prices.price_of(model) for model in models} if looks_at_prices else {}
    usd = {model: price.output_usd_per_mtok for model, price in known.items() if price}
    roster = Roster(sample.roster, models, output_usd_per_mtok=usd)
    eligible(sample, roster)
    return roster


def _require_excluded(sample: ModelSampleConfig, path: Path) -> None:
    """Raise ConfigError where a first draw leaves out a model that its roster does not have.

    Later it may have left the roster.
    """
    models = _read(path.parent, sample.roster)
    for model in sample.exclude:
        if model not in models:
            raise ConfigError(
                f"solvers.sample.exclude: {model!r} is not in {sample.roster}; "
                f"{did_you_mean(model, models)}"
            )


def keep_roster(study: Study) -> None:
    """Lock the roster of a study, where that is not done.

    Raises ConfigError where another run has locked another one since the study was loaded.
    """
    roster = study.snapshot.roster
    if roster is None or roster.is_locked:
        return
    locked = _locked(study.name, study.config_path)
    if locked is None:
        lock_roster(study, roster)
    elif set(locked.models) != set(roster.models):
        raise ConfigError(
            f"solvers.sample.roster: {roster.file} changed while this run began, and another run "
            "has locked it: run again"
        )


def lock_roster(study: Study, roster: Roster) -> Path:
    """Lock a roster in the place of what is locked. Raises ConfigError."""
    path = study.config_dir / model_lock(study.name)
    told = roster.to_record()
    names = {"roster": "file", "models": "models", _PRICES: _PRICES}
    document = {name: told[key] for name, key in names.items() if key in told}
    draft = study.config_dir / draft_name()
    try:
        draft.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ConfigError(
            f"cannot write {path}, which locks the roster of the models: {error.strerror}"
        ) from error
    return path


def _locked(study: str, path: Path) -> Roster | None:
    lock = path.parent / model_lock(study)
    try:
        found = load_json(lock.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("it is no JSON object")
        record = {"file": found.get("roster"), "models": found.get("models")}
        usd = {_PRICES: found[_PRICES]} if _PRICES in found else {}
        return Roster.from_record({**record, **usd, "is_locked": True})
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(unreadable(lock, error)) from error
    except ValueError as error:
        raise ConfigError(
            f"{lock} does not hold a roster: {error}. Restore it from a copy, or lock the "
            f"roster of today: itemeval-assets redraw {path}"
        ) from error


def _change(locked: Roster, file: str, path: Path) -> str | None:
    """What the roster says otherwise than when it was locked, in words."""
    if file != locked.file:
        return f"solvers.sample.roster: {locked.file} is locked, and the YAML names {file}"
    try:
        change = words_on_change(locked.models, _read(path.parent, file))
    except ConfigError as error:
        return f"{error}"
    return change and f"{file} changed since the first run: {change}"


def _what_to_do(path: Path) -> str:
    return (
        "The models stay those of the locked roster. To draw from that of today: "
        f"itemeval-assets redraw {path}"
    )


def _read(folder: Path, file: str) -> tuple[str, ...]:
    path = (folder / Path(file).expanduser()).resolve()
    try:
        return parse_roster(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError as error:
        raise ConfigError(
            f"solvers.sample.roster: there is no file {path}; the path is relative to the config"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"solvers.sample.roster: {unreadable(path, error)}") from error
