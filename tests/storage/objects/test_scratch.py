"""Folders of this machine beside the study's own: where they cannot be written, that is said."""

import errno
import tempfile
from pathlib import Path

import pytest

from itemeval_assets.core.errors import StoreError
from itemeval_assets.storage.objects.backends import open_backend
from itemeval_assets.storage.objects.scratch import scratch_folder


def test_a_temporary_folder_that_cannot_be_made_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    told = pytest.raises(StoreError, match=rf"cannot write in {tmp_path}/gone.*set TMPDIR")
    with told, scratch_folder():
        raise AssertionError("nothing can be made there")


def test_a_temporary_folder_that_is_full_is_named_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    told = pytest.raises(StoreError, match=rf"cannot write in {tmp_path}.*No space left on device")
    with told, scratch_folder() as folder:
        (folder / "half").write_text("ha")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_logs_of_a_study_in_a_bucket_need_a_folder_here(
    tmp_path: Path, s3_location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    told = pytest.raises(StoreError, match=rf"cannot write {tmp_path}/file.*set XDG_CACHE_HOME")
    with told, open_backend(s3_location).workspace("logs/running"):
        raise AssertionError("no call is made")
