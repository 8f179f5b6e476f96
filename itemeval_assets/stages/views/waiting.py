"""What calls in batches that are not collected will probably cost, as an estimate foresees it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from itemeval_assets.core.design.options import PlanOptions
from itemeval_assets.core.design.selection import Selection
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ItemevalAssetsError
from itemeval_assets.core.records.batches import Line, UsdOf
from itemeval_assets.stages import items
from itemeval_assets.stages.calls.batches import waiting_batches, waiting_lines
from itemeval_assets.stages.calls.stage_run import Scope
from itemeval_assets.stages.projection.estimate import cells_of
from itemeval_assets.stages.projection.foresight import CellTokens
from itemeval_assets.storage.study.inputs import load_prices
from itemeval_assets.storage.study.store import ResultsStore

from .status import StudyStatus, cells_to_call

# What is in batches was sent by this policy, or as it sends.
_BATCHED = "full-batch"


def with_expected(status: StudyStatus, study: Study, store: ResultsStore) -> StudyStatus:
    """The status, whose batches tell what is expected; null where prices or data cannot be read."""
    with suppress(ItemevalAssetsError):
        usd_of = _expected(study, store, waiting_lines(store))
        wanted = partial(cells_to_call, study, store)
        return replace(status, batches=waiting_batches(store, wanted, usd_of))
    return status


def _expected(study: Study, store: ResultsStore, lines: Sequence[Line]) -> UsdOf:
    """What a line of a partition of the design probably costs."""
    scope = Scope(
        study=study,
        store=store,
        prices=load_prices(study),
        items=items.known(study, store).table,
        options=PlanOptions(policy=_BATCHED),
    )
    known = {*study.generate_partitions(), *study.grade_partitions()}
    parts = dict.fromkeys(line.partition for line in lines if line.partition in known)
    tokens = cells_of(scope, Selection(tuple(parts)))
    cells = {line.cell for line in lines}
    places = {cell: place for place, cell in enumerate(scope.grid.cells()) if cell in cells}

    def usd_of(line: Line) -> float | None:
        of_cells, place = tokens.get(line.partition), places.get(line.cell)
        return None if of_cells is None or place is None else _usd(scope, of_cells, place)

    return usd_of


def _usd(scope: Scope, of_cells: CellTokens, place: int) -> float | None:
    """What a call probably costs, by what stored calls have used."""
    observed = of_cells.calibration
    if observed is None:
        return None
    likely = {
        "input_tokens": round(int(of_cells.likely_input[place]) * observed.input_ratio),
        "output_tokens": round(observed.output_tokens),
    }
    return scope.usd(of_cells.model, likely)
