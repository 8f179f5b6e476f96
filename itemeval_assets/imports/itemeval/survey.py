"""Looks through an itemeval study: what of it comes in, as what, and what cannot. Writes nothing.

Its generate conditions and scorers have our ids. A judge has the id that our format of its reply
makes of the same settings. Rows of former conditions stay where they are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.imports.judges import Known, formats_of, known_conditions
from itemeval_assets.core.tables.schemas import GRADINGS, SOLUTIONS
from itemeval_assets.core.tables.split import Parts
from itemeval_assets.core.text.words import counted
from itemeval_assets.engine.study_files import study_with_templates
from itemeval_assets.imports.found import Found, LeftOut
from itemeval_assets.storage.study.inputs import load_config
from itemeval_assets.storage.study.inputs.study_file import study_location
from itemeval_assets.storage.study.inputs.template_lock import Kept, read_template_lock

from .checks import (
    require_items,
    require_solutions,
    require_study,
    require_two_places,
)
from .logs import Logs
from .rows import our_gradings, our_solutions
from .shown import Shower
from .source import GRIDS, Source
from .templates import hashes_in, require_same_files, words_of
from .waves import OfTimes, Waves


def survey(path: str, config: str | Path) -> Found:
    """What the itemeval study at `path` holds for the study that `config` declares.

    Raises an ItemevalAssetsError, which names the place, for what is no such study, does not agree
    with itself, or is of another study or design.
    """
    parsed, config_path = load_config(config)
    location = study_location(parsed, config_path)
    source = Source(path)
    require_two_places(path, location, config_path)
    require_study(source, parsed.study)
    hashes = hashes_in(source)
    known = read_template_lock(parsed.study, config_path.parent)
    kept = words_of(parsed, hashes, known, Shower(source))
    study = study_with_templates(config_path, kept)
    require_same_files(study, hashes)
    return _Survey(source, study).found(kept)


@dataclass
class _Survey:
    source: Source
    study: Study
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @cached_property
    def known(self) -> Mapping[str, Known]:
        formats = formats_of(self.source.manifests.values())
        return known_conditions(self.study.design.first_graded, formats)

    @cached_property
    def former(self) -> set[str]:
        """The conditions that the source had once, and its last run no more."""
        manifests = sorted(
            self.source.manifests.values(), key=lambda one: str(one.get("created_at"))
        )
        known = [set(_conditions(manifest)) for manifest in manifests]
        return set().union(*known) - known[-1] if known else set()

    @cached_property
    def waves(self) -> Waves:
        return Waves(self.source, self.study.design)

    def found(self, kept: Kept) -> Found:
        """All that comes in."""
        solutions = self._kept_rows("solutions", self.waves.solutions, ("condition_id",))
        columns = ("gen_condition_id", "grade_condition_id")
        gradings = self._kept_rows("gradings", self.waves.gradings, columns)
        require_items(self.source, solutions, gradings)
        require_solutions(self.source, solutions, gradings)
        logs = Logs(self.source, self.study, self.known, self.waves, solutions, gradings)
        graded = our_gradings(gradings, self.known, logs.graded_today(), self.source.version_of)
        rows = {
            **_parts(our_solutions(solutions), SOLUTIONS.partitioned_by),
            **_parts(graded, GRADINGS.partitioned_by),
        }
        found = logs.found()
        self.left_out += logs.left_out
        self.notes += [*logs.notes, *self._of_judges(graded)]
        runs = {run for table in (solutions, gradings) for run in table["run_id"].to_pylist()}
        return Found(
            study=self.study,
            source=self.source.backend,
            items=self.source.items,
            pins=self.source.pins,
            rows=rows,
            logs=found,
            manifests={
                run: one for run, one in self.source.manifests.items() if run in runs | logs.runs
            },
            templates=kept,
            left_out=self.left_out,
            notes=self.notes,
        )

    def _kept_rows(self, table: str, found: OfTimes, columns: tuple[str, ...]) -> pa.Table:
        """The rows that come in. Raises StoreError where some are of another design."""
        rows = found.rows
        self._leave_out(found.left_out, f"rows of waves in {table}", self.waves.why_not)
        known = {*self.study.design.generate_by_id, *self.known}
        ids = {id for column in columns for id in rows[column].unique().to_pylist()}
        if unknown := sorted(ids - known - self.former):
            raise self._of_another_design(table, unknown)
        value_set = pa.array(sorted(known), pa.string())
        is_known = [pc.is_in(rows[column], value_set=value_set) for column in columns]  # type: ignore[attr-defined]
        mask = is_known[0] if len(is_known) == 1 else pc.and_(*is_known)  # type: ignore[attr-defined]
        former = rows.filter(pc.invert(mask))  # type: ignore[attr-defined]
        self._leave_out(former.num_rows, f"rows of former conditions in {table}", _FORMER)
        return rows.filter(mask)

    def _leave_out(self, count: int, what: str, why: str) -> None:
        if count:
            self.left_out.append(LeftOut(count, what, why))

    def _of_another_design(self, table: str, ids: list[str]) -> StoreError:
        more = f", and {len(ids) - 1} more" if len(ids) > 1 else ""
        return StoreError(
            f"{self.source.location}/{table}.parquet has rows of the condition {ids[0]}{more}, "
            f"which {self.study.config_path} does not have: it declares another design. Give the "
            f"config that made the study, as it was. Nothing was taken"
        )

    def _of_judges(self, gradings: pa.Table) -> Iterator[str]:
        """What to know of gradings by judges."""
        judged = gradings.filter(gradings["imported_format"].is_valid())
        sound = judged.filter(judged["error"].is_null())
        if stale := sound["solution_hash"].null_count:
            yield (
                f"{counted(stale, 'grading')} by judges are older than the solutions of today, and "
                "no log tells that the judge was shown the same text: they are stale, and the next "
                "run asks the judge again"
            )
        if judged.num_rows:
            yield (
                f"{counted(judged.num_rows, 'grading')} by judges were asked for with itemeval's "
                "words of the output format. Gradings of today are asked for with ours, under the "
                "same conditions: `imported_format` tells them apart"
            )


_FORMER = "the config has these conditions no more; they stay in the source"


def _conditions(manifest: Mapping[str, Any]) -> list[str]:
    grids = (manifest.get(name) or () for name in GRIDS)
    return [condition["id"] for grid in grids for condition in grid]


def _parts(rows: pa.Table, columns: tuple[str, ...]) -> dict[Partition, pa.Table]:
    return {Partition(ids): part for ids, part in Parts(rows, list(columns)).items()}
