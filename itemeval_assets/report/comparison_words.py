"""What comparisons found, in words: who is better than whom, and who cannot be told apart."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from .views import pairs_of, short_names

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.comparisons.records import Compared

__all__ = ["words_of_comparisons"]

_MOST_NAMES, _MOST_SENTENCES = 6, 6


class _Claim(NamedTuple):
    """What may be said of objects with higher scores: of one, of several, and of all in order."""

    one: str
    several: str
    first: str

    def of(self, names: Sequence[str]) -> str:
        return f"{_listed(names)} {self.one if len(names) == 1 else self.several}"


_IS = _Claim("is better than", "are better than", "Best first")
# A grader is not better than another for its higher scores.
_GIVES = _Claim("gives higher scores than", "give higher scores than", "Highest first")


def words_of_comparisons(families: "Sequence[Compared]", facet: str) -> Iterator[str]:
    """Each family in one paragraph, then what is to be said of all of them."""
    shared = [
        words
        for words in dict.fromkeys(words for family in families for words in family.words)
        if len(families) > 1 and all(words in family.words for family in families)
    ]
    for family in families:
        own = [words for words in family.words if words not in shared]
        said = [*_found(family, facet), *dict.fromkeys(why for _, _, why in family.left_out), *own]
        if said:
            yield (f"By {family.graded_by}: " if family.graded_by else "") + " ".join(said)
    yield from shared


def _found(family: "Compared", facet: str) -> Iterator[str]:
    """A sentence of a single pair, and of several who is better than whom."""
    found = family.differences
    if len(found) < 2:
        yield from (one.verdict for one in found)
    elif family.letters:
        yield from _of_groups(family, facet)
    else:
        yield from _of_pairs(family)


def _of_pairs(family: "Compared") -> Iterator[str]:
    """Of pairs that form no groups: those that differ, and how many do not."""
    found = family.differences
    called = [one for one in found if one.p < 1 - one.level]
    yield from (one.verdict for one in called[:_MOST_SENTENCES])
    if len(called) > _MOST_SENTENCES:
        yield f"{len(called) - _MOST_SENTENCES:,} more pairs differ."
    if close := len(found) - len(called):
        yield f"{_how_many(close, len(found))} too close to call."


def _how_many(close: int, n_pairs: int) -> str:
    if close == n_pairs:
        return "Both pairs are" if close == 2 else f"All {close:,} pairs are"
    return f"{close:,} of {n_pairs:,} pairs {'is' if close == 1 else 'are'}"


def _of_groups(family: "Compared", facet: str) -> Iterator[str]:
    names = short_names(str(name) for name in family.letters)
    worse = _worse_than(family)
    items = _items(family)
    if not any(worse.values()):
        yield f"{items} tell none of the {len(names)} {facet}s apart ({_rest(family)})."
        return
    steps = [[names[name] for name in step] for step in _steps(family, worse)]
    claim = _GIVES if facet == "grader" else _IS
    *first, last = _of_steps(steps, claim) if steps else _of_each(names, worse, claim)
    yield from first
    yield f"{last.rstrip('.')} ({items}; {_rest(family)})."


def _worse_than(family: "Compared") -> dict[str, tuple[str, ...]]:
    """{object: those that it is better than}, the best first."""
    order = [str(name) for name in family.letters]
    found: dict[str, set[str]] = {name: set() for name in order}
    for pair in pairs_of([family]):
        if pair.is_called:
            better, worse = (pair.full_a, pair.full_b)[:: 1 if pair.value > 0 else -1]
            found[better].add(worse)
    return {name: tuple(one for one in order if one in found[name]) for name in order}


def _steps(family: "Compared", worse: dict[str, tuple[str, ...]]) -> list[list[str]]:
    """The groups, if each object of one is better than all of the next; else nothing."""
    order = list(worse)
    steps = [[str(name) for name in group] for group in family.groups]
    if [name for step in steps for name in step] != order:
        return []
    for place, step in enumerate(steps):
        after = tuple(name for later in steps[place + 1 :] for name in later)
        if any(worse[name] != after for name in step):
            return []
    return steps


def _of_steps(steps: list[list[str]], claim: "_Claim") -> Iterator[str]:
    if len(steps) == 2:
        first, last = steps
        apart = ", which cannot be told apart" if len(last) > 1 else ""
        yield f"{claim.of(first)} {_listed(last)}{apart}."
        if len(first) > 1:
            yield f"{_listed(first)} cannot be told apart."
        return
    told = [_listed(step) + " (not told apart)" * (len(step) > 1) for step in steps]
    yield f"{claim.first}: {'; '.join(told)}. Each {claim.one} all that follow."


def _of_each(
    names: dict[str, str], worse: dict[str, tuple[str, ...]], claim: "_Claim"
) -> Iterator[str]:
    """Objects that are better than the same others, in one sentence."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for name, others in worse.items():
        if others:
            alike.setdefault(others, []).append(names[name])
    for others, better in list(alike.items())[:_MOST_SENTENCES]:
        yield f"{claim.of(better)} {_listed([names[one] for one in others])}."
    if len(alike) > _MOST_SENTENCES:
        yield f"And {len(alike) - _MOST_SENTENCES:,} more."
    yield "No others can be told apart."


def _rest(family: "Compared") -> str:
    return f"{len(family.differences):,} pairs, Holm"


def _items(family: "Compared") -> str:
    counts = [one.n_items for one in family.differences]
    low, high = min(counts), max(counts)
    return f"{low:,} items" if low == high else f"{low:,} to {high:,} items"


def _listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`, `a, b and 9 more`."""
    if len(names) > _MOST_NAMES:
        names = [*names[: _MOST_NAMES - 1], f"{len(names) - _MOST_NAMES + 1} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
