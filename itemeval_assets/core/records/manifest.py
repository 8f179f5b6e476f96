"""The manifest of a run: everything needed to say what was run and to run it again.

One JSON document per run, with the fields of the seed (Outputs and Schemas). It holds no
secret: values under keys that name one, and values that look like one, are left out.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from itemeval_assets.core.config.roster import Roster
from itemeval_assets.core.design.conditions.conditions import GenerateCondition, GradeCondition
from itemeval_assets.core.design.conditions.ids import canonical_json
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import RunPlan, Study
from itemeval_assets.core.money.projection.estimate import Projection
from itemeval_assets.core.prompts.templates import Template
from itemeval_assets.core.text.secrets import redacted

_MANIFEST_VERSION = 1


def build_manifest(
    study: Study,
    *,
    run_id: str,
    stage: str,
    created_at: str,
    versions: Mapping[str, Any],
    items: list[Mapping[str, Any]],
    plan: RunPlan,
    partitions: Iterable[Partition],
    estimate: Projection,
    prices: Mapping[str, Any],
) -> dict[str, Any]:
    """The manifest at the start of a run. `versions`: ours, python's and the packages'."""
    config, replaced, task = study.config, dict(study.snapshot.replaced), study.snapshot.task
    generate, grade = study.design.generate, study.design.grade
    selected = list(dict.fromkeys(id for partition in partitions for id in partition))
    return {
        "manifest_version": _MANIFEST_VERSION,
        "run_id": run_id,
        "stage": stage,
        "study": study.name,
        "created_at": created_at,
        **versions,
        "config_path": str(study.config_path),
        "config_sha256": study.config_sha256,
        "config": redacted(config.as_yaml_dict()),
        **({"config_replaced": redacted(replaced)} if replaced else {}),
        "datasets": datasets_of(study, items),
        **({"task": redacted(task.to_document())} if task else {}),
        "solver_templates": templates_of([condition.prompt for condition in generate]),
        "rubric_templates": templates_of(study.design.rubrics),
        "models": study.models,
        **({"roster": _roster(roster)} if (roster := study.snapshot.roster) else {}),
        "graders": {
            name: redacted(config.grader(name).model_dump(mode="json"))
            for name in config.facets.grader
        },
        "sampling_requested": {condition.id: dict(condition.params) for condition in generate},
        "sampling_effective": None,
        "endpoints_effective": None,
        "policy": plan.policy,
        "replications_requested": config.facets.replications,
        "replications_effective": plan.replications,
        "items_limit": plan.items_limit,
        "batch": plan.batch,
        "cache": config.cache,
        "grid_generate": [_condition(one) for one in generate],
        "grid_grade": [_condition(one) for one in grade],
        "conditions_run": selected,
        "estimate": estimate._asdict(),
        "prices": dict(prices),
    }


def _roster(roster: Roster) -> dict[str, Any]:
    return {"file": roster.file, "models": list(roster.models)}


def items_hash(items: Iterable[Mapping[str, Any]]) -> str:
    """First 12 hex over everything a model or judge may see of the items, in order."""
    content = [
        [item[name] for name in ("item_id", "input", "target", "grading_scheme", "metadata_json")]
        for item in items
    ]
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()[:12]


def _condition(condition: GenerateCondition | GradeCondition) -> dict[str, Any]:
    return {
        "id": condition.id,
        "slug": condition.slug,
        "payload": redacted(condition.payload),
    }


def datasets_of(study: Study, items: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Per dataset of the config: where it is from, its revision, and a hash of its items."""
    entries = []
    for dataset in study.config.benchmark.datasets:
        own = [item for item in items if item["dataset_id"] == dataset.id]
        entries.append(
            {
                "id": dataset.id,
                "adapter": study.config.benchmark.adapter,
                "split": dataset.split,
                "name": dataset.name,
                "revision_requested": dataset.revision,
                "revision_resolved": own[0]["dataset_revision"] if own else None,
                "n_items": len(own),
                "items_hash": items_hash(own),
            }
        )
    return entries


def templates_of(templates: Iterable[Template]) -> list[dict[str, str]]:
    """Each template once: its name, where it is from, and its sha256."""
    distinct = {template.name: template for template in templates}
    return [
        {
            "name": template.name,
            "source": template.source,
            "path": template.path,
            "sha256": template.sha256,
        }
        for template in distinct.values()
    ]
