"""What to say beside a difference: what it leaves out, and what else differs."""

from collections.abc import Iterator

from ..columns import counted, shortened
from ..intervals import of_few_clusters
from ..records import Scale
from .answers import Answers
from .paired import Pairs

__all__ = ["said_of", "said_of_scale"]


def said_of_scale(n_outside: int, scale: Scale | None) -> Iterator[str]:
    if scale and n_outside:
        yield (
            f"{n_outside:,} item means lie outside of the scale {scale[0]:g} to {scale[1]:g}, and"
            " are kept."
        )


def said_of(answers: Answers, first: int, other: int, pairs: Pairs, place: int) -> Iterator[str]:
    """What to say beside the difference."""
    both = answers.objects[first], answers.objects[other]
    for name, count in zip(both, (pairs.only_first, pairs.only_other), strict=True):
        if count[place]:
            items = counted(int(count[place]), "item")
            yield f"{items} with a score of {name} only: left out."
    if pairs.constant[place]:
        yield from _of_constant(answers, first, other, pairs, place)
    yield from of_few_clusters(int(pairs.n_clusters[place]), int(pairs.n_items[place]))
    for facet, sets in answers.varied.items():
        mine, theirs = sets[first], sets[other]
        if mine != theirs:
            yield (
                f"{facet} differs: {shortened(sorted(map(str, mine)))} of {both[0]},"
                f" {shortened(sorted(map(str, theirs)))} of {both[1]}. The difference holds both."
            )


def _of_constant(
    answers: Answers, first: int, other: int, pairs: Pairs, place: int
) -> Iterator[str]:
    """Right and wrong answers have an interval also where all items tie."""
    if pairs.n_ties[place] < pairs.n_items[place]:
        yield "All items differ by the same: without spread a rough interval, or none."
    elif not (answers.binary[first] and answers.binary[other]):
        yield "All items tie: without spread no interval and no p."
