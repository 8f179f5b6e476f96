"""The restricted likelihood of variance components, its slope and its curvature."""

from typing import NamedTuple, Protocol

import numpy as np

__all__ = ["Likelihood", "Point", "inverted"]


class Point(NamedTuple):
    """The log likelihood at some components, up to a constant, and what surrounds it.

    `slope` is the derivative by component, made of `gain` less `loss`; `information` is the
    average of the observed and the expected one (Gilmour, Thompson & Cullis 1995, Biometrics 51).
    """

    value: float
    gain: np.ndarray
    loss: np.ndarray
    information: np.ndarray

    @property
    def is_finite(self) -> bool:
        """Whether all of it are numbers: near a component that explains all scores it is not."""
        return bool(all(np.isfinite(part).all() for part in self))

    @property
    def slope(self) -> np.ndarray:
        """The derivative by component."""
        return (self.gain - self.loss) / 2


class Likelihood(Protocol):
    """The restricted likelihood of a design."""

    def at(self, components: np.ndarray) -> Point | None:
        """Look at components, one by random source; None where they make no covariance.

        None also where what surrounds them is not finite, as LAPACK takes no such matrix.
        """
        ...

    def filled_effects(self, components: np.ndarray) -> list[np.ndarray]:
        """The effects of the full grid with each hole at its best guess; empty without a grid."""
        ...

    def fixed_means(self, components: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The mean of each cell of the fixed facets, and their covariance."""
        ...


def inverted(matrix: np.ndarray) -> tuple[np.ndarray, float] | None:
    """The inverse of a covariance matrix and the log of its determinant; None if it is none."""
    from scipy.linalg import get_lapack_funcs

    factorise, invert = get_lapack_funcs(("potrf", "potri"), (matrix,))
    factor, failed = factorise(matrix, lower=1, overwrite_a=1)
    if failed:
        return None
    log_det = 2 * float(np.log(np.diag(factor)).sum())
    lower, _ = invert(factor, lower=1, overwrite_c=1)
    return np.tril(lower) + np.tril(lower, -1).T, log_det
