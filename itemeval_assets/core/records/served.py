"""Which models replies say that they are of, and which provider a router passed a call on to.

A name may stand for another model from a day on, and providers run one model in several ways.
"""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

# {what replies say: how many}
Served: TypeAlias = Mapping[str, int]
SERVED_COLUMNS = ("served_model", "served_provider")
_SHOWN = 3
_BY = " by "


def served_name(model: str, provider: str | None) -> str:
    """What a reply is of. `provider`: whom a router passed the call on to; null: there is none."""
    return model if provider is None else f"{model}{_BY}{provider}"


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
        kind, pinned = "models", ""
        if any(_BY in name for name in models):
            kind = "models or providers"
            pinned = (
                " `solvers.provider_routing` names the providers of OpenRouter that may answer."
            )
        yield (
            f"{', '.join(labels[:_SHOWN])}{more}: the replies are of {len(models)} {kind}, as they "
            f"say themselves: {told}. A condition is taken for one model, so its figures mix them. "
            f"`run --wave NAME` asks again under a name of its own.{pinned}"
        )


def changed_words(label: str, then: Served, now: Served) -> Iterator[str]:
    """That a later time was answered by another model, as far as replies say so."""
    if then and now and set(then) != set(now):
        yield (
            f"{label}: the replies say that they are of {', '.join(sorted(now))}; those of before, "
            f"of {', '.join(sorted(then))}."
        )
