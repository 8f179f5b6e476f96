"""The report of a study: all figures as one web page."""

from pathlib import Path
from typing import TYPE_CHECKING

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.measurement.arguments import checked_as

from .opening import as_study, graded_cells, require_free

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.planned import PlannedCells

__all__ = ["write_report"]


@checked_as(ConfigError)
def write_report(
    config: str | Path | Study, out: str | Path | None = None, *, policy: str | None = None
) -> str:
    """Write the study as one web page that needs nothing else; return its path or URI.

    `out` null: export/report.html of the study. Raises ConfigError where a file cannot be written,
    or is no page of this study, and StoreError where nothing is graded yet. No model is called.
    """
    from itemeval_assets.report.render.document import require_format, write_text
    from itemeval_assets.storage.study.layout import REPORT

    if out is not None:
        require_format(Path(out), ".html")
        config = as_study(config)
        require_free(config, Path(out))
    planned = graded_cells(config, policy)
    text = _report(planned)
    if out is None:
        planned.store.backend.write(REPORT, text.encode())
        return planned.store.backend.uri(REPORT)
    write_text(text, Path(out))
    return str(out)


def _report(planned: "PlannedCells") -> str:
    from itemeval_assets.report.study_report import study_report
    from itemeval_assets.stages.figures.report_facts import report_facts

    return study_report(report_facts(planned))
