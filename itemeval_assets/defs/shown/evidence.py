"""Where a number comes from: from any partition of gradings_long to all that it rests on."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.prompts.templates import BUILTIN, Template
from itemeval_assets.core.tables.sources import FROM_GRADINGS, FROM_SOLUTIONS
from itemeval_assets.dagster_io.naming.keys import PartitionKeys
from itemeval_assets.dagster_io.naming.names import asset_key
from itemeval_assets.storage.study.layout import log_dir, manifest_key, table_key

if TYPE_CHECKING:
    import pyarrow as pa

    from itemeval_assets.storage.study.store import ResultsStore


def column_lineage(study: Study) -> dict[str, Any]:
    """From which column of which table each column of gradings_long is taken."""
    sources = {"solutions": FROM_SOLUTIONS, "gradings": FROM_GRADINGS}
    return {
        "dagster/column_lineage": dg.TableColumnLineage(
            {
                name: [dg.TableColumnDep(asset_key(study, table), source)]
                for table, columns in sources.items()
                for name, source in columns.items()
            }
        )
    }


def code_references(study: Study, templates: Iterable[Template]) -> dict[str, Any]:
    """The files that decide what an asset holds: the YAML, and its local prompts or rubrics."""
    files = {"study": study.config_path}
    local = (t for t in templates if t.path and not t.name.startswith(BUILTIN))
    files |= {t.name: Path(t.path) for t in local}
    return {
        "dagster/code_references": dg.CodeReferencesMetadataValue(
            code_references=[
                dg.LocalFileCodeReference(file_path=str(path), line_number=1, label=label)
                for label, path in files.items()
            ]
        )
    }


def evidence(
    study: Study, store: "ResultsStore", partition: Partition, rows: "pa.Table"
) -> dict[str, Any]:
    """Metadata of one partition of gradings_long: solutions, texts, data, runs, logs, manifests."""
    generate = study.design.generate_by_id[partition.generate]
    grade = study.design.grade_by_id[partition.grade]
    metadata: dict[str, Any] = {
        "solutions": dg.MetadataValue.asset(asset_key(study, "solutions")),
        "solutions partition": PartitionKeys(study).of(partition.solutions),
        "solutions table": _path(study, table_key("solutions", partition.solutions)),
        "prompt": _text(generate.prompt),
        "dataset revision": ", ".join(_distinct(rows, "dataset_revision")) or "none",
        "config": dg.MetadataValue.path(str(study.config_path)),
    }
    if rubric := grade.grader.template:
        metadata["rubric"] = _text(rubric)
    for name, column in (("generated", "gen_run_id"), ("graded", "grade_run_id")):
        runs = _distinct(rows, column)
        metadata |= {f"run that {name}": dg.MetadataValue.dagster_run(run) for run in runs[-1:]}
        metadata |= {
            f"manifest of the run that {name}": _path(study, manifest_key(run))
            for run in runs[-1:]
            if store.backend.exists(manifest_key(run))
        }
        if len(runs) > 1:
            metadata[f"all runs that {name}"] = ", ".join(runs)
    for name, column, of in (
        ("solutions", "gen_log_file", partition.solutions),
        ("gradings", "grade_log_file", partition),
    ):
        logs = _distinct(rows, column)
        if logs:
            metadata[f"logs of {name}"] = dg.MetadataValue.md(
                "\n".join(f"- `{log}`" for log in logs)
            )
            folder = study.uri(log_dir(of))
            metadata[f"view logs of {name}"] = f"inspect view --log-dir {folder}"
    return metadata


def _path(study: Study, key: str) -> dg.MetadataValue:
    return dg.MetadataValue.path(study.uri(key))


def _text(template: Template) -> dg.MetadataValue:
    fence = "````"
    heading = f"{template.name}, hash `{template.hash}`, {template.path}"
    return dg.MetadataValue.md(f"{heading}\n\n{fence}\n{template.text.strip()}\n{fence}")


def _distinct(rows: "pa.Table", column: str) -> list[str]:
    """The values of a column, each once, in order of the rows; null left out."""
    return [value for value in dict.fromkeys(rows[column].to_pylist()) if value is not None]
