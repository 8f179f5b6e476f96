"""Which models replies say that they are of: a name may stand for another model from a day on."""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

# {what replies say: how many}
Served: TypeAlias = Mapping[str, int]
_SHOWN = 3


def served_words(found: Mapping[str, Served]) -> Iterator[str]:
    """A sentence for each set of several models that replies of one condition are of.

    `found`: by the label of a condition, or of a pair.
    """
    alike: dict[tuple[str, ...], list[str]] = {}
    for label, served in found.items():
        if len(served) > 1:
            alike.setdefault(tuple(sorted(served)), []).append(label)
    for models, labels in alike.items():
        counts = {name: sum(found[label][name] for label in labels) for name in models}
        told = ", ".join(f"{name} ({count:,})" for name, count in counts.items())
        more = f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
        yield (
            f"{', '.join(labels[:_SHOWN])}{more}: the replies are of {len(models)} models, as they "
            f"say themselves: {told}. A condition is taken for one model, so its figures mix them. "
            "`run --wave NAME` asks again under a name of its own."
        )


def changed_words(label: str, then: Served, now: Served) -> Iterator[str]:
    """That a later time was answered by another model, as far as replies say so."""
    if then and now and set(then) != set(now):
        yield (
            f"{label}: the replies say that they are of {', '.join(sorted(now))}; those of before, "
            f"of {', '.join(sorted(then))}."
        )
