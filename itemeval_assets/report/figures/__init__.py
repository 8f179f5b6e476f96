"""Documents of figures with their certainty: tables, and how to read them and how not to."""

from .of_conditions import conditions
from .of_drift import drift
from .of_gates import gate, require_gate_file, write_gate
from .of_items import irt, item_answers, items, odd_items, response_matrix
from .of_judges import agreement, judges
from .of_noise import reliability
from .of_pairs import comparisons
from .of_plans import plan
from .of_scores import scores

__all__ = [
    "agreement",
    "comparisons",
    "conditions",
    "drift",
    "gate",
    "irt",
    "item_answers",
    "items",
    "judges",
    "odd_items",
    "plan",
    "reliability",
    "require_gate_file",
    "response_matrix",
    "scores",
    "write_gate",
]
