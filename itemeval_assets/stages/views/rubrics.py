"""What is stored of the rubrics that models write."""

import pyarrow as pa

from itemeval_assets.core.design.cells.item_rubrics import HASH_COLUMNS
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.storage.study.store import ResultsStore


def stored_rubrics(study: Study, store: ResultsStore) -> dict[str, pa.Table]:
    """HASH_COLUMNS of each rubric condition of the design, by its id."""
    return {
        one.id: store.read("item_rubrics", [Partition((one.id,))], HASH_COLUMNS)
        for one in study.design.written
    }
