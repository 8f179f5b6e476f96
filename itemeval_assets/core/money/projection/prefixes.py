"""Which calls share the head of their prompt, so that a provider's cache makes them cheaper.

The first call with a head writes it to the provider's cache; those after it read it at a
discount, those beside it pay the full price. So one goes first, and the others follow.
"""

import hashlib
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

from .estimate import estimate_tokens

# No provider caches a shorter head.
SHORTEST_HEAD_TOKENS = 1024

Place = TypeVar("Place", bound=Hashable)


def shared_prefixes(heads: Mapping[Place, tuple[str, str]]) -> dict[Place, str]:
    """A short key of the prefix for each place that shares it with another place.

    `heads` gives (model, head of the prompt) of the calls to come.
    """
    keys = {
        place: hashlib.sha256(f"{model}\n{head}".encode("utf-8", "surrogatepass")).hexdigest()
        for place, (model, head) in heads.items()
        if estimate_tokens(head) >= SHORTEST_HEAD_TOKENS
    }
    counts = Counter(keys.values())
    return {place: key for place, key in keys.items() if counts[key] > 1}


def leaders_first(places: Iterable[Place], prefixes: Mapping[Place, str]) -> list[Place]:
    """The places in their order, but the first of each prefix before all that follow one."""
    seen: set[str] = set()
    leaders, followers = [], []
    for place in places:
        prefix = prefixes.get(place)
        (followers if prefix in seen else leaders).append(place)
        if prefix is not None:
            seen.add(prefix)
    return leaders + followers
