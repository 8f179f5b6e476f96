"""The command `ui` before it serves anything: what it refuses, and what it hands over."""

import json
import queue
import socket
import time
import webbrowser
from pathlib import Path

import pytest

from itemeval_assets.cli.main import run_cli
from itemeval_assets.defs.build import load_studies
from itemeval_assets.instances.instance import make_home
from itemeval_assets.settings import Settings
from itemeval_assets.ui import command
from itemeval_assets.ui.addresses import listening
from tests.studies import write_study


def test_a_busy_port_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_study(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert run_cli(["ui", str(config), "--port", str(port)]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert f"port {port} of 127.0.0.1 cannot be used: Address already in use" in told
    assert "choose another port with --port" in told
    assert list(tmp_path.glob("dagster_home")) == []


def test_the_ui_listens_on_this_machine_alone() -> None:
    with listening(0, "another UI") as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_a_wrong_address_in_the_settings_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ITEMEVAL_ASSETS_UI_ORIGINS", "evals.example.org")
    assert run_cli(["ui", str(write_study(tmp_path)), "--port", "0"]) == 2
    assert "ITEMEVAL_ASSETS_UI_ORIGINS" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("STUDY_FILES", "x", "this is not valid JSON"),
        ("EXECUTOR", "x", "Input should be 'in_process', 'multiprocess' or 'celery'; found 'x'"),
    ],
)
def test_a_wrong_setting_is_named(
    name: str,
    value: str,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(f"ITEMEVAL_ASSETS_{name}", value)
    assert run_cli(["ui", "--port", "0"]) == 2
    assert capsys.readouterr().err == f"error: ITEMEVAL_ASSETS_{name}: {says}\n"


def test_any_path_is_handed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configs = [write_study(tmp_path / name) for name in ("a [b] c:d é", '*?"', "plain")]
    _, environment = command._chosen(configs)
    monkeypatch.setenv("ITEMEVAL_ASSETS_STUDY_FILES", environment["ITEMEVAL_ASSETS_STUDY_FILES"])
    monkeypatch.setenv("ITEMEVAL_ASSETS_STUDIES", "never:read")
    assert Settings().study_paths() == configs
    assert json.loads(environment["ITEMEVAL_ASSETS_STUDY_FILES"]) == list(map(str, configs))


def test_a_broken_study_is_handed_over_beside_a_sound_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = write_study(tmp_path / "sound", study="sound")
    broken = write_study(tmp_path / "torn", study="torn", extra={"facetts": {}})
    for configs in ([sound, broken], [broken, sound]):
        folder, environment = command._chosen(configs)
        assert folder == configs[0].parent
        files = environment["ITEMEVAL_ASSETS_STUDY_FILES"]
        monkeypatch.setenv("ITEMEVAL_ASSETS_STUDY_FILES", files)
        found = load_studies(Settings())
        assert [study.config_path for study in found.studies] == [sound]
        assert [(one.path, "'facets'" in one.problem) for one in found.broken] == [(broken, True)]


@pytest.mark.parametrize("named", [True, False])
def test_histories_that_are_not_shown_are_said(
    named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "_MODULE", "colorsys")  # ends at once, and says nothing
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    a, b, c = (write_study(tmp_path / name, study=name) for name in "abc")
    for own in (a, b):
        make_home(own.parent / "dagster_home")
    arguments = ["ui", *(map(str, (a, b, c)) if named else ()), "--port", "0"]
    assert run_cli(arguments) == 0
    said = capsys.readouterr().err
    home = a.parent / "dagster_home" if named else tmp_path / "dagster_home"
    assert f"the UI shows the history in {home}." in said
    assert (
        f"  {b}: its runs are in {b.parent / 'dagster_home'}\n" in said and "DAGSTER_HOME" in said
    )
    # Beside the home that is used, c gets one of its own; below it, it does not.
    assert (f"  {c}: its runs are in {c.parent / 'dagster_home'}\n" in said) == named
    assert (f"  {a}:" in said) == (not named)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "one"))
    assert run_cli(arguments) == 0
    assert capsys.readouterr().err == ""


def test_studies_of_one_home_need_no_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "_MODULE", "colorsys")
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    make_home(tmp_path / "dagster_home")
    configs = [write_study(tmp_path / name, study=name) for name in "ab"]
    assert run_cli(["ui", *map(str, configs), "--port", "0"]) == 0
    assert capsys.readouterr().err == ""


def test_open_opens_the_page_of_the_first_study_once_it_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: queue.Queue[str] = queue.Queue()
    monkeypatch.setattr(command, "_MODULE", "tests.ui.slow_page")
    monkeypatch.setattr(webbrowser, "open", opened.put)
    configs = [
        write_study(tmp_path / "broken", extra={"facetts": {}}),
        *(write_study(tmp_path / name, study=name) for name in ("a-1", "b")),
    ]
    assert run_cli(["ui", *map(str, configs), "--port", "0", "--open"]) == 0
    page = "/locations/itemeval_assets.definitions/asset-groups/a_1/lineage"
    assert (tmp_path / "broken" / "asked.txt").read_text() == page
    address = opened.get(timeout=10)
    assert address.startswith("http://127.0.0.1:") and address.endswith(page)
    # put answers None, as a machine without a browser answers False.
    said, until = "", time.monotonic() + 10
    while "\n" not in said and time.monotonic() < until:
        said += capsys.readouterr().err
    assert said == f"note: no browser was found; open {address}\n"


def test_where_every_named_study_is_broken_the_messages_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configs = [write_study(tmp_path / name, extra={"facetts": {}}) for name in ("a", "b")]
    assert run_cli(["ui", *map(str, configs), "--port", "0"]) == 2
    said = capsys.readouterr().err
    assert all(str(config) in said for config in configs)
    # A file that is not there is a slip, whatever stands beside it.
    assert run_cli(["ui", str(write_study(tmp_path)), "gone.yaml", "--port", "0"]) == 2
    assert "there is no config file" in capsys.readouterr().err


def test_where_no_study_is_the_command_says_how_to_name_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_cli(["ui", "--port", "0"]) == 2
    assert "no study is found in" in capsys.readouterr().err


def test_a_home_that_dagster_cannot_use_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also what a run in the terminal never needs: where runs of the UI are launched."""
    home = tmp_path / "dagster_home"
    home.mkdir()
    (home / "dagster.yaml").write_text("run_launcher: {module: dagster, class: Nope}")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    assert run_cli(["ui", str(write_study(tmp_path)), "--port", "0"]) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "dagster.yaml cannot be used" in told and "Nope" in told
