"""Images of items: paths, addresses, bytes and the features of the hub; and what is refused."""

import base64
import io
import json
import os
import re
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import datasets
import pytest
from PIL import Image

from itemeval_assets.core.errors import DatasetError
from itemeval_assets.core.prompts.images import name_of
from itemeval_assets.engine.data.datasets import load_items
from itemeval_assets.engine.data.images import ImageReader

from .test_datasets import WRITERS, benchmark


def png(shade: int) -> bytes:
    out = io.BytesIO()
    Image.new("L", (2, 2), shade).save(out, "PNG")
    return out.getvalue()


RED, BLUE = png(10), png(200)


def loaded(
    base: Path,
    values: list[Any],
    name: str = "items.jsonl",
    known: dict[tuple[str, str], list[str]] | None = None,
    is_kept: bool = True,
) -> tuple[list[list[str]], dict[str, bytes]]:
    """The names of the images of each item, and what was kept."""
    rows = [{"id": f"q{n}", "question": "?", "picture": value} for n, value in enumerate(values)]
    (base / name).parent.mkdir(exist_ok=True)
    WRITERS[Path(name).name](base / name, rows)
    plain = {"target": None, "grading_scheme": None, "metadata": [], "images": "picture"}
    kept: dict[str, bytes] = {}
    found = benchmark({"id": name}, **plain)
    items = load_items(found, {name: "r0"}, base, kept.__setitem__ if is_kept else None, known).rows
    return [json.loads(item["metadata_json"])["images"] for item in items], kept


def test_paths_are_relative_to_the_file_of_the_data(tmp_path: Path) -> None:
    (tmp_path / "data" / "pictures").mkdir(parents=True)
    (tmp_path / "data" / "pictures" / "red.png").write_bytes(RED)
    (tmp_path / "data" / "blue.png").write_bytes(BLUE)
    given = ["pictures/red.png", str(tmp_path / "data/blue.png"), "", None]
    names, kept = loaded(tmp_path, given, "data/items.jsonl")
    assert names == [[name_of(RED)], [name_of(BLUE)], [], []]
    assert kept == {name_of(RED): RED, name_of(BLUE): BLUE}


def test_a_list_of_images_keeps_its_order(tmp_path: Path) -> None:
    (tmp_path / "red.png").write_bytes(RED)
    uri = f"data:image/png;base64,{base64.b64encode(BLUE).decode()}"
    names, _ = loaded(tmp_path, [[uri, "red.png", uri]])
    assert names == [[name_of(BLUE), name_of(RED), name_of(BLUE)]]


@pytest.mark.parametrize("value", [RED, {"bytes": RED, "path": None}, [RED]])
def test_bytes_in_parquet(tmp_path: Path, value: Any) -> None:
    assert loaded(tmp_path, [value], "items.parquet")[0] == [[name_of(RED)]]


@pytest.mark.parametrize("is_list", [False, True])
def test_the_feature_of_a_dataset_of_the_hub(tmp_path: Path, is_list: bool) -> None:
    feature: Any = datasets.Image()
    values: list[Any] = [{"bytes": RED, "path": None}, {"bytes": BLUE, "path": None}]
    if is_list:
        feature, values = datasets.List(feature), [[value] for value in values]
    features = datasets.Features({"question": datasets.Value("string"), "picture": feature})
    rows = {"question": ["a", "b"], "picture": values}
    datasets.Dataset.from_dict(rows, features=features).save_to_disk(str(tmp_path / "saved"))
    mapping = {"id": None, "target": None, "grading_scheme": None, "metadata": []}
    found = benchmark({"id": "saved"}, adapter="hf", images="picture", **mapping)
    items = load_items(found, {"saved": "r0"}, tmp_path).rows
    names = [json.loads(item["metadata_json"])["images"] for item in items]
    assert names == [[name_of(RED)], [name_of(BLUE)]]


def test_data_of_the_hub_bring_no_file_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But those that the library has fetched itself."""
    (tmp_path / "red.png").write_bytes(RED)
    reader = ImageReader(None, None)
    for value in (str(tmp_path / "red.png"), {"bytes": None, "path": str(tmp_path / "red.png")}):
        with pytest.raises(ValueError, match="is a path, and a dataset of the hub has no folder"):
            reader.names(value, None)
    monkeypatch.setattr("datasets.config.HF_CACHE_HOME", str(tmp_path))
    assert reader.names({"bytes": None, "path": str(tmp_path / "red.png")}, None) == [name_of(RED)]


class _Quiet(SimpleHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012 (of one test)

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    _Quiet.asked = []
    (tmp_path / "red.png").write_bytes(RED)
    handler = partial(_Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_image_of_the_web_is_read_once(tmp_path: Path, web: str) -> None:
    address = f"{web}/red.png"
    assert loaded(tmp_path, [address], is_kept=False) == ([[address]], {})
    assert _Quiet.asked == []
    names, kept = loaded(tmp_path, [address])
    assert (names, kept) == ([[name_of(RED)]], {name_of(RED): RED})
    again = {("items.jsonl", "q0"): names[0]}
    assert loaded(tmp_path, [address], known=again) == (names, {})
    assert _Quiet.asked == ["/red.png"]
    with pytest.raises(
        DatasetError,
        match=r"item 'q0', column 'picture': cannot read http://.*none.png: HTTP Error 404",
    ):
        loaded(tmp_path, [f"{web}/none.png"])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            "none.png",
            "there is no image {base}/none.png; paths are relative to the file of the data",
        ),
        (".", "cannot read the image {base}: Is a directory"),
        ("text.png", "text.png is no image: it is neither PNG, JPEG, GIF nor WebP"),
        ("large.png", "{base}/large.png has 5,000,008 bytes; an image may have at most 5,000,000"),
        ("cut.png", "cut.png is no whole PNG, its end is missing: copy it once more"),
        ("pipe.png", "{base}/pipe.png is no file, but a pipe, a socket or a device"),
        ("zero.png", "{base}/zero.png is a link to /dev/zero, which is not in {base}"),
        ("out.png", "{base}/out.png is a link to {base.parent}/secret.png, which is not in {base}"),
        ("there/secret.png", "is a link to {base.parent}/secret.png, which is not in {base}"),
        ("round.png", "round.png is a link that leads nowhere"),
        ("dangling.png", "there is no image {base}/dangling.png"),
        (RED[:-1], "the image is no whole PNG"),
        (
            f"data:image/png;base64,{base64.b64encode(RED[:-9]).decode()}",
            "data URI is no whole PNG",
        ),
        ("http://127.0.0.1:9/a b.png", "cannot read http://127.0.0.1:9/a b.png: "),
        ("../x.png", "/x.png is not in {base}, the folder of the data; put the images there"),
        ("/etc/passwd", "/etc/passwd is not in {base}, the folder of the data"),
        ({"bytes": None, "path": "/etc/passwd"}, "/etc/passwd is not in {base}"),
        (7, "expected a path, an address or bytes of an image; found '7'"),
        ("data:image/png,xx", "a data URI of an image must be in base64"),
        ("data:image/png;base64,$", "a data URI of an image is no base64"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_the_item(
    tmp_path: Path, value: Any, message: str
) -> None:
    base = tmp_path / "data"
    base.mkdir()
    (base / "red.png").write_bytes(RED)
    (base / "text.png").write_text("text")
    (base / "large.png").write_bytes(RED[:8] + bytes(5_000_000))
    (base / "cut.png").write_bytes(RED[:-4])
    os.mkfifo(base / "pipe.png")
    (tmp_path / "secret.png").write_bytes(RED)
    links = {
        "zero.png": "/dev/zero",
        "out.png": "../secret.png",
        "there": "..",
        "round.png": "round.png",
    }
    for name, place in {**links, "dangling.png": "gone.png"}.items():
        (base / name).symlink_to(place)
    with pytest.raises(DatasetError) as caught:
        if isinstance(value, bytes):
            loaded(base, [RED, value], "items.parquet")
        loaded(base, ["red.png", value])
    told = str(caught.value)
    assert re.match(
        "benchmark.mapping.images: dataset 'items.*', (line|row) 2: item 'q1', column 'picture': ",
        told,
    )
    assert message.format(base=base) in told


def picture(kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((40, 30), 90).convert("RGB").save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"restart_marker_blocks": 2}),
        ("JPEG", {"exif": b"Exif\x00\x00" + 50 * b"\xff\xd9"}),
        ("GIF", {}),
        ("GIF", {"save_all": True, "append_images": [Image.new("RGB", (40, 30))]}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
    ],
)
def test_images_are_taken_that_go_to_their_end(
    tmp_path: Path, kind: str, options: dict[str, Any]
) -> None:
    data = picture(kind, **options)
    reader = ImageReader(tmp_path, None)
    assert reader.names([data, data + b"more"], None)[0] == name_of(data)
    if kind == "GIF":
        assert reader.names(data[:-1], None)  # which all programs show, too
    for length in (len(data) - 3, len(data) // 2, len(data) // 4):
        with pytest.raises(ValueError, match=f"the image is no whole {kind}"):
            reader.names(data[:length], None)


def test_a_link_within_the_folder_of_the_data_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "red.png").write_bytes(RED)
    (tmp_path / "by_link").symlink_to("real")
    assert loaded(tmp_path, ["by_link/red.png"])[0] == [[name_of(RED)]]
