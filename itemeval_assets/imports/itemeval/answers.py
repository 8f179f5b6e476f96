"""Which gradings of itemeval were given to the answers of today. It does not say so itself."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import pyarrow as pa

from itemeval_assets.core.design.cells.pending import solution_fingerprint
from itemeval_assets.core.prompts.prompts import filled_in, rubric_values
from itemeval_assets.core.prompts.templates import Template
from itemeval_assets.engine.foreign_logs import LoggedCall

# Grade condition of the source, generate condition, item, epoch.
Grading = tuple[str, str, str, int]
_Answer = tuple[str, str, int]
_GRADING = ["grade_condition_id", "gen_condition_id", "item_id", "epoch"]


class Answers:
    """The answers of a study, as rows and logs tell them, and the gradings that are of them.

    A grading that is older than the answer was given to another one, unless its log tells that the
    judge was shown the same text. Logs of answers are to be learned of before those of gradings.
    """

    def __init__(
        self, items: Mapping[str, Mapping[str, Any]], solutions: pa.Table, gradings: pa.Table
    ) -> None:
        names = ["condition_id", "item_id", "epoch"]
        rows = solutions.select([*names, "solution", "error", "created_at"]).to_pylist()
        self._items, self._gradings = items, gradings
        self._answers: dict[_Answer, dict[str, Any]] = {
            (row["condition_id"], row["item_id"], row["epoch"]): row for row in rows
        }
        self._shown_again: dict[Grading, str] = {}

    def learn_answers(self, condition: str, calls: Iterable[LoggedCall]) -> None:
        """Take in answers of a log that no row tells of."""
        for call in calls:
            place = condition, call.cell.item_id, call.cell.epoch
            known = self._answers.get(place)
            if not call.is_error and (known is None or known["error"] is not None):
                answer = {"solution": call.completion, "error": None, "created_at": ""}
                self._answers[place] = answer

    def learn_shown(
        self, condition: str, rubric: Template, log: str, calls: Iterable[LoggedCall]
    ) -> None:
        """Take in which gradings of a log were given to the answers of today."""
        for call in calls:
            place = call.graded or "", call.cell.item_id, call.cell.epoch
            key = (condition, *place)
            is_unsure = key in self._older or key not in self._graded
            if is_unsure and place in self._answers:
                solution = self._answers[place]["solution"]
                values = rubric_values(self._items[call.cell.item_id], solution)
                # Below it are itemeval's words of the output format.
                if call.shown.startswith(filled_in(rubric, "solution", values).text):
                    self._shown_again[key] = log

    def fingerprints(self) -> dict[Grading, str]:
        """Those of the answers of today, by the gradings that were given to them."""
        told = self._graded.keys() - (self._older - self._shown_again.keys())
        return {key: self._fingerprint(key) for key in told}

    def in_logs(self) -> dict[tuple[str, str, str], dict[str, str]]:
        """The same by log, grade and generate condition, as our copy of the log says them."""
        today = self.fingerprints()
        rows = self._gradings.select([*_GRADING, "log_file"]).to_pylist()
        logs = {_key(row): row["log_file"] for row in rows if row["log_file"]}
        found: dict[tuple[str, str, str], dict[str, str]] = {}
        for key, log in {**self._shown_again, **{k: logs[k] for k in today if k in logs}}.items():
            condition, graded, item, epoch = key
            of_log = found.setdefault((log, condition, graded), {})
            of_log[f"{item}::{epoch}"] = self._fingerprint(key)
        return found

    def _fingerprint(self, key: Grading) -> str:
        return solution_fingerprint(self._of(key)["solution"])

    @cached_property
    def _graded(self) -> dict[Grading, str]:
        """When each grading was made, of answers without an error."""
        rows = self._gradings.select([*_GRADING, "created_at"]).to_pylist()
        found = {_key(row): row["created_at"] for row in rows}
        return {key: at for key, at in found.items() if self._of(key)["error"] is None}

    @cached_property
    def _older(self) -> set[Grading]:
        """The gradings that are older than the answer."""
        return {key for key, at in self._graded.items() if at < self._of(key)["created_at"]}

    def _of(self, key: Grading) -> dict[str, Any]:
        """The answer that a grading is of."""
        _, condition, item, epoch = key
        return self._answers[condition, item, epoch]


def _key(row: Mapping[str, Any]) -> Grading:
    return (
        row["grade_condition_id"],
        row["gen_condition_id"],
        row["item_id"],
        row["epoch"],
    )
