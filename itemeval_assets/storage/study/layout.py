"""Where everything of a study lies, relative to the study directory.

The only module that knows a path. Ids hold `[a-z0-9_-]` alone, so no name can leave
the directory.
"""

import re
from collections.abc import Iterable

from itemeval_assets.core.design.partitions import STAGES, Partition
from itemeval_assets.core.tables.schemas import ITEMS, LEDGER, TABLES

# What study.json says of a study directory that lies as this module says.
LAYOUT_VERSION = "2"
# In layout 1 the bookings lie in the ledger's folder, and there is no ledger to its own key.
OLDER_LAYOUTS, OLDER_BOOKINGS = {"1"}, "ledger.parquet"

DATASET_LOCKS = "dataset_locks.json"
# What items were that left the data while the study had rows of them.
FORMER_ITEMS = "former_items.json"
# What loading the task of the study told.
TASK_LOCK = "task_lock.json"
STUDY_FILE = "study.json"
# Which config stored the items last, while nobody owns the study directory.
BEGINNING = "beginning.json"
RESERVATIONS = "reservations.json"
RERUNS = "reruns.json"
# What the study looked like when its results were last exported.
SETTLED = "settled.json"
# What was planned before it was paid for.
SEALS = "seals.json"
# How far runs with `precision` have come.
PRECISION = "precision.json"
# What it means to delete a file, for those who have no copy of it.
IF_DELETED = {
    STUDY_FILE: "then the config of the next run owns the results",
    BEGINNING: "then the next run writes it anew",
    DATASET_LOCKS: "then the data of today are pinned",
    FORMER_ITEMS: "then an item that left and comes back is taken for the one that it was",
    TASK_LOCK: "then the next estimate or run loads the task again",
    RESERVATIONS: "then what runs in progress may still cost does not count against budget.max_usd",
    SETTLED: "then the next run checks everything again",
    SEALS: "then nothing says what was planned before the calls",
    PRECISION: "then a run begins again with the first items; what was bought is kept",
    RERUNS: "then the attempts of the schedule are counted from zero",
    "items.parquet": "the next run loads the items again",
    "ledger.parquet": "the next run adds it up again from the bookings",
}
IF_PARTITION_DELETED = (
    "the next run rebuilds the partition from its .eval logs, without paying again"
)
EXPORT_LONG_PARQUET = "export/gradings_long.parquet"
EXPORT_LONG_CSV = "export/gradings_long.csv"
EXPORT_CELLS_PARQUET = "export/cells.parquet"
EXPORT_CELLS_CSV = "export/cells.csv"
EXPORT_LEDGER_CSV = "export/ledger.csv"
# What people read of a study. Nothing is made of it.
REPORT = "export/report.html"
# Copies of logs with the scores of their samples, for inspect's viewer.
SCORED_LOGS = "export/scored_logs"
# Records of Every Eval Ever, in the folders of its datastore.
EVERY_EVAL = "export/every_eval"
EXPORT_LONG_SPREADSHEET = "export/gradings_long_for_spreadsheets.csv"
EXPORT_CELLS_SPREADSHEET = "export/cells_for_spreadsheets.csv"

# Logs are written here and moved once complete: a log found here belongs to a live or killed run.
LOGS = "logs"
RUNNING_LOGS = f"{LOGS}/running"

# Sheets for people who rate, by their codes, and those that came back filled in.
RATINGS = "ratings"
_SHEET = f"{RATINGS}/sheet_"

# Files of a study by their ends; folders of other names that hold them, beside those of the tables.
_FILE = re.compile(r".\.(?:parquet|csv|xlsx|jsonl?|eval|png|jpeg|gif|webp)$")
# Images of the items, each once, by the hash of its bytes.
IMAGES = "images"
# Batches that a provider answers, and whose answers are not in the rows yet.
BATCHES = "batches"
_FOLDERS = {"export", "manifests", LOGS, IMAGES, RATINGS, BATCHES}
_BELOW = re.compile(
    rf"(?:{'|'.join((*(stage.name for stage in STAGES), 'running'))}|.*--[0-9a-f]{{12}})$"
)

# Tables of all stages have a folder for each; the preflight has one file.
_BY_STAGE = {"bookings", "log_index", "replaced"}


# The partition of a table that is not partitioned.
WHOLE = Partition()


def table_folder(table: str) -> str:
    return f"{table}.parquet"


def table_key(table: str, partition: Partition = WHOLE) -> str:
    """The file of one partition; of the whole table where it is not partitioned."""
    if not partition and table not in _BY_STAGE:
        return table_folder(table)
    stage = (partition.stage.name,) if table in _BY_STAGE else ()
    return "/".join((table_folder(table), *stage, *partition)) + ".parquet"


def partition_of(table: str, key: str) -> Partition:
    """The partition whose file `key` is: the inverse of `table_key`."""
    parts = tuple(key.removesuffix(".parquet").split("/")[1:])
    return Partition(parts[1:] if table in _BY_STAGE else parts)


def is_file(key: str) -> bool | None:
    """Whether a file belongs in this place of a study, or a folder; null: neither is ours."""
    top, *below = key.split("/")
    table = top.removesuffix(".parquet") if top.endswith(".parquet") else None
    if not below:
        if table in TABLES:
            return table in (ITEMS.name, LEDGER.name)
        return False if top in _FOLDERS else True if top in IF_DELETED else None
    if table not in TABLES and top not in _FOLDERS:
        return None
    if _FILE.search(below[-1]):
        return True
    return False if _BELOW.fullmatch(below[-1]) else None


def template_lock(study: str) -> str:
    """Beside the YAML, as other templates are: the words that an import has brought."""
    return f"{study}.template_lock.json"


def model_lock(study: str) -> str:
    """Beside the YAML, as the roster is: what the models of the study are drawn from."""
    return f"{study}.model_lock.json"


def image_key(name: str) -> str:
    return f"{IMAGES}/{name}"


def batch_key(name: str) -> str:
    return f"{BATCHES}/{name}.json"


def manifest_key(run_id: str) -> str:
    return f"manifests/{run_id}.json"


def sheet_key(sheet: str) -> str:
    """What is kept of a sheet that was written."""
    return f"{_SHEET}{sheet}.json"


def sheets_in(keys: Iterable[str]) -> list[str]:
    """The sheets among the keys below the folder of ratings."""
    return [key for key in keys if key.startswith(_SHEET) and key.endswith(".json")]


def filled_sheet_key(run_id: str, suffix: str) -> str:
    """A sheet as it came back, by the import that took it in."""
    return f"{RATINGS}/{run_id}{suffix}"


def log_dir(partition: Partition) -> str:
    """Logs lie under the condition that made the calls: the generate, or the grade condition."""
    return "/".join((LOGS, partition.stage.name, *partition[-1:]))


def log_key(partition: Partition, created: str, task_id: str) -> str:
    """The final name of a log. Grade logs also name the solutions they graded."""
    stamp = created.replace(":", "-").replace("+", "-")
    graded = f"{partition.gen_condition_id}_" if partition.gen_condition_id else ""
    return f"{log_dir(partition)}/{stamp}_{graded}{task_id}.eval"


def reservation_lock(holder: str) -> str:
    return f"reservations/{holder}"


def claim_key(partition: Partition) -> str:
    return "/".join(("claims", partition.stage.name, *partition))
