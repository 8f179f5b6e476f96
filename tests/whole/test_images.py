"""Images of items, from the file to the request; stored once, on a disk and in a bucket."""

import base64
import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import itemeval_assets as ie
from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.prompts.images import data_uri, name_of
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.storage.study.store import open_store
from tests.engine.data.test_images import BLUE, RED
from tests.model_server import ModelServer

from .conftest import HasRun, Serve
from .looking import assert_reconciled, results_dir, rows
from .test_data import contents
from .test_prompts import declare

ITEMS = [
    {"id": "q1", "question": "Which colour?", "answer": 1, "picture": "pictures/red.png"},
    {
        "id": "q2",
        "question": "Which two?",
        "answer": 2,
        "picture": ["blue.png", "pictures/red.png"],
    },
    {"id": "q3", "question": "None?", "answer": 3, "picture": None},
]
URIS = {data: data_uri(name_of(data), data) for data in (RED, BLUE)}


def pictured(folder: Path, **changes: Any) -> Path:
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    (folder / "pictures" / "red.png").write_bytes(RED)
    (folder / "blue.png").write_bytes(BLUE)
    mapping = {"images": "picture", **changes.pop("mapping", {})}
    return declare(folder, changes.pop("template", "{input}"), ITEMS, mapping, **changes)


def shown(server: ModelServer) -> dict[str, list[str]]:
    """The images of each request, by its text."""
    found = {}
    for request in server.requests:
        content = request.messages[-1]["content"]
        parts: list[Any] = (
            [{"type": "text", "text": content}] if isinstance(content, str) else content
        )
        *images, text = parts
        found[text["text"]] = [part["image_url"]["url"] for part in images]
    return found


def mocked(folder: Path) -> Path:
    return pictured(folder, models=["mockllm/a"])


def stored(config: Path) -> list[str]:
    return open_store(load_study(config)).backend.list("images")


@pytest.mark.parametrize("place", [pytest.param("disk", marks=pytest.mark.long), "bucket"])
def test_images_are_sent_with_the_last_turn_and_stored_once(
    tmp_path: Path, serve: Serve, request: pytest.FixtureRequest, place: str
) -> None:
    server = serve()
    location = request.getfixturevalue("s3_location") if place == "bucket" else "studies"
    config = pictured(tmp_path, replications=2, extra={"output_dir": location})
    assert api.run(config, max_usd=math.inf).exit_code == 0
    assert shown(server) == {
        "Which colour?": [URIS[RED]],
        "Which two?": [URIS[BLUE], URIS[RED]],
        "None?": [],
    }
    assert stored(config) == sorted(f"images/{name_of(data)}" for data in (RED, BLUE))
    assert api.run(config, max_usd=math.inf).calls == 0
    assert_reconciled(config)
    kept = [json.loads(row["metadata_json"])["images"] for row in rows(config, "items")]
    assert kept == [[name_of(RED)], [name_of(BLUE), name_of(RED)], []]


def test_the_cache_knows_an_image_and_the_log_leaves_it_out(tmp_path: Path, serve: Serve) -> None:
    server = serve()
    config = pictured(tmp_path)
    api.run(config, max_usd=math.inf)
    for log in results_dir(config).rglob("*.eval"):
        assert base64.b64encode(RED)[:40] not in _unzipped(log)
    shutil.rmtree(results_dir(config) / "solutions.parquet")
    server.reset_counts()
    asked = api.run(config, max_usd=math.inf)
    assert server.count() == 0 and asked.recovered == 3
    shutil.rmtree(results_dir(config))
    assert api.estimate(config).remaining.calls == 3  # the images are not stored: nobody can look
    assert api.run(config, max_usd=math.inf).cached == 3 and server.count() == 0
    assert len(stored(config)) == 2


def _unzipped(log: Path) -> bytes:
    folder = log.with_suffix(".unzipped")
    shutil.unpack_archive(log, folder, "zip")
    found = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    shutil.rmtree(folder)
    return found


@pytest.mark.long
def test_chats_and_turns_have_their_images_in_the_last_turn(tmp_path: Path, serve: Serve) -> None:
    server = serve()
    template = "<|system|>\nLook.\n<|user|>\n1?\n<|assistant|>\n1\n<|user|>\n{input}\n"
    api.run(pictured(tmp_path, template=template), max_usd=math.inf)
    assert shown(server)["Which colour?"] == [URIS[RED]]
    assert {tuple(one["role"] for one in request.messages) for request in server.requests} == {
        ("system", "user", "assistant", "user")
    }


def test_a_changed_image_is_refused_until_it_is_restored(
    has_run: HasRun, capsys: pytest.CaptureFixture[str]
) -> None:
    config = has_run("mocked", mocked)
    (config.parent / "blue.png").write_bytes(RED)
    for command in ("run", "estimate"):
        capsys.readouterr()
        assert run_cli([command, str(config), *(["--force"] * (command == "run"))]) == 2
        assert "an image of item 'q2' of 'items.jsonl' changed" in capsys.readouterr().err
    (config.parent / "blue.png").write_bytes(BLUE)
    assert run_cli(["run", str(config), "--force"]) == 0


@pytest.mark.parametrize("command", ["run", "estimate"])
def test_a_missing_image_ends_before_any_call(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    config = pictured(tmp_path, models=["mockllm/a"])
    (tmp_path / "blue.png").unlink()
    assert run_cli([command, str(config)]) == 2
    told = capsys.readouterr()
    assert (
        "line 2: item 'q2', column 'picture': there is no image" in told.err
        and "blue.png" in told.err
    )
    assert "Traceback" not in told.out + told.err
    assert contents(results_dir(config)) == []


@pytest.mark.long
def test_an_image_that_is_gone_from_the_study_is_stored_anew(has_run: HasRun) -> None:
    config = has_run("mocked", mocked)
    for name in stored(config):
        (results_dir(config) / name).unlink()
    assert api.run(config, force=True, max_usd=math.inf).exit_code == 0
    assert len(stored(config)) == 2


@pytest.mark.long
def test_another_column_of_images_is_another_condition(has_run: HasRun) -> None:
    folder = has_run("mocked", mocked).parent
    items = [{**item, "other": "blue.png"} for item in ITEMS]
    (folder / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    mapping = {"images": "other"}
    found = load_study(pictured(folder, models=["mockllm/a"], mapping=mapping))
    assert found.design.generate[0].payload["images"] == "other"


def test_estimates_say_that_images_are_not_counted(tmp_path: Path) -> None:
    config = pictured(tmp_path, models=["mockllm/a"])
    assert any(told.startswith("images are not counted") for told in api.estimate(config).warnings)
    plain = declare(tmp_path / "plain", "{input}", ITEMS, {}, models=["mockllm/a"])
    assert not any("images" in told for told in api.estimate(plain).warnings)


def test_show_names_the_images_of_an_item_and_a_page_shows_them(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    serve()
    config = pictured(tmp_path)
    assert api.run(config, max_usd=math.inf).exit_code == 0
    lies = [f"{results_dir(config)}/images/{name_of(data)}" for data in (BLUE, RED)]
    [two, none] = ie.item_answers(config, ["q2", "q3"])
    assert (two.images, none.images) == (lies, [])
    capsys.readouterr()
    page = tmp_path / "q2.html"
    assert run_cli(["show", str(config), "q2", "--out", str(page)]) == 0
    said = "".join(capsys.readouterr().out.split())
    assert all(f"Image:{address}" in said for address in lies)
    assert re.findall('<img src="([^"]*)" alt="image of', page.read_text()) == [
        URIS[BLUE],
        URIS[RED],
    ]
    Path(lies[0]).unlink()
    assert run_cli(["show", str(config), "q2", "--out", str(page)]) == 0
    assert URIS[BLUE] not in page.read_text() and "is gone" in page.read_text()
