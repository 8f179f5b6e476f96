"""Where studies and the Dagster home are found."""

from importlib.resources import files
from pathlib import Path

import pytest

from itemeval_assets.settings import Settings, nearest_dagster_home

ROOT = Path(__file__).parents[1]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("study.yaml", "one/study.yaml", "one/other.yaml", "studies/two.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def found(root: Path, **settings: str) -> list[str]:
    paths = Settings(root=root, **settings).study_paths()  # type: ignore[arg-type]
    return [str(path.relative_to(root)) for path in paths]


def test_by_default_the_studies_of_a_project_are_found(project) -> None:
    assert found(project) == ["study.yaml", "one/study.yaml", "studies/two.yaml"]


def test_a_folder_without_studies_is_no_mistake(tmp_path) -> None:
    assert found(tmp_path) == []


@pytest.mark.parametrize("absolute", [False, True])
def test_patterns_are_relative_or_absolute(project, absolute) -> None:
    prefix = f"{project}/" if absolute else ""
    assert found(project, studies=f"{prefix}one/*.yaml") == ["one/other.yaml", "one/study.yaml"]


def test_a_study_named_twice_is_loaded_once(project) -> None:
    assert found(project, studies=f"study.yaml:*.yaml:{project}/one/../study.yaml") == [
        "study.yaml"
    ]


@pytest.mark.parametrize("name", ["a[b]", "a*c", "what?"])
def test_the_path_of_a_file_is_no_pattern(project, name) -> None:
    (project / name).mkdir()
    (project / name / "study.yaml").touch()
    assert found(project, studies=f"{name}/study.yaml") == [f"{name}/study.yaml"]


def test_files_are_named_as_they_are(project, monkeypatch) -> None:
    monkeypatch.setenv("ITEMEVAL_ASSETS_STUDY_FILES", '["one/study.yaml", "a:[b]/gone.yaml"]')
    assert found(project, studies="study.yaml") == ["one/study.yaml", "a:[b]/gone.yaml"]


def test_the_ui_has_the_addresses_of_the_settings(monkeypatch) -> None:
    monkeypatch.setenv("ITEMEVAL_ASSETS_UI_URL", "https://evals.example.org")
    monkeypatch.setenv("ITEMEVAL_ASSETS_UI_ORIGINS", "http://localhost:8080, http://lab:3000,")
    assert Settings().ui_addresses() == [
        "https://evals.example.org",
        "http://localhost:8080",
        "http://lab:3000",
    ]


def test_a_named_file_that_is_not_there_is_not_passed_over(project) -> None:
    assert found(project, studies="studdy.yaml") == ["studdy.yaml"]


def test_settings_come_from_the_environment(project, monkeypatch) -> None:
    monkeypatch.setenv("ITEMEVAL_ASSETS_ROOT", str(project))
    monkeypatch.setenv("ITEMEVAL_ASSETS_STUDIES", "one/study.yaml")
    monkeypatch.setenv("ITEMEVAL_ASSETS_OWNERS", "team:evals, ann@example.org,")
    settings = Settings()
    assert settings.study_paths() == [project / "one" / "study.yaml"]
    assert settings.owner_list() == ["team:evals", "ann@example.org"]


def test_the_dagster_home_is_the_nearest_above_else_beside(tmp_path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert nearest_dagster_home(inner) == inner / "dagster_home"
    (tmp_path / "dagster_home").mkdir()
    (tmp_path / "dagster_home" / "dagster.yaml").touch()
    assert nearest_dagster_home(inner) == tmp_path / "dagster_home"


def test_the_repository_has_the_dagster_yaml_that_projects_get() -> None:
    packaged = files("itemeval_assets") / "builtin" / "dagster.yaml"
    own = ROOT / "dagster_home" / "dagster.yaml"
    assert own.read_text("utf-8") == packaged.read_text("utf-8")
