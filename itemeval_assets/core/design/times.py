"""Later times of a study: waves, which ask again, and rejudges, which grade again.

A time that a command names is written into the study file: the design is there.
"""

import re
from dataclasses import replace

from itemeval_assets.core.config.sections import WaveConfig
from itemeval_assets.core.config.wording import WAVE_NAME
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.text.yaml.edits import EditError, plain_word, with_item

from .selection import Key, Time
from .study import Study, study_of

_OPTIONS: dict[Key, str] = {"waves": "wave", "rejudges": "rejudge"}


def time_of(wave: str | None, rejudge: str | None, anchors: int | None) -> Time | None:
    """The time that a run is limited to; null: it covers the whole design.

    Raises ConfigError for what is none, or several.
    """
    named: dict[Key, str | None] = {"waves": wave, "rejudges": rejudge}
    times = [Time(key, name) for key, name in named.items() if name is not None]
    if len(times) > 1:
        raise ConfigError(
            "wave and rejudge: a run does one of them: ask again with wave first, then grade the "
            "first answers again with rejudge"
        )
    if not times:
        if anchors is not None:
            raise ConfigError("anchors: they are items of a wave or a rejudge; name one")
        return None
    [time] = times
    if not isinstance(time.name, str) or not re.fullmatch(WAVE_NAME, time.name):
        raise ConfigError(
            f"{_OPTIONS[time.key]}: write at most 32 small letters, digits, `.`, `-` and `_`, a "
            f"letter or digit first, such as 2026-12; found {time.name!r}"
        )
    if anchors is not None and (isinstance(anchors, bool) or not isinstance(anchors, int)):
        raise ConfigError(f"anchors: {anchors!r} is no number of items")
    if anchors is not None and anchors < 1:
        raise ConfigError(f"anchors: {anchors}: give at least 1 item, or leave it out for all")
    return time


def with_time(study: Study, time: Time, anchors: int | None) -> Study:
    """The study with a time that it may lack: then the text of its snapshot has it, no file yet.

    Without `anchors` a rejudge takes those of the wave of its name. Raises ConfigError where the
    study has the time with other anchors, or its text is such that nothing can be added.
    """
    known = {one.name: one for one in _entries(study, time.key)}
    if own := known.get(time.name):
        _require_same(time, own, anchors)
        return study
    if anchors is None and time.key == "rejudges":
        waves = {one.name: one.anchors for one in study.config.waves}
        anchors = waves.get(time.name)
    name = plain_word(time.name)
    entry = name if anchors is None else f"{{name: {name}, anchors: {anchors}}}"
    try:
        text = with_item(study.snapshot.config, (time.key,), entry)
    except EditError as error:
        raise ConfigError(f"{study.config_path}: {error}") from None
    return study_of(replace(study.snapshot, config=text))


def _entries(study: Study, key: Key) -> list[WaveConfig]:
    return study.config.waves if key == "waves" else study.config.rejudges


def _require_same(time: Time, own: WaveConfig, anchors: int | None) -> None:
    if anchors is not None and anchors != own.anchors:
        has = "all items" if own.anchors is None else f"anchors: {own.anchors}"
        raise ConfigError(
            f"{time.key}: {time.name!r} has {has} in the study file, not {anchors}; change it "
            "there: a larger number keeps what there is, and adds to it"
        )
