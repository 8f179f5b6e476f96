"""Tables of results and money: which figures they have, and how each reader's are headed."""

from .drift import changes_view
from .figures import (
    differences_view,
    groups_view,
    levels_view,
    means_view,
    pairs_of,
    short_names,
    with_levels,
)
from .gates import gate_view
from .items import (
    abilities_view,
    answers_view,
    conditions_view,
    items_view,
    responded_view,
    responses_view,
)
from .judges import agreement_view, judge_view, judges_view, without_estimate
from .money import ESTIMATE, HEALTH, projected, spend_view
from .people import expected_view, people_view, people_without_estimate
from .plans import pilot_view, plan_view
from .reliability import components_view, designs_view, facet_words, source_words
from .results import CELLS, COMPLETION, REASONS, SCORED
from .view import View, together

__all__ = [
    "CELLS",
    "COMPLETION",
    "ESTIMATE",
    "HEALTH",
    "REASONS",
    "SCORED",
    "View",
    "abilities_view",
    "agreement_view",
    "answers_view",
    "changes_view",
    "components_view",
    "conditions_view",
    "designs_view",
    "differences_view",
    "expected_view",
    "facet_words",
    "gate_view",
    "groups_view",
    "items_view",
    "judge_view",
    "judges_view",
    "levels_view",
    "means_view",
    "pairs_of",
    "people_view",
    "people_without_estimate",
    "pilot_view",
    "plan_view",
    "projected",
    "responded_view",
    "responses_view",
    "short_names",
    "source_words",
    "spend_view",
    "together",
    "with_levels",
    "without_estimate",
]
