"""The screens of docs/side-by-side.md: one task by inspect_ai alone, and as a study.

`python -m tests.first_hour.side_by_side` writes the page with its screens anew. The text between
them is written by hand.
"""

import os
import re
import tempfile
from pathlib import Path
from unittest.mock import patch

from tests.model_server import ModelServer, Request

from .tutorial import Reader

__all__ = ["PAGE", "followed"]

PAGE = Path(__file__).parents[2] / "docs" / "side-by-side.md"


def followed(page: str, folder: Path) -> str:
    """The page with the screens that its commands have on a server of these models."""
    with ModelServer(reply=_reply) as server:
        places = {"LOCAL_BASE_URL": server.base_url, "LOCAL_API_KEY": "none"}
        with patch.dict(os.environ, places):
            return Reader(folder).follow(page)


def _reply(request: Request) -> str:
    """The large model is right, the small one errs each third time, the judge adds itself."""
    first, second = map(int, re.findall(r"What is (\d+) \+ (\d+)", request.prompt)[-1])
    right = first + second
    if request.model == "judge":
        is_right = f"makes {right}." in request.prompt
        return f"The sum is {right}.\n\nGRADE: {'C' if is_right else 'I'}"
    return f"That makes {right if request.model == 'large' or first % 3 else right + 1}."


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = followed(PAGE.read_text("utf-8"), Path(folder).resolve())
    PAGE.write_text(made, "utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
