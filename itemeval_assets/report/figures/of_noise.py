"""The document of reliability."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from itemeval_assets.report.render.document import Document
from itemeval_assets.report.views import (
    View,
    components_view,
    designs_view,
    facet_words,
    source_words,
)

from .wording import by_grader, plots, rows_by_grader, rows_by_table, scale_sentence

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.reliability import GraderReliability, StudyReliability

__all__ = ["reliability"]


_METHODS = {
    "ems": "expected mean squares",
    "reml": "restricted maximum likelihood (REML)",
}


def reliability(found: "StudyReliability") -> Document:
    """Components and decision studies, by grader."""
    known = any(one.designs for one in found.by_grader)
    drawn = {"error of other designs": lambda: plots().decision_curves(found.by_grader)}
    blocks = list(_reliability(found))
    title = f"Reliability of {found.study}"
    rows = rows_by_table(
        components=rows_by_grader(
            {
                one.graded_by: components_view(
                    [{**row, "level": found.level, "scale": one.scale} for row in one.components],
                    title,
                )
                for one in found.by_grader
            }
        ),
        designs=rows_by_grader(
            {one.graded_by: designs_view(one.designs, title, one.scale) for one in found.by_grader}
        ),
    )
    return Document(title, [*found.notes, *blocks], drawn if known else {}, rows)


def _reliability(found: "StudyReliability") -> Iterator[str | View]:
    for one in found.by_grader:
        if not one.components:
            yield by_grader(one.graded_by, map(_readable, one.words))
            continue
        yield components_view(one.components, f"variance components by {one.graded_by}")
        said = [scale_sentence(one.scale), _estimated(one), *map(_readable, one.words)]
        yield by_grader(one.graded_by, said)
        yield designs_view(one.designs, f"other designs, by {one.graded_by}")
    if not any(one.components for one in found.by_grader):
        return
    yield (
        f"{100 * found.level:g} % intervals. A fixed source has the spread of these levels, and"
        " no interval. Errors are standard errors of the mean of an object: the relative error is"
        " for ranking objects, the absolute error for the value itself. E rho² and Phi are the"
        " reliability of the ranking and of the value, from 0 to 1. All take further levels for"
        " levels like these, and are no surer than the components."
    )


def _estimated(one: "GraderReliability") -> str:
    """By which method, and why."""
    method = _METHODS.get(one.method or "", one.method)
    reason = (one.reason or "").rstrip(".")
    for facet, n in one.facets.items():
        reason = reason.replace(f"{n} {facet}", f"{n:,} {facet_words(facet, n)}")
    return f"Estimated by {method}: {reason}." if reason else f"Estimated by {method}."


def _readable(words: str) -> str:
    """With the words of facets in place of their columns."""
    return re.sub(
        r"[a-z_]+(?::[a-z_]+)+|[a-z]+_[a-z_]+", lambda found: source_words(found[0]), words
    )
