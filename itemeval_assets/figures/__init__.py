"""The figures of a study with their certainty: one function per command, on a `Study`.

All read the stored tables, and call no model.
"""

from .of_conditions import condition_list, conditions
from .of_drift import drift
from .of_gates import gate
from .of_items import irt, item_answers, items, response_matrix, response_table
from .of_judges import agreement, judge_cards
from .of_noise import reliability
from .of_pairs import compare, compare_releases, comparisons
from .of_plans import plan
from .of_report import write_report
from .of_scores import scores

__all__ = [
    "agreement",
    "compare",
    "compare_releases",
    "comparisons",
    "condition_list",
    "conditions",
    "drift",
    "gate",
    "irt",
    "item_answers",
    "items",
    "judge_cards",
    "plan",
    "reliability",
    "response_matrix",
    "response_table",
    "scores",
    "write_report",
]
