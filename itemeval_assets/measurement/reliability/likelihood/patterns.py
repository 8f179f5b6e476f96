"""Which levels two cells share: all that their covariance depends on."""

from dataclasses import dataclass

import numpy as np

from ..design import Design

__all__ = ["Patterns"]


@dataclass(frozen=True)
class Patterns:
    """Each pair of some cells as a number, with a bit for each facet whose level they share.

    A matrix over these cells is a table over patterns, and the trace of its product with another
    matrix a sum over patterns.
    """

    design: Design
    pairs: np.ndarray

    @classmethod
    def of(cls, levels: np.ndarray, design: Design) -> "Patterns":
        """The pairs of cells, given by their levels."""
        pairs = np.zeros((len(levels), len(levels)), dtype=np.uint16)
        for bit in range(levels.shape[1]):
            same = levels[:, bit, None] == levels[None, :, bit]
            pairs |= same.astype(np.uint16) << np.uint16(bit)
        return cls(design, pairs)

    def shared(self) -> np.ndarray:
        """Source x pattern: whether two cells share the level of the source."""
        return np.array([self.shared_of(source) for source in self.design.sources])

    def shared_of(self, facets: frozenset[str]) -> np.ndarray:
        """By pattern: whether two cells share the levels of all these facets."""
        return self._bits(facets).all(axis=0).astype(float)

    def projections(self) -> np.ndarray:
        """Source x pattern: the entry of the projection of the full grid on the source."""
        found = []
        for source in self.design.sources:
            own = self.design.own(source)
            entry = np.full(1 << len(self.design.facets), 1 / self.design.rest(source))
            for facet in source:
                shares = self._bits(frozenset({facet}))[0]
                entry = entry * (shares - (1 / self.design.n[facet] if facet in own else 0))
            found.append(entry)
        return np.array(found)

    def matrix(self, entries: np.ndarray) -> np.ndarray:
        """The matrix with these entries by pattern."""
        return entries[self.pairs]

    def sums(self, matrix: np.ndarray) -> np.ndarray:
        """The sum of the entries of a matrix, by pattern."""
        n_patterns = 1 << len(self.design.facets)
        return np.bincount(self.pairs.ravel(), weights=matrix.ravel(), minlength=n_patterns)

    def _bits(self, source: frozenset[str]) -> np.ndarray:
        patterns = np.arange(1 << len(self.design.facets))
        bits = np.array([self.design.facets.index(facet) for facet in source], dtype=np.int64)
        return patterns[None, :] >> bits[:, None] & 1
