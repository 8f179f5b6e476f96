"""The scripts find uv where the Makefile has it, and say what to install where there is none."""

from pathlib import Path

import pytest

from scripts import uv, wheel


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


def test_a_python_that_was_skipped_fails_the_trial_of_the_wheel(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(wheel, "found_uv", lambda: "uv")
    monkeypatch.setattr(wheel, "_run", lambda folder, *_: (folder / "own.whl").touch())
    monkeypatch.setattr(wheel, "_is_there", lambda _, python: python == "3.11")
    monkeypatch.setattr(wheel, "_install", lambda *_: (1.0, 2.0))
    monkeypatch.setattr(wheel, "_use", lambda *_: None)
    monkeypatch.setattr("sys.argv", ["wheel", "--python", "3.11"])
    wheel.main()
    monkeypatch.setattr("sys.argv", ["wheel", "--python", "3.11", "3.12"])
    with pytest.raises(SystemExit, match="the skipped ones were not tried"):
        wheel.main()
    said = capsys.readouterr().out
    assert "Python 3.12: not on this machine; skipped" in said and said.count("it runs") == 2
