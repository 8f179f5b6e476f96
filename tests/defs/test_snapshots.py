"""What a code location has loaded is what its runs work on, in processes of their own, too."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.definitions_load_context import (
    DefinitionsLoadContext,
    DefinitionsLoadType,
)
from dagster._core.definitions.repository_definition import RepositoryLoadData
from dagster._core.definitions.selector import JobSubsetSelector
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.dagster_io.naming.keys import PartitionKeys
from itemeval_assets.dagster_io.naming.names import asset_key
from itemeval_assets.defs.build import load_studies
from itemeval_assets.defs.snapshots import load_in_location, paths_in_location
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.instances.instance import ensure_home
from itemeval_assets.settings import Settings
from itemeval_assets.storage.study.inputs.model_lock import keep_roster
from tests.studies import study_yaml, write_study

PATIENCE_S = 240


@contextmanager
def initialization() -> Iterator[DefinitionsLoadContext]:
    """As in a code server."""
    context = DefinitionsLoadContext(DefinitionsLoadType.INITIALIZATION)
    with DefinitionsLoadContext.scoped(context):
        yield context


@contextmanager
def reconstruction(kept: Mapping[str, Any]) -> Iterator[DefinitionsLoadContext]:
    """As in a process of a run."""
    found = RepositoryLoadData(reconstruction_metadata=dict(kept))  # type: ignore[call-arg]
    context = DefinitionsLoadContext(DefinitionsLoadType.RECONSTRUCTION, found)
    with DefinitionsLoadContext.scoped(context):
        yield context


def test_a_run_has_the_studies_of_its_code_server(tmp_path: Path) -> None:
    config = write_study(tmp_path / "one")
    other = write_study(tmp_path / "two", study="other")
    settings = Settings(studies=f"{tmp_path}/*/study.yaml")
    with initialization() as context:
        before = load_studies(settings)
        kept = dict(context.get_pending_reconstruction_metadata())
    assert len(before.studies) == 2 and not before.broken
    config.write_text("study: [")
    (tmp_path / "two" / "prompts" / "solver" / "short.md").write_text("no place to fill")
    other.unlink()
    for _ in range(2):  # a process that a process of a run starts
        with reconstruction(kept) as context:
            found = load_studies(settings)
            kept = dict(context.get_pending_reconstruction_metadata())
        assert found.studies == before.studies and not found.broken
    with initialization():
        assert [str(study.path) for study in load_studies(settings).broken] == [str(config)]


def test_parts_of_a_code_location_keep_their_studies_apart(tmp_path: Path) -> None:
    config = write_study(tmp_path)
    with initialization() as context:
        load_in_location(config, "component")
        kept = dict(context.get_pending_reconstruction_metadata())
    with reconstruction(kept):
        assert paths_in_location([]) == []
        assert paths_in_location([], "component") == [config]


def test_a_study_with_a_secret_is_stored_nowhere_and_refused_once_it_changed(
    tmp_path: Path,
) -> None:
    routing = {"provider_routing": {"api_key": "hunter2-correct-horse"}}
    config = write_study(tmp_path, solvers=routing)
    with initialization() as context:
        study = load_in_location(config)
        kept = dict(context.get_pending_reconstruction_metadata())
    assert "hunter2" not in json.dumps(kept)
    with reconstruction(kept):
        assert load_in_location(config) == study
        config.write_text(config.read_text() + "# a word\n")
        with pytest.raises(ConfigError, match="changed since the code location loaded it"):
            load_in_location(config)


def test_the_lock_that_a_first_run_writes_is_no_change_of_a_study_with_a_secret(
    tmp_path: Path,
) -> None:
    (tmp_path / "roster.txt").write_text("mockllm/a\nmockllm/b\n")
    sample = {"sample": {"roster": "roster.txt", "n": 1}}
    document = study_yaml(
        graders=(), solvers={**sample, "provider_routing": {"api_key": "hunter2-correct-horse"}}
    )
    del document["solvers"]["models"]
    config = write_study(tmp_path, graders=())
    config.write_text(yaml.safe_dump(document))
    with initialization() as context:
        study = load_in_location(config)
        kept = dict(context.get_pending_reconstruction_metadata())
    keep_roster(study)
    with reconstruction(kept):
        assert load_in_location(config).models == study.models


@pytest.mark.long
def test_a_run_launched_from_a_code_server_works_on_what_that_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_study(tmp_path, graders=(), items=2)
    study = load_study(config)
    monkeypatch.setenv("ITEMEVAL_ASSETS_STUDIES", str(config))
    monkeypatch.setenv("DAGSTER_HOME", str(ensure_home(tmp_path)))
    target = ModuleTarget(
        "itemeval_assets.definitions", None, str(tmp_path), location_name="located"
    )
    with (
        dg.DagsterInstance.get() as instance,
        WorkspaceProcessContext(instance, target) as process,
    ):
        config.write_text("study: [")
        (tmp_path / "prompts" / "solver" / "short.md").write_text("Say nothing of {input}")
        workspace = process.create_request_context()
        location = workspace.get_code_location("located")
        (repository,) = location.get_repositories().values()
        (solver,) = study.design.generate
        key = PartitionKeys(study).generate[solver.id]
        for tables, tags in (
            (["items"], {}),
            (
                ["solutions", "generation_ledger"],
                {"dagster/partition": key},
            ),
        ):
            keys = [asset_key(study, table) for table in tables]
            job = location.get_job(
                JobSubsetSelector("located", repository.name, "__ASSET_JOB", None, keys)
            )
            plan = location.get_execution_plan(job, {}, None, None, instance)
            run = instance.create_run(
                job_name=job.name,
                run_id=None,
                run_config={},
                resolved_op_selection=None,
                step_keys_to_execute=plan.execution_plan_snapshot.step_keys_to_execute,
                op_selection=None,
                status=None,
                root_run_id=None,
                parent_run_id=None,
                tags=tags,
                job_snapshot=job.job_snapshot,
                execution_plan_snapshot=plan.execution_plan_snapshot,
                parent_job_snapshot=job.parent_job_snapshot,
                remote_job_origin=job.get_remote_origin(),
                job_code_origin=job.get_python_origin(),
                asset_selection=frozenset(keys),
                asset_check_selection=None,
                asset_graph=workspace.asset_graph,
            )
            instance.launch_run(run.run_id, workspace)
            assert _ended(instance, run.run_id) == dg.DagsterRunStatus.SUCCESS
    (manifest,) = (tmp_path / "studies" / "toy" / "manifests").glob("*.json")
    found = json.loads(manifest.read_text())
    assert found["config_sha256"] == study.config_sha256
    assert found["solver_templates"][0]["sha256"] == solver.prompt.sha256


def _ended(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        run = instance.get_run_by_id(run_id)
        assert run is not None and time.monotonic() < deadline
        if run.is_finished:
            return run.status
        time.sleep(0.2)
