"""The cells of a study, for its figures."""

from pathlib import Path
from typing import TYPE_CHECKING

from itemeval_assets.core.design.selection import Words, listed, select_grade
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError, StoreError
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.storage.study.layout import REPORT, STUDY_FILE

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.planned import PlannedCells

__all__ = ["as_study", "graded_cells", "graders_of", "notes_of", "planned_cells", "require_free"]


def planned_cells(config: str | Path | Study, policy: str | None) -> "PlannedCells":
    from itemeval_assets.stages.figures.planned import PlannedCells
    from itemeval_assets.stages.items import known
    from itemeval_assets.storage.study.store import open_store

    study = as_study(config)
    store = open_store(study)
    store.require_layout()
    return PlannedCells(study, store, known(study, store).table, policy)


def graded_cells(config: str | Path | Study, policy: str | None) -> "PlannedCells":
    """Raise StoreError where nothing is graded: there is nothing to estimate."""
    planned = planned_cells(config, policy)
    if not planned.is_graded:
        raise StoreError(f"study {planned.study.name}: {planned.not_graded}")
    return planned


def notes_of(planned: "PlannedCells") -> list[str]:
    """What is to be said of the data that the figures are of."""
    from itemeval_assets.stages.items import notes_on_data

    return [*notes_on_data(planned.study, planned.store), *planned.notes_on_served]


def graders_of(planned: "PlannedCells", graders: Words, rubrics: Words) -> list[str]:
    """The ids of the chosen graders. Who grades again is meant by a word of its own alone."""
    design = planned.study.design
    chosen = select_grade(design, graders, rubrics)
    known = [one.id for one in design.first_graded]
    words = [] if graders is None else listed("graders", graders)

    def is_meant(id: str) -> bool:
        one = design.grade_by_id[id]
        own = [word for word in words if not any(first.startswith(word) for first in known)]
        return one.rejudge is None or any(
            word in (one.label, one.slug) or id.startswith(word) for word in own
        )

    return list(filter(is_meant, chosen)) or chosen


def require_free(config: str | Path | Study, out: Path) -> None:
    """Raise ConfigError where a file that is to be written is one of this study, or of another.

    So is a page that is there, unless it is of this study.
    """
    from itemeval_assets.report.render.replaced import require_own_page

    if not out.exists():
        return
    study = as_study(config)
    taken = {study.config_path: "the study"}
    for place, dataset in enumerate(study.config.benchmark.datasets):
        taken[study.config_dir / Path(dataset.id).expanduser()] = f"benchmark.datasets[{place}]"
    for path, what in taken.items():
        if path.exists() and out.samefile(path):
            raise _would_be_lost(out, what)
    place = out.resolve()
    for folder in place.parents:
        is_study = (folder / STUDY_FILE).is_file() or str(folder) == study.location
        if is_study and place != folder / REPORT:
            raise _would_be_lost(out, f"a file of the study in {folder}")
    if out.suffix.lower() == ".html":
        require_own_page(out, study.name)


def _would_be_lost(out: Path, what: str) -> ConfigError:
    return ConfigError(f"--out {out}: this is {what}, and would be lost; give another name")


def as_study(config: str | Path | Study) -> Study:
    return config if isinstance(config, Study) else load_study(config)
