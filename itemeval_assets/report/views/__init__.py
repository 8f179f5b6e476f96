"""Tables of results and money: which figures they have, and how each reader's are headed."""

from .figures import (
    abilities_view,
    agreement_view,
    answers_view,
    components_view,
    conditions_view,
    designs_view,
    differences_view,
    groups_view,
    items_view,
    judge_view,
    levels_view,
    means_view,
    responses_view,
)
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
    "abilities_view",
    "agreement_view",
    "answers_view",
    "components_view",
    "conditions_view",
    "designs_view",
    "differences_view",
    "groups_view",
    "items_view",
    "judge_view",
    "levels_view",
    "means_view",
    "projected",
    "responses_view",
    "spend_view",
]
