"""Names of time zones, as the IANA lists them, and the one that a misspelt name means."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from .nearest import nearest

_SHORTEST_CITY = 5


def is_timezone(name: str) -> bool:
    """Whether there is a time zone of this name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def nearest_timezone(name: str) -> str | None:
    """The zone that a name may mean: of its city, where it names one alone or in a wrong region.

    Never one such as `Etc/GMT+2`, which is two hours behind UTC and not before it.
    """
    known = ["UTC", *sorted(zone for zone in available_timezones() if _has_city(zone))]
    word = name.strip().replace(" ", "_")
    return _with_city(word, known) or nearest(word, known) or _with_city_like(word, known)


def _has_city(zone: str) -> bool:
    return "/" in zone and not zone.startswith("Etc/")


def _with_city(word: str, known: list[str]) -> str | None:
    same = (zone for zone in known if _city(zone).lower() == _city(word).lower())
    return next(same, None)


def _with_city_like(word: str, known: list[str]) -> str | None:
    # Words as short as CEST are abbreviations, which name no city.
    cities = {_city(zone) for zone in known} if len(word) >= _SHORTEST_CITY else ()
    city = nearest(_city(word), cities)
    return _with_city(city, known) if city else None


def _city(zone: str) -> str:
    return zone.rpartition("/")[2]
