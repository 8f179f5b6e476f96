"""StudyComponent: a study in a `dg` project, in Dagster's sandbox and with the real `dg`."""

import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster.components.testing import DefsFolderSandbox, create_defs_folder_sandbox

import itemeval_assets
from itemeval_assets.component import StudyComponent
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.dagster_io.naming.keys import PartitionKeys
from itemeval_assets.defs.build import build_definitions
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.instances.instance import make_home
from itemeval_assets.settings import Settings
from tests.commands import Program
from tests.defs.runs import QUIET, SOLUTIONS
from tests.defs.test_snapshots import initialization, reconstruction
from tests.studies import write_study
from tests.ticks import ticked

TYPE = "itemeval_assets.StudyComponent"


@pytest.fixture
def sandbox() -> Iterator[DefsFolderSandbox]:
    with create_defs_folder_sandbox() as made:
        yield made


def declare(sandbox: DefsFolderSandbox, name: str, study: str | None = None, **more: Any) -> Path:
    """A component in a folder of its own, with a study of the folder's name beside it."""
    folder = sandbox.defs_folder_path / name
    write_study(folder, study=study or name)
    document = {"type": TYPE, "attributes": {"study": "study.yaml", **more}}
    (folder / "defs.yaml").write_text(yaml.safe_dump(document))
    return folder


def names(definitions: dg.Definitions) -> dict[str, set[str]]:
    graph = definitions.resolve_asset_graph()
    return {
        "assets": {
            f"{node.key.to_user_string()} {node.group_name} {node.partitions_def} {node.owners}"
            for node in graph.asset_nodes
        },
        "edges": {f"{node.key} {sorted(node.parent_keys)}" for node in graph.asset_nodes},
        "checks": {f"{key} {graph.get(key).blocking}" for key in graph.asset_check_keys},
        "schedules": {schedule.name for schedule in definitions.schedules or []},
        "sensors": {sensor.name for sensor in definitions.sensors or []},
    }


def causes(error: BaseException | None) -> str:
    """The messages of an exception and of those that led to it."""
    found = []
    while error is not None:
        found.append(str(error))
        error = error.__cause__
    return "\n".join(found)


def test_the_graph_is_that_of_the_settings(sandbox, monkeypatch) -> None:
    monkeypatch.setenv("ITEMEVAL_ASSETS_WEBHOOK_URL", "https://hooks.example.org/x")
    folder = declare(sandbox, "toy", owners=["team:evals", "ann@example.org"])
    study = load_study(folder / "study.yaml")
    settings = Settings(owners="team:evals,ann@example.org")
    with sandbox.load_component_and_build_defs(folder) as (_, found):
        assert names(found) == names(build_definitions(settings, [study]))


def test_runs_have_the_studies_of_their_code_server(sandbox) -> None:
    folder = declare(sandbox, "toy")
    with initialization() as context, sandbox.build_all_defs() as found:
        before, kept = names(found), dict(context.get_pending_reconstruction_metadata())
    (folder / "study.yaml").write_text("study: [")
    with reconstruction(kept), sandbox.build_all_defs() as found:
        assert names(found) == before


def test_owners_are_by_default_those_of_the_environment(sandbox, monkeypatch) -> None:
    monkeypatch.setenv("ITEMEVAL_ASSETS_OWNERS", "team:all")
    declare(sandbox, "one")
    declare(sandbox, "two", owners=[])
    with sandbox.build_all_defs() as found:
        owners = {node.key.path[0]: node.owners for node in found.resolve_asset_graph().asset_nodes}
    assert owners == {"one": ["team:all"], "two": []}


def test_two_studies_share_a_project(sandbox, monkeypatch) -> None:
    monkeypatch.setenv("ITEMEVAL_ASSETS_WEBHOOK_URL", "https://hooks.example.org/x")
    declare(sandbox, "one")
    declare(sandbox, "two")
    (sandbox.defs_folder_path / "own.py").write_text(
        "import dagster as dg\n\n@dg.asset\ndef own(): ...\n\n"
        "defs = dg.Definitions(assets=[own], executor=dg.multiprocess_executor)\n"
    )
    with sandbox.build_all_defs() as found:
        sensors = [sensor.name for sensor in found.sensors or []]
        assert sensors.count("itemeval_assets_failed_runs") == 1
        assert sensors.count("itemeval_assets_failed_checks") == 1
        result = found.resolve_implicit_global_asset_job_def().execute_in_process(
            asset_selection=[dg.AssetKey([name, "items"]) for name in ("one", "two")],
            run_config={"loggers": QUIET["loggers"]},
        )
    assert result.success
    for name in ("one", "two"):
        assert (sandbox.defs_folder_path / name / "studies" / name / "items.parquet").exists()


@pytest.fixture
def validating(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `dg check defs` loads the definitions."""
    monkeypatch.setenv("DAGSTER_IS_DEFS_VALIDATION_CLI", "1")


def test_a_broken_study_is_seen_beside_the_others_until_it_is_mended(sandbox) -> None:
    declare(sandbox, "sound")
    broken, same_name = declare(sandbox, "broken"), declare(sandbox, "same_name", "broken")
    write_study(broken, study="broken", extra={"budgett": {}})
    write_study(same_name, study="broken", extra={"facets": {"replications": 0}})
    with sandbox.build_all_defs() as found:
        dg.Definitions.validate_loadable(found)
        graph = found.resolve_asset_graph()
    groups = {node.group_name for node in graph.asset_nodes}
    assert groups == {"sound", "sound_on_demand", "broken_broken", "broken_broken_2"}
    said = [graph.get(dg.AssetKey([group, "study"])).description for group in sorted(groups)[:2]]
    for folder, problem in ((broken, "did you mean 'budget'"), (same_name, "replications")):
        [description] = [text for text in said if text and problem in text]
        assert f"{folder / 'defs.yaml'}: attributes.study: {folder / 'study.yaml'}" in description
    assert {sensor.name for sensor in found.sensors or []} >= {"broken_broken", "broken_broken_2"}
    write_study(broken, study="broken")
    write_study(same_name, study="same_name")
    with sandbox.build_all_defs() as found:
        graph = found.resolve_asset_graph()
    assert {node.group_name for node in graph.asset_nodes} == {
        group for name in ("sound", "broken", "same_name") for group in (name, f"{name}_on_demand")
    }


def test_one_name_twice_is_refused_with_both_files(sandbox, validating) -> None:
    one, two = declare(sandbox, "one", "a-b"), declare(sandbox, "two", "a_b")
    with sandbox.build_component_tree() as tree, pytest.raises(Exception) as refused:
        tree.build_defs()
    said = causes(refused.value)
    assert "'a_b' and 'a-b'" in said and "rename one of them" in said
    assert f"{two / 'defs.yaml'}: attributes.study: " in said and str(one / "study.yaml") in said


@pytest.mark.parametrize("absolute", [False, True])
def test_a_study_may_lie_elsewhere(sandbox, tmp_path, absolute) -> None:
    elsewhere = sandbox.project_root / "studies"
    write_study(elsewhere, study="far")
    folder = sandbox.defs_folder_path / "toy"
    folder.mkdir()
    study = str(elsewhere) if absolute else "{{ context.project_root }}/studies"
    (folder / "defs.yaml").write_text(
        yaml.safe_dump({"type": TYPE, "attributes": {"study": f"{study}/study.yaml"}})
    )
    with sandbox.load_component_and_build_defs(folder) as (component, found):
        assert isinstance(component, StudyComponent)
        assert {key.path[0] for key in found.resolve_all_asset_keys()} == {"far"}


def test_bad_yaml_is_refused_with_file_and_key(sandbox, validating) -> None:
    folder = declare(sandbox, "toy")
    for attributes, said in (
        ({"studdy": "study.yaml"}, f"attributes.studdy at {folder}/defs.yaml:"),
        ({"study": ["study.yaml"]}, f"attributes.study at {folder}/defs.yaml:"),
        (
            {"study": "studdy.yaml"},
            f"{folder}/defs.yaml: attributes.study: there is no config file {folder}/studdy.yaml; "
            "that folder has defs.yaml, study.yaml",
        ),
        ({"study": ""}, f"{folder} is a folder; name the study's YAML file in it"),
        (
            {"study": "study.yaml", "owners": ["ann"]},
            f"{folder}/defs.yaml: attributes.owners: Invalid owner 'ann'. Owner must be an email",
        ),
        (
            {"study": "study.yaml", "tags": {"my team": "evals"}},
            f"{folder}/defs.yaml: attributes.tags: Found invalid tag keys: ['my team']. Allowed",
        ),
        (
            {"study": "study.yaml", "group": "my-lab"},
            f'{folder}/defs.yaml: attributes.group: "my-lab" is not a valid asset group name',
        ),
    ):
        document = {"type": TYPE, "attributes": attributes}
        (folder / "defs.yaml").write_text(yaml.safe_dump(document))
        with sandbox.build_component_tree() as tree, pytest.raises(Exception) as refused:
            tree.build_defs()
        assert said in causes(refused.value)


def test_an_owner_of_the_environment_is_told_as_such(sandbox, monkeypatch, validating) -> None:
    monkeypatch.setenv("ITEMEVAL_ASSETS_OWNERS", "ann")
    declare(sandbox, "toy")
    with sandbox.build_component_tree() as tree, pytest.raises(Exception) as refused:
        tree.build_defs()
    assert "ITEMEVAL_ASSETS_OWNERS: Invalid owner 'ann'." in causes(refused.value)


def test_a_webhook_that_is_no_url_is_no_fault_of_the_study(sandbox, monkeypatch) -> None:
    monkeypatch.setenv("ITEMEVAL_ASSETS_WEBHOOK_URL", "hooks")
    declare(sandbox, "toy")
    with sandbox.build_component_tree() as tree, pytest.raises(Exception) as refused:
        tree.build_defs()
    assert str(refused.value.__cause__).startswith("ITEMEVAL_ASSETS_WEBHOOK_URL: no URL")


def test_a_study_with_problems_is_refused_with_all_of_them(sandbox, validating) -> None:
    folder = declare(sandbox, "toy")
    write_study(folder, extra={"budgett": {}, "facets": {"replications": 0}})
    with sandbox.build_component_tree() as tree, pytest.raises(Exception) as refused:
        tree.build_defs()
    cause = refused.value.__cause__
    assert isinstance(cause, ConfigError) and cause.__cause__ is None
    assert "budgett" in str(cause) and "replications" in str(cause)


@pytest.mark.parametrize(("format", "file"), [("yaml", "defs.yaml"), ("python", "component.py")])
def test_a_scaffold_runs_at_once_on_mock_models(sandbox, format, file) -> None:
    folder = sandbox.scaffold_component(StudyComponent, "Über-Judges 2", scaffold_format=format)
    assert (folder / file).exists()
    assert load_study(folder / "study.yaml").name == "ber-judges_2"
    with sandbox.build_all_defs() as found:
        job = found.resolve_implicit_global_asset_job_def()
        [partition, *_] = PartitionKeys(load_study(folder / "study.yaml")).generate.values()
        for tables, key in ((["items"], None), (SOLUTIONS, partition)):
            result = job.execute_in_process(
                asset_selection=[dg.AssetKey(["ber-judges_2", table]) for table in tables],
                partition_key=key,
                run_config={"loggers": QUIET["loggers"]},
            )
            assert result.success
            assert all(check.passed for check in result.get_asset_check_evaluations())


DEPLOYED = {
    "output_dir": "{{ env.LAB_RESULTS }}",
    "budget": {
        "max_usd": "{{ env.LAB_MAX_USD }}",
        "confirm_above_usd": "{{ env.LAB_UNSET }}",
        "pricing_path": "{{ env('LAB_PRICES') }}",
    },
    "started": "{{ env.LAB_STARTED }}",
}


def deployed(sandbox: DefsFolderSandbox, monkeypatch: pytest.MonkeyPatch, **more: Any) -> Path:
    """A study whose deployment names results, money and start by variables."""
    variables = {"RESULTS": "../results", "MAX_USD": "7.5", "PRICES": "lab.json", "STARTED": "true"}
    for name, value in variables.items():
        monkeypatch.setenv(f"LAB_{name}", value)
    folder = declare(sandbox, "toy", **DEPLOYED, **more)
    budget = {"max_usd": 1, "confirm_above_usd": 0.5}
    write_study(folder, study="toy", items=2, extra={"budget": budget, "cache": False})
    prices = {"models": {"mockllm/a": {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 2.0}}}
    (folder / "lab.json").write_text(json.dumps(prices))
    return folder


def test_a_deployment_says_where_results_go_what_may_be_spent_and_what_is_on(
    sandbox, monkeypatch
) -> None:
    folder = deployed(sandbox, monkeypatch, group="lab", tags={"team": "evals", "tier": ""})
    own = load_study(folder / "study.yaml")
    with sandbox.build_all_defs() as found:
        assert found.resolve_schedule_def("toy_reruns").default_status.value == "RUNNING"
        sensor = found.resolve_sensor_def("toy_automation")
        assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
        graph = found.resolve_asset_graph()
        assert {node.group_name for node in graph.asset_nodes} == {"lab", "lab_on_demand"}
        for node in graph.asset_nodes:
            assert {"team": "evals", "tier": ""}.items() <= node.tags.items()
        assert sensor.asset_selection
        assert {key.path[0] for key in sensor.asset_selection.resolve(graph)} == {"toy"}
        job = found.resolve_implicit_global_asset_job_def()
        [partition] = PartitionKeys(own).generate.values()
        for tables, key in ((["items"], None), (SOLUTIONS, partition)):
            result = job.execute_in_process(
                asset_selection=[dg.AssetKey(["toy", table]) for table in tables],
                partition_key=key,
                run_config={"loggers": QUIET["loggers"]},
            )
            assert result.success
    assert not (folder / "studies").exists()
    [path] = (folder.parent / "results" / "toy" / "manifests").glob("*.json")
    manifest = json.loads(path.read_text())
    budget = manifest["config"]["budget"]
    # A variable that is unset takes no limit of the YAML away.
    assert (budget["max_usd"], budget["confirm_above_usd"]) == (7.5, 0.5)
    assert manifest["config_sha256"] == own.config_sha256
    assert manifest["config_replaced"] == {
        "output_dir": "../results",
        "budget": {"max_usd": 7.5, "pricing_path": "lab.json"},
        "automation": {"started": True},
    }
    assert manifest["prices"]["mockllm/a"]["input_usd_per_mtok"] == 1.0
    assert [c["id"] for c in manifest["grid_generate"]] == [c.id for c in own.design.generate]


def test_a_run_has_what_its_code_server_had_replaced(sandbox, monkeypatch) -> None:
    """In a process where the variables are others, or not there at all."""
    deployed(sandbox, monkeypatch)
    with initialization() as context, sandbox.build_all_defs():
        kept = dict(context.get_pending_reconstruction_metadata())
    monkeypatch.setenv("LAB_MAX_USD", "1000")
    monkeypatch.delenv("LAB_RESULTS")
    with reconstruction(kept), sandbox.build_all_defs() as found:
        [study] = (found.resources or {})["study_tables"]._studies
    assert study.config.budget.max_usd == 7.5
    assert study.location.endswith("/results/toy")


def test_a_study_with_a_secret_is_refused_where_the_deployment_changed(
    sandbox, monkeypatch
) -> None:
    """Of such a study a digest alone is kept: what is replaced is in it."""
    folder = deployed(sandbox, monkeypatch)
    secret = {"provider_routing": {"api_key": "hunter2-correct-horse"}}
    write_study(folder, study="toy", solvers=secret)
    with initialization() as context, sandbox.build_all_defs() as found:
        assert "toy_reruns" in names(found)["schedules"]
        kept = dict(context.get_pending_reconstruction_metadata())
    assert "hunter2" not in json.dumps(kept)
    with reconstruction(kept), sandbox.build_all_defs() as found:
        assert "toy_reruns" in names(found)["schedules"]
    monkeypatch.setenv("LAB_MAX_USD", "1000")
    with reconstruction(kept), sandbox.build_all_defs() as found:
        [asset] = found.resolve_asset_graph().asset_nodes
        assert "changed since the code location loaded it" in (asset.description or "")


@pytest.mark.parametrize(
    ("project", "asked", "run_config"),
    [
        ("", "in_process", {"execution": {"config": {"in_process": {}}}}),
        ("", "multiprocess", {}),
        ("multiprocess_executor", "in_process", {}),
        ("in_process_executor", "in_process", {}),
    ],
)
def test_the_schedule_keeps_its_steps_in_one_process_unless_asked(
    sandbox, tmp_path, monkeypatch, project, asked, run_config
) -> None:
    """Dagster's default, which a project has without a word, starts a process for each step."""
    monkeypatch.setenv("ITEMEVAL_ASSETS_EXECUTOR", asked)
    declare(sandbox, "toy")
    if project:
        (sandbox.defs_folder_path / "own.py").write_text(
            f"import dagster as dg\n\ndefs = dg.Definitions(executor=dg.{project})\n"
        )
    home = str(tmp_path)
    with sandbox.build_all_defs() as found, dg.DagsterInstance.local_temp(home) as instance:
        context = dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=datetime.now(UTC),
            repository_def=found.get_repository_def(),
        )
        requests = ticked(found.resolve_schedule_def("toy_reruns"), context).run_requests
        assert requests and [request.run_config for request in requests] == [run_config]
        job = found.resolve_implicit_global_asset_job_def()
        dg.validate_run_config(job, run_config)


def test_studies_share_a_group_and_no_sensor_touches_the_other(sandbox) -> None:
    for name in ("one", "two"):
        declare(sandbox, name, group="lab")
    with sandbox.build_all_defs() as found:
        graph = found.resolve_asset_graph()
        for name in ("one", "two"):
            chosen = found.resolve_sensor_def(f"{name}_automation").asset_selection
            assert chosen
            assert {key.path[0] for key in chosen.resolve(graph)} == {name}


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"budget": {"max_usdd": 1}}, "attributes.budget.max_usdd: unknown key 'max_usdd'; did"),
        ({"budget": {"max_usd": -1}}, "attributes.budget.max_usd: give a number above 0"),
        ({"started": "perhaps"}, "attributes.started: give true or false; found 'perhaps'"),
        ({"output_dir": "gs://x"}, "attributes.output_dir: give a folder, or a bucket as s3://"),
    ],
)
def test_a_slip_in_a_deployment_is_told_with_its_attribute(
    sandbox, validating, attributes, said
) -> None:
    folder = declare(sandbox, "toy", **attributes)
    with sandbox.build_component_tree() as tree, pytest.raises(Exception) as refused:
        tree.build_defs()
    assert f"{folder / 'defs.yaml'}: {said}" in causes(refused.value)


def test_the_package_offers_the_component_and_nothing_else_late() -> None:
    assert itemeval_assets.StudyComponent is StudyComponent
    assert "StudyComponent" in dir(itemeval_assets)
    with pytest.raises(AttributeError, match="attribute Studdy"):
        _ = itemeval_assets.Studdy  # type: ignore[attr-defined]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What `create-dagster project` makes, as far as `dg` needs it."""
    package = tmp_path / "src" / "evals"
    (package / "defs").mkdir(parents=True)
    for module in (package, package / "defs"):
        (module / "__init__.py").touch()
    (package / "definitions.py").write_text(
        "from pathlib import Path\n\nimport dagster as dg\n\n\n@dg.definitions\n"
        "def defs():\n    return dg.load_from_defs_folder(path_within_project=Path(__file__))\n"
    )
    (tmp_path / "pyproject.toml").write_text(
        '[tool.dg]\ndirectory_type = "project"\n\n[tool.dg.project]\nroot_module = "evals"\n'
    )
    return tmp_path


def test_the_real_dg(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists, scaffolds, checks and launches; without a network."""
    bin_folder = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(bin_folder.parent),
        "PYTHONPATH": str(project / "src"),
        "DAGSTER_HOME": str(make_home(project / "dagster_home")),
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9"),
    }

    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "path", [*sys.path, str(project / "src")])
    output = project / "said.txt"

    def dg_says(*arguments: str, exit_code: int = 0) -> str:
        output.unlink(missing_ok=True)
        program = Program(
            "dagster_dg_cli.cli:main", *arguments, output=output, environment=environment
        )
        assert program.wait() == exit_code, output.read_text()
        return output.read_text()

    (project / ".gitignore").write_text("*.log")
    listed = dg_says("list", "components", "--json")
    assert TYPE in {entry["key"] for entry in json.loads(listed)["items"]}
    dg_says("scaffold", "defs", TYPE, "my_study")
    folder = project / "src" / "evals" / "defs" / "my_study"
    assert yaml.safe_load((folder / "defs.yaml").read_text()) == {
        "type": TYPE,
        "attributes": {"study": "study.yaml"},
    }
    assert "All definitions loaded successfully" in dg_says("check", "defs")
    in_process = json.dumps({"execution": {"config": {"in_process": {}}}})
    dg_says("launch", "--assets", 'key:"my_study/items"', "--config-json", in_process)
    # Results lie outside of the code, for all ways to run, and git does not see them.
    assert (project / "studies" / "my_study" / "items.parquet").exists()
    assert not (folder / "studies").exists()
    ignored = (project / ".gitignore").read_text().splitlines()
    assert ignored[0] == "*.log" and {"/studies/", "/dagster_home/*"} <= set(ignored)
    write_study(folder, study="my_study", extra={"budgett": {}})
    said = dg_says("check", "defs", exit_code=1)
    assert f"{folder}/defs.yaml: attributes.study: " in said and "did you mean 'budget'" in said
    (folder / "defs.yaml").write_text(f"type: {TYPE}\nattributes:\n  studdy: study.yaml\n")
    said = dg_says("check", "yaml", exit_code=1)
    assert f"{folder}/defs.yaml:3" in said and "'studdy' was unexpected" in said
