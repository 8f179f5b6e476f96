"""The conditions of a study."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from itemeval_assets.core.design.study import Study

from .opening import as_study

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["condition_list", "conditions"]


def conditions(config: str | Path | Study) -> "pd.DataFrame":
    """Every condition of the design with all its parts, to be joined by `condition_id`."""
    import pandas as pd

    return pd.DataFrame(condition_list(config))


def condition_list(config: str | Path | Study) -> list[dict[str, Any]]:
    """`conditions` as plain records."""
    from itemeval_assets.stages.figures.conditions import conditions as listed

    return listed(as_study(config))
