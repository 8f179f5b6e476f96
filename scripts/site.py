"""Lays the pages of the site into build/pages, where MkDocs finds them (`make docs`).

These are docs/, the README and its neighbours, and the examples. All are Markdown that a forge
shows as it is: here links between folders follow the pages, and code in tables is mended.
"""

import re
import shutil
from pathlib import Path

__all__ = ["lay_pages"]

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "build" / "pages"
NEIGHBOURS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE")


def lay_pages(target: Path) -> None:
    """Write all pages and pictures into a folder, which is made anew."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(ROOT / "docs", target)
    for page in target.glob("*.md"):
        page.write_text(_as_page(page.read_text("utf-8"), "../"), "utf-8")
    for name in NEIGHBOURS:
        text = (ROOT / name).read_text("utf-8")
        (target / name).write_text(_as_page(text, "docs/"), "utf-8")
    for readme in sorted((ROOT / "examples").glob("*/README.md")):
        page = target / readme.relative_to(ROOT)
        page.parent.mkdir(parents=True)
        text = _as_page(readme.read_text("utf-8"), "docs/")
        page.write_text(text + _study_beside(readme), "utf-8")


def _as_page(text: str, folder: str) -> str:
    """Links without the folder that is no folder of the site; tables as MkDocs reads them."""
    text = re.sub(rf"\]\(((?:\.\./)*){re.escape(folder)}", r"](\1", text)
    return re.sub(r"^\|.*", _row, text, flags=re.M)


def _row(row: re.Match[str]) -> str:
    """Escapes that a forge wants, and MkDocs would show: of `<`, and of a bar within code."""
    text = row[0].replace("\\<", "&lt;")
    return re.sub(r"`[^`]*`", lambda code: code[0].replace("\\|", "|"), text)


def _study_beside(readme: Path) -> str:
    """The study of an example, which a forge shows beside its README."""
    (study,) = readme.parent.rglob("study.yaml")
    name = study.relative_to(readme.parent).as_posix()
    return f"\n## {name}\n\n```yaml\n{study.read_text('utf-8')}```\n"


if __name__ == "__main__":
    lay_pages(PAGES)
