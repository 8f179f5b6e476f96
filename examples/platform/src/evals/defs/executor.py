"""Steps of a run share one process: a process for each takes seconds to start."""

import dagster as dg

defs = dg.Definitions(executor=dg.in_process_executor)
