"""Tells of a history whose partitions bear ids, as older versions had it, and not keys."""

import re
import sys

import dagster as dg

from itemeval_assets.core.design.partitions import GENERATE

_TOLD = "itemeval_assets/new_keys"
_ID = re.compile(r"--[0-9a-f]{12}$")


def tell_of_new_keys(instance: dg.DagsterInstance) -> None:
    """Say once for each history that the grids of its studies start anew, if they do."""
    memory = instance.daemon_cursor_storage
    if memory.get_cursor_values({_TOLD}):
        return
    solutions = [key for key in instance.get_asset_keys() if key.path[-1] == GENERATE.table]
    studies = [
        key.path[0]
        for key in solutions
        if any(map(_ID.search, instance.get_materialized_partitions(key)))
    ]
    if studies:
        sys.stderr.write(
            "note: partitions have shorter keys now, so Dagster's grid of "
            f"{', '.join(sorted(studies))} starts anew. Results, money and logs stay; the next run "
            "fills the grid and repeats no call.\n"
        )
    memory.set_cursor_values({_TOLD: "yes"})
