"""costs: where the money of a study went, per model, per condition and per day."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pyarrow.compute as pc

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.money.spend import Spend, spend_by, spend_by_model
from itemeval_assets.storage.study.store import ResultsStore


class Costs(NamedTuple):
    """`per_condition`: {label: {stage: USD}}; `per_day`: {date in UTC: {model: USD}}."""

    per_model: list[Spend]
    per_condition: dict[str, dict[str, float]]
    per_day: dict[str, dict[str, float]]


def costs(study: Study, store: ResultsStore) -> Costs:
    """Sum up the index of the logs. Conditions that the YAML no longer has go by their id."""

    def condition(log: Mapping[str, Any]) -> str:
        ids = (log["gen_condition_id"], log["condition_id"])
        return study.design.label_of(str(id) for id in ids if id)

    logs = store.read("log_index")
    days = pc.utf8_slice_codeunits(logs["created_at"], 0, 10)  # type: ignore[attr-defined]
    return Costs(
        spend_by_model(logs),
        spend_by(logs, ["gen_condition_id", "condition_id"], condition, "stage"),
        spend_by(logs.append_column("day", days), ["day"], lambda log: log["day"], "model"),
    )
