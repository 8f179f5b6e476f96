"""The sources of variance of a design."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import prod

import numpy as np

__all__ = ["RESIDUAL", "Design"]

# The facet of the rows of one cell, where the design names none.
RESIDUAL = "residual"


@dataclass(frozen=True)
class Design:
    """Facets, in order; what each is nested in; how many levels each has within its nest.

    A source is a set of facets that holds, with each facet, what that is nested in. Its facets in
    which none of its others is nested are its `own`: the effect sums to zero over those.
    """

    facets: tuple[str, ...]
    nested: Mapping[str, frozenset[str]]
    n: Mapping[str, int]
    fixed: frozenset[str]

    @cached_property
    def sources(self) -> list[frozenset[str]]:
        """All sources, the smaller ones first, in the order of the facets."""
        found = []
        for size in range(1, len(self.facets) + 1):
            for chosen in combinations(self.facets, size):
                source = frozenset(chosen)
                if all(self.nested[facet] <= source for facet in source):
                    found.append(source)
        return found

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """How many levels each facet has, in order."""
        return tuple(self.n[facet] for facet in self.facets)

    def name(self, source: frozenset[str]) -> str:
        """The columns of a source, joined with a colon."""
        if RESIDUAL in source:
            return RESIDUAL
        return ":".join(facet for facet in self.facets if facet in source)

    def own(self, source: frozenset[str]) -> frozenset[str]:
        """The facets of a source that hold no other of its facets."""
        holders = frozenset[str]().union(*(self.nested[facet] for facet in source))
        return source - holders

    def df(self, source: frozenset[str]) -> int:
        """The degrees of freedom of a source in the full grid."""
        own = self.own(source)
        return prod(self.n[facet] - (facet in own) for facet in source)

    def rest(self, source: frozenset[str]) -> int:
        """How many cells of the full grid one level of a source has."""
        return prod(self.n[facet] for facet in self.facets if facet not in source)

    def is_fixed(self, source: frozenset[str]) -> bool:
        """Whether a source is of fixed facets alone."""
        return source <= self.fixed

    @cached_property
    def fixed_part(self) -> "Design":
        """The design of the sources of fixed facets alone."""
        sources = [source for source in self.sources if self.is_fixed(source)]
        kept = frozenset[str]().union(*sources)
        return Design(
            tuple(facet for facet in self.facets if facet in kept), self.nested, self.n, kept
        )

    @cached_property
    def expected(self) -> np.ndarray:
        """Expected mean squares: row by source, the weight of each component in it."""
        return np.array(
            [
                [self.rest(other) * (source <= other) for other in self.sources]
                for source in self.sources
            ],
            dtype=float,
        )
