"""All figures of a study with their certainty, for documents that show everything."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from itemeval_assets.core.errors import ItemevalAssetsError
from itemeval_assets.core.text.secrets import without_secrets

from .comparisons.comparisons import comparisons
from .comparisons.records import StudyComparisons
from .items.item_statistics import StudyItems, item_statistics
from .judges.agreement import StudyAgreement, agreement
from .planned import PlannedCells
from .reliability import StudyReliability, reliability

__all__ = ["StudyFigures", "all_figures", "estimated"]

_Found = TypeVar("_Found")


@dataclass(frozen=True, kw_only=True)
class StudyFigures:
    """What is estimated beside the scores. What is a text could not be: the text says why."""

    comparisons: StudyComparisons | str
    reliability: StudyReliability | str
    agreement: StudyAgreement | str
    item_statistics: StudyItems | str


def all_figures(planned: PlannedCells) -> StudyFigures:
    """By every grader of the study. Raises StoreError for what is stored and not sound."""
    first = planned.study.design.first_graded
    graders = [grader.id for grader in first]
    judges = [grader.id for grader in first if grader.grader.asked]
    return StudyFigures(
        comparisons=estimated(lambda: comparisons(planned, graders)),
        reliability=estimated(lambda: reliability(planned, graders)),
        agreement=estimated(lambda: agreement(planned, judges)),
        item_statistics=estimated(lambda: item_statistics(planned, graders)),
    )


def estimated(estimate: Callable[[], _Found]) -> _Found | str:
    """A figure, or why there is none: none is worth a document that fails."""
    try:
        return estimate()
    except ItemevalAssetsError:  # what is read is not sound
        raise
    except Exception as error:
        reason = without_secrets(f"{type(error).__name__}: {error}", os.environ)
        return f"could not be estimated: {reason}"
