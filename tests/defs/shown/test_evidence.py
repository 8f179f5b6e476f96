"""From a number to all that it rests on, and what makes an asset stale."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from itemeval_assets.core.tables.schemas import TABLES
from itemeval_assets.dagster_io.naming.names import asset_key
from itemeval_assets.defs.build import build_definitions
from itemeval_assets.defs.shown.evidence import column_lineage
from itemeval_assets.defs.shown.versions import content_version
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.settings import Settings
from tests.defs.runs import GRADINGS, SOLUTIONS, Runs, finish, runs_of, toy_study
from tests.studies import write_study


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    with runs_of(toy_study(tmp_path_factory.mktemp("evidence"))) as runs:
        finish(runs)
        yield runs


def test_every_partition_of_the_long_table_names_its_evidence(finished: Runs) -> None:
    study = finished.study
    for partition, found in finished.metadata("gradings_long").items():
        generate = study.design.generate_by_id[partition[0]]
        assert found["solutions"] == asset_key(study, "solutions")
        assert found["solutions partition"] == finished.keys.of(partition.solutions)
        assert generate.prompt.hash in found["prompt"] and "{input}" in found["prompt"]
        assert len(found["dataset revision"]) == 40
        assert finished.instance.get_run_by_id(found["run that generated"])
        assert finished.instance.get_run_by_id(found["run that graded"])
        folder = Path(found["view logs of solutions"].removeprefix("inspect view --log-dir "))
        assert list(folder.glob("*.eval"))
        for name, value in found.items():
            if name.startswith("manifest") or name in ("config", "solutions table"):
                assert Path(value).exists()
        judged = not partition[1].startswith("scorer")
        assert ("rubric" in found) == judged == ("logs of gradings" in found)


def test_every_column_has_its_source(finished: Runs) -> None:
    lineage = column_lineage(finished.study)["dagster/column_lineage"].deps_by_column
    assert set(lineage) == set(TABLES["gradings_long"].column_names)
    for deps in lineage.values():
        for dep in deps:
            assert dep.column_name in TABLES[dep.asset_key.path[-1]].column_names


def test_code_references_lead_to_the_yaml_and_the_templates(finished: Runs) -> None:
    graph = build_definitions(Settings(), [finished.study]).resolve_asset_graph()
    for name, wanted in (("solutions", {"study.yaml", "short.md"}), ("gradings", {"strict.md"})):
        node = graph.get(asset_key(finished.study, name))
        found = node.metadata["dagster/code_references"].code_references
        paths = [Path(reference.file_path) for reference in found]
        assert wanted <= {path.name for path in paths} and all(map(Path.exists, paths))


@pytest.mark.long
def test_a_run_that_changes_nothing_makes_nothing_stale(finished: Runs) -> None:
    def version(name: str) -> str | None:
        key = asset_key(finished.study, name)
        event = finished.instance.get_latest_materialization_event(key)
        assert event and event.asset_materialization and event.asset_materialization.tags
        return event.asset_materialization.tags.get("dagster/data_version")

    before = {name: version(name) for name in ("items", "solutions", "gradings", "gradings_long")}
    assert all(before.values())
    finish(finished)
    assert {name: version(name) for name in before} == before
    forced = finished.run(
        SOLUTIONS, span=finished.study.generate_partitions(), config={"force": True}
    )
    assert forced.success and version("solutions") != before["solutions"]
    rows = finished.store.read("solutions")
    assert content_version(rows) == content_version(rows.slice(0)) != content_version(rows[1:])


def test_what_is_free_follows_by_itself_and_what_costs_money_does_not(tmp_path: Path) -> None:
    study = toy_study(tmp_path)
    free = {pair for pair in study.grade_partitions() if pair[1].startswith("scorer")}
    with runs_of(study) as runs:
        definitions = build_definitions(Settings(), [study])
        first = dg.evaluate_automation_conditions(definitions, runs.instance)
        assert runs.run(["items"]).success
        assert runs.run(SOLUTIONS, span=study.generate_partitions()).success
        second = dg.evaluate_automation_conditions(definitions, runs.instance, cursor=first.cursor)
        key = asset_key(study, "gradings")
        asked = second.get_requested_partitions(key)
        assert set(map(runs.keys.partition, map(str, asked))) == free
        assert runs.run(GRADINGS, span=study.grade_partitions()).success
        third = dg.evaluate_automation_conditions(definitions, runs.instance, cursor=second.cursor)
        # The ledger does not wait for a preflight that nobody asked for.
        for name in ("ledger", "export"):
            assert third.get_num_requested(asset_key(study, name)) == 1
        assert third.get_num_requested(asset_key(study, "solutions")) == 0


def test_paid_automation_is_the_studys_choice(tmp_path: Path) -> None:
    for paid in (False, True):
        folder = tmp_path / str(paid)
        config = write_study(folder, extra={"automation": {"paid": paid}})
        study = load_study(config)
        graph = build_definitions(Settings(), [study]).resolve_asset_graph()
        condition = graph.get(asset_key(study, "solutions")).automation_condition
        assert (condition is not None) == paid
