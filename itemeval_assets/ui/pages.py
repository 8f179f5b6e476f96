"""The page of a study in the web UI, and the browser that opens it."""

import threading
import time
import urllib.request
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from itemeval_assets.core.errors import ItemevalAssetsError
from itemeval_assets.core.text.words import as_identifier
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.host.browser import open_page

DEFINITIONS = "itemeval_assets.definitions"
_BETWEEN_LOOKS_S, _ANSWER_S = 0.3, 10


def page_of(configs: Iterable[Path]) -> str:
    """The path of the page with the graph of the first study that can be loaded."""
    for config in configs:
        with suppress(ItemevalAssetsError):
            group = as_identifier(load_study(config).name)
            return f"/locations/{DEFINITIONS}/asset-groups/{group}/lineage"
    return ""


def open_when_it_answers(address: str) -> None:
    """Open a page in the browser once its server answers; nobody waits for it."""
    threading.Thread(target=_open, args=(address,), daemon=True).start()


def _open(address: str) -> None:
    while not _answers(address):
        time.sleep(_BETWEEN_LOOKS_S)
    open_page(address)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=_ANSWER_S):
            return True
    except OSError:
        return False
