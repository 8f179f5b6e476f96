"""The scripts find uv where the Makefile has it, and say what to install where there is none."""

from pathlib import Path

import pytest

from scripts import uv


def test_uv_is_the_one_of_the_makefile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UV", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(uv, "OWN", tmp_path / "own" / "uv")
    with pytest.raises(SystemExit, match="run `make setup`, or `pip install uv`"):
        uv.found_uv()
    uv.OWN.parent.mkdir()
    uv.OWN.touch()
    assert uv.found_uv() == str(uv.OWN)
    (tmp_path / "uv").touch(mode=0o755)
    assert uv.found_uv() == str(tmp_path / "uv")
    monkeypatch.setenv("UV", "/given/uv")
    assert uv.found_uv() == "/given/uv"
