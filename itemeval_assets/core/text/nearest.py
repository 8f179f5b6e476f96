"""The known word that is nearest to a misspelt one."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like this one, whatever its case; None where none is."""
    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str], there_are: str = "there are") -> str:
    """What a message says after a word that is not known: the nearest, or else all that are."""
    names = list(known)
    near = nearest(word, names)
    return f"did you mean {near!r}?" if near else f"{there_are}: {', '.join(names) or 'none'}"
