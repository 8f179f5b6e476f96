"""What lies in deploy/, as far as it can be checked without Docker and Kubernetes."""

import json
import re
import shlex
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster._core.instance.config import dagster_instance_config
from dagster._core.workspace.config_schema import process_workspace_config

from deploy.here.evidence import table

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "deploy" / "compose"
IMAGE_HOME = "/opt/itemeval"
# Top-level values of Dagster's chart.
CHART_VALUES = {
    *("dagsterWebserver", "dagster-user-deployments", "runLauncher", "postgresql", "global"),
    *("generatePostgresqlPasswordSecret", "computeLogManager", "dagsterDaemon", "concurrency"),
    *("redis", "rabbitmq", "telemetry"),
}


def read(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / "deploy" / name).read_text())


def services() -> dict[str, dict[str, Any]]:
    return read("compose/docker-compose.yaml")["services"]


def ours() -> dict[str, dict[str, Any]]:
    return {name: one for name, one in services().items() if one["image"] == "itemeval-assets"}


def variables(node: Any) -> set[str]:
    """The environment variables that a Dagster config reads."""
    if isinstance(node, list):
        return set().union(*map(variables, node))
    if not isinstance(node, dict):
        return set()
    if node.keys() == {"env"}:
        return {node["env"]}
    return set().union(*map(variables, node.values()))


def test_every_service_has_what_its_config_reads() -> None:
    read_ones = variables(read("compose/dagster.yaml")) | variables(read("compose/workspace.yaml"))
    assert {"POSTGRES_PASSWORD", "CELERY_BROKER_URL", "CODE_LOCATION_HOST"} <= read_ones
    assert ours().keys() == {"code", "webserver", "daemon", "worker"}
    for name, service in ours().items():
        assert read_ones <= service["environment"].keys(), name


def test_what_a_service_keeps_is_on_a_volume_that_is_declared() -> None:
    declared = read("compose/docker-compose.yaml")["volumes"].keys()
    mounts = [mount for one in services().values() for mount in one.get("volumes", [])]
    named = {mount.split(":")[0] for mount in mounts if mount[0] not in "$./"}
    assert named == declared and "unsent" in named


def test_no_secret_is_written_down() -> None:
    secret = re.compile(r"PASSWORD|SECRET|_KEY|_URL$")
    for service in services().values():
        for name, value in service.get("environment", {}).items():
            assert not secret.search(name) or "${" in value, name
    lines = (COMPOSE / ".env.example").read_text().splitlines()
    assert {line for line in lines if secret.search(line.split("=")[0]) and line[0] != "#"} == {
        *("POSTGRES_PASSWORD=", "REDIS_PASSWORD=", "AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=")
    }
    assert "assword:" not in (ROOT / "deploy/helm/values.yaml").read_text()


def test_the_example_names_all_that_compose_asks_for() -> None:
    asked = set(re.findall(r"\$\{(\w+):\?", (COMPOSE / "docker-compose.yaml").read_text()))
    named = set(re.findall(r"^(\w+)=", (COMPOSE / ".env.example").read_text(), re.M))
    assert asked and asked <= named


def test_dependencies_of_services_are_services_with_health_checks() -> None:
    for service in services().values():
        for other, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"} and "healthcheck" in services()[other]


def test_the_instance_is_one_that_dagster_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("dagster_celery")
    pytest.importorskip("dagster_postgres")
    from deploy.postgres import HeldPostgresStorage

    shutil.copy(COMPOSE / "dagster.yaml", tmp_path)
    config, custom = dagster_instance_config(str(tmp_path))
    assert custom is None
    assert config["run_launcher"]["class"] == "CheckedCeleryRunLauncher"
    assert config["storage"]["custom"]["class"] == HeldPostgresStorage.__name__


@pytest.mark.parametrize("section", ["run_monitoring", "run_retries"])
def test_runs_are_taken_up_again_as_on_one_machine(section: str) -> None:
    here = yaml.safe_load((ROOT / "itemeval_assets/builtin/dagster.yaml").read_text())
    assert read("compose/dagster.yaml")[section] == here[section]


def test_there_are_no_more_runs_than_processes_of_one_worker_pair() -> None:
    command = ours()["worker"]["command"]
    slots = int(command[command.index("--concurrency") + 1])
    assert read("compose/dagster.yaml")["concurrency"]["runs"]["max_concurrent_runs"] == 2 * slots


def test_the_workspace_is_one_that_dagster_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODE_LOCATION_HOST", "code")
    monkeypatch.setenv("CODE_LOCATION_PORT", "4000")
    assert process_workspace_config(read("compose/workspace.yaml")).success


def test_the_commands_of_the_services_are_installed() -> None:
    pytest.importorskip("celery")
    beside = str(Path(sys.executable).parent)
    for name, service in ours().items():
        assert shutil.which(service["command"][0], path=beside), name


def test_the_image_has_what_the_services_use() -> None:
    steps = (COMPOSE / "Dockerfile").read_text().replace("\\\n", "").splitlines()
    copies = [shlex.split(step)[1:] for step in steps if step.startswith("COPY")]
    for *sources, _ in copies:
        assert [source for source in sources if not (ROOT / source).exists()] == []
    assert f"ENV PYTHONUNBUFFERED=1     DAGSTER_HOME={IMAGE_HOME}/dagster_home" in "\n".join(steps)
    copied = {source: target for *sources, target in copies for source in sources}
    assert copied["deploy/compose/workspace.yaml"] == "./"  # WORKDIR is IMAGE_HOME by then
    assert f"{IMAGE_HOME}/workspace.yaml" in ours()["webserver"]["command"]
    modules = ("celery_app", "celery_pool", "celery_runs", "postgres")
    assert {f"deploy/{name}.py" for name in modules} <= copied.keys()


def test_the_extras_of_the_image_are_extras_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    dockerfile = (COMPOSE / "Dockerfile").read_text()
    wanted = set(re.findall(r"--extra (\w+)", dockerfile))
    assert "deploy" in wanted and wanted <= project["optional-dependencies"].keys()


def test_the_values_are_those_of_the_chart() -> None:
    values = read("helm/values.yaml")
    assert values.keys() == CHART_VALUES
    launcher = values["runLauncher"]
    assert launcher["type"] == "K8sRunLauncher" and launcher["config"].keys() == {"k8sRunLauncher"}
    images = [values["dagsterWebserver"]["image"], values["dagsterDaemon"]["image"]]
    images += [one["image"] for one in values["dagster-user-deployments"]["deployments"]]
    assert all(image == images[0] and image["tag"] != "latest" for image in images)


def test_the_chart_is_of_the_version_that_is_locked() -> None:
    locked = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    [version] = [package["version"] for package in locked if package["name"] == "dagster"]
    assert f"--version {version} " in (ROOT / "deploy/helm/values.yaml").read_text()


def test_the_page_shows_the_figures_that_were_measured() -> None:
    figures = json.loads((ROOT / "docs/evidence/deploy.json").read_text())
    page = (ROOT / "docs/deploying.md").read_text()
    assert table(figures) in page
    assert figures["worker"]["holds"] is True
    assert {one["backfill"] for one in figures.values()} == {"COMPLETED_SUCCESS"}
