"""What inspect_ai says of what is missing, in one line, with advice for this installation."""

import os
import re

from itemeval_assets.core.text.secrets import without_secrets
from itemeval_assets.host.installation import how_to_install


def advised(message: str) -> str:
    """What inspect says of a key or package that is missing, with advice. That on packages is for
    this very Python: inspect's own is a bare `pip install`, which may mean another one."""
    if key := re.search(r"\bNo (\w+_API_KEY)\b", message):
        return f"there is no API key; put it into the environment variable {key[1]}"
    advice = re.fullmatch(r"(.*?)\. (?:Install|Upgrade) [\w ]*: pip install (.+)", message)
    if advice is None:
        return message
    wanted = advice[2].split()
    packages = ", ".join(word for word in wanted if not word.startswith("-"))
    return f"{advice[1]}; install {packages} with: {how_to_install(*wanted)}"


def one_line(error: Exception) -> str:
    """An error of inspect without its terminal markup and line breaks."""
    text = str(getattr(error, "message", None) or error)
    text = re.sub(r"\[/?[a-z ]*\]", "", text)
    return without_secrets(" ".join(text.removeprefix("ERROR:").split()), os.environ)
