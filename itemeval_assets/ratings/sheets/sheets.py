"""Writes a sheet: answers drawn at random, blind, each under a code that joins it back."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from itemeval_assets.core.design.cells.pending import Cell
from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.design.selection import Words
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError, StoreError
from itemeval_assets.core.grading.asked_scales import doubts_of_scales
from itemeval_assets.core.text.times import now
from itemeval_assets.core.text.words import counted
from itemeval_assets.report.render.pages.rating_page import rating_page
from itemeval_assets.stages.items import known
from itemeval_assets.stages.views.cells import CellView
from itemeval_assets.storage.objects.new_files import write_new
from itemeval_assets.storage.study.layout import sheet_key
from itemeval_assets.storage.study.store import ResultsStore, open_store

from ..content import SheetContent, SheetTexts
from ..kept import forget_sheet, keep_sheet, kept_sheets
from ..pool import Pool, pool_of
from ..raters import Scale, first_of_name, rater_condition
from ..records import Line, NextRatings, Sheet, SheetSummary
from .choice import chosen_cells, chosen_conditions
from .expecting import expected_of
from .files import as_csv, as_workbook, cut_answers

# No vowel and no digit: no spreadsheet takes a code for a word, a number or a date.
_LETTERS = "bcdfghjkmnpqrstvwxz"
_LENGTH = 8
_WRITERS: dict[str, Callable[[SheetContent], bytes]] = {
    ".csv": as_csv,
    ".xlsx": as_workbook,
    ".html": lambda content: rating_page(content).encode(),
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which answers a rater is to rate. `again`: also those that are rated, or on a sheet.

    `conditions`: words for generate conditions; null: all without waves, which figures are of.
    """

    rater: str
    rubric: str | None = None
    scale: Scale | None = None
    n: int = 40
    seed: int = 0
    again: bool = False
    conditions: Words = None


def next_ratings(study: Study, asked: Asked) -> NextRatings:
    """What the next sheet would have, and how sure the means would be. Writes nothing."""
    draft = _Draft(study, asked)
    return NextRatings(**draft.said)


def write_sheet(study: Study, asked: Asked, path: Path) -> SheetSummary:
    """Write a sheet to `path`, and keep its codes in the study.

    Raises ConfigError or StoreError, and writes nothing, for a file that is there, a rater or a
    rubric that cannot be, and where no answer is left.
    """
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        raise ConfigError(f"--out {path}: give a file that ends with {', '.join(_WRITERS)}")
    if path.exists():
        raise ConfigError(f"--out {path}: there is such a file already; give another name")
    if not path.parent.is_dir():
        raise ConfigError(f"--out {path}: there is no folder {path.parent}; make it first")
    draft = _Draft(study, asked)
    sheet = draft.sheet
    content = SheetTexts(study, draft.store, draft.rater, draft.items).content(sheet)
    data = writer(content)
    # First: without its codes nobody could take a sheet in that somebody has filled in.
    keep_sheet(draft.store, sheet)
    try:
        write_new({path: data})
    except BaseException:
        forget_sheet(draft.store, sheet)
        raise
    told = {"words": [*draft.doubts, *_of_cut(content, path)], "path": str(path)}
    return SheetSummary(**draft.said, **told, sheet=sheet.id, scale=sheet.scale)


class _Draft:
    """A sheet before it is written."""

    def __init__(self, study: Study, asked: Asked) -> None:
        self.study, self.asked = study, asked
        self.store: ResultsStore = open_store(study)
        self.store.require_layout()
        self.rater: GradeCondition = rater_condition(study, asked.rater, asked.rubric, asked.scale)
        self._items = known(study, self.store).table
        self.items = {row["item_id"]: row for row in self._items.to_pylist()}
        self._view = CellView(study, self._items, "full-interactive")
        generate = chosen_conditions(study.design, asked.conditions)
        self._pool: Pool = pool_of(self.store, self._view, self.rater, generate, again=asked.again)
        self._require_one_name()
        self._require_one_scale()
        self._require_answers()

    def _require_one_name(self) -> None:
        """Before anybody rates: an import would refuse a second rater of one name."""
        rater, on_sheets = self.asked.rater, {sheet.rater for sheet in kept_sheets(self.store)}
        if first := first_of_name(self.study, rater, on_sheets):
            raise ConfigError(
                f"rater: there is {first!r} already, in the YAML or on a sheet, and {rater!r} "
                f"reads as the same name; write {first!r} if that is meant, or give another name"
            )

    def _require_one_scale(self) -> None:
        for sheet in kept_sheets(self.store):
            if sheet.grade_condition_id == self.rater.id and sheet.scale != self.rater.grader.scale:
                low, high = sheet.scale
                place = self.store.backend.uri(sheet_key(sheet.id))
                raise ConfigError(
                    f"scale: {sheet.rater} has a sheet with scores from {low:g} to {high:g} "
                    f"already, and one rater has one scale: give --scale {low:g},{high:g}. If "
                    f"nobody has rated it, delete it and {place}, and give the same command again"
                )

    def _require_answers(self) -> None:
        if not self._pool.hashes:
            raise StoreError(
                f"study {self.study.name} has no answer that can be rated; run it first: "
                f"itemeval-assets run {self.study.config_path} --only solutions"
            )
        if not self._pool.size:
            raise StoreError(
                f"{self.asked.rater} has rated all {counted(len(self._pool.hashes), 'answer')}, or "
                "has them on a sheet: give --again to put them on a sheet once more"
            )

    @cached_property
    def _chosen(self) -> list[tuple[str, Cell]]:
        asked = self.asked
        before = [] if asked.again else self._pool.taken
        return [*chosen_cells(self._pool.left, asked.n, asked.seed, before)]

    @cached_property
    def sheet(self) -> Sheet:
        """The sheet with codes that nobody can guess: they are random, whatever the seed."""
        scale = self.rater.grader.scale
        assert scale
        return Sheet(
            id=_code(),
            rater=self.asked.rater,
            scale=scale,
            rubric=str(self.rater.columns["rubric_name"]),
            grade_condition_id=self.rater.id,
            seed=self.asked.seed,
            created_at=now(),
            lines=[
                Line(_code(), condition, *cell, self._pool.hashes[condition, cell])
                for condition, cell in self._chosen
            ],
        )

    @property
    def doubts(self) -> list[str]:
        """That the rubric asks for other scores than the sheet, where it does."""
        has_schemes = self.study.config.benchmark.mapping.grading_scheme is not None
        return list(doubts_of_scales([self.rater.grader], has_schemes=has_schemes))

    @cached_property
    def said(self) -> dict[str, Any]:
        """What the summaries of a sheet share."""
        level = self.study.config.measurement.level
        expected = expected_of(self.study, self.store, self._items, self.rater, self._chosen)
        return {
            "study": self.study.name,
            "config": str(self.study.config_path),
            "rater": self.asked.rater,
            "rubric": str(self.rater.columns["rubric_name"]),
            "seed": self.asked.seed,
            "answers": len(self._chosen),
            "left": self._pool.size,
            "level": level,
            "expected": expected,
        }


def _code() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


def _of_cut(content: SheetContent, path: Path) -> list[str]:
    count = cut_answers(content)
    if not count or path.suffix.lower() == ".html":
        return []
    return [
        f"{counted(count, 'answer')} of the sheet: longer than a cell of Excel holds, which cuts"
        " the rest off. Rate these on a page: write a sheet that ends with .html"
    ]
