"""The head of a card by which the Hugging Face Hub, and `datasets`, read a folder of files."""

from collections.abc import Mapping
from typing import Any

# Tables that a release has once more, under a name by which `datasets` knows Parquet. The first is
# what it loads where nothing else is named.
HUB_TABLES = ("gradings_long", "errors")
# By their ends.
_SIZES = {
    10**3: "n<1K",
    10**4: "1K<n<10K",
    10**5: "10K<n<100K",
    10**6: "100K<n<1M",
    10**7: "1M<n<10M",
    10**8: "10M<n<100M",
    10**9: "100M<n<1B",
}


def hub_key(table: str) -> str:
    """Where a table is, below the folder of the card."""
    return f"data/{table}.parquet"


def hub_head(name: str, rows: Mapping[str, int]) -> dict[str, Any]:
    """The fields that the Hub knows. `rows` of each table; nobody has said what the licence is."""
    tables = [table for table in HUB_TABLES if table in rows]
    return {
        "pretty_name": name,
        "license": "unknown",
        "size_categories": [_size(rows[tables[0]])],
        "tags": ["evaluation", "llm-evaluation", "itemeval_assets"],
        "configs": [
            {
                "config_name": table,
                "data_files": hub_key(table),
                **({"default": True} if table == tables[0] else {}),
            }
            for table in tables
        ],
    }


def _size(rows: int) -> str:
    return next((word for end, word in _SIZES.items() if rows < end), "1B<n<10B")
