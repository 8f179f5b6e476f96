"""A study with scores that a test chooses, stored as if its calls had been made."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.stages import gradings_long
from itemeval_assets.storage.study.store import open_store
from tests.rows import grading, item, solution, table
from tests.studies import write_study

__all__ = ["JUDGES", "scored_study"]

JUDGES = {
    "strict_judge": {"model": "mockllm/judge", "scale": [0, 1]},
    "mild_judge": {"model": "other/judge", "scale": [0, 1]},
}
# (model, grader, item number from 0, epoch from 1) -> score; None: a reply without a score.
Score = Callable[[str, str, int, int], float | None]


def scored_study(
    folder: Path,
    score: Score,
    *,
    items: int = 6,
    replications: int = 1,
    models: tuple[str, ...] = ("mockllm/alpha", "mockllm/beta"),
    graders: Mapping[str, Any] | None = None,
    metadata: Callable[[int], str] = lambda n: f'{{"topic": "t{n % 2}"}}',
    extra: Mapping[str, Any] | None = None,
    policy: str = "full-interactive",
    name: Callable[[int], str] = "q{}".format,
) -> Study:
    """Every cell has an answer and a grading, of the scorer `numeric` and of these judges."""
    judges = JUDGES if graders is None else graders
    document: dict[str, Any] = {"graders": dict(judges), **(extra or {})}
    config = write_study(
        folder,
        models=models,
        graders=list(judges),
        items=items,
        replications=replications,
        policy=policy,
        extra=document,
    )
    study = load_study(config)
    store = open_store(study)
    questions = [item(name(n), metadata_json=metadata(n)) for n in range(items)]
    store.replace("items", Partition(()), table("items", questions))
    cells = [(n, epoch) for n in range(items) for epoch in range(1, replications + 1)]
    for generate in study.design.generate:
        names = {"condition_id": generate.id, "condition_slug": generate.slug}
        answers = [solution(name(n), epoch, model=generate.model, **names) for n, epoch in cells]
        store.upsert("solutions", Partition((generate.id,)), table("solutions", answers))
        for grade in study.design.grade:
            ids = {"gen_condition_id": generate.id, **grade.columns}
            rows = [
                grading(name(n), epoch, score(generate.model, grade.grader.name, n, epoch), **ids)
                for n, epoch in cells
            ]
            partition = Partition((generate.id, grade.id))
            store.upsert("gradings", partition, table("gradings", rows))
    for _ in gradings_long.write(store, study.grade_partitions()):
        pass
    return study
