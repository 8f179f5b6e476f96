"""Tables of results and money: which figures they have, and how each reader's are headed."""

from .money import ESTIMATE, HEALTH, projected, spend_view
from .results import CELLS, COMPLETION, REASONS, SCORES
from .view import View

__all__ = [
    "CELLS",
    "COMPLETION",
    "ESTIMATE",
    "HEALTH",
    "REASONS",
    "SCORES",
    "View",
    "projected",
    "spend_view",
]
