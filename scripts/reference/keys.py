"""docs/keys.md: all keys of the YAML, from the models that read it."""

from pathlib import Path

from itemeval_assets.core.config.reference import Key, all_keys

__all__ = ["PAGE", "page"]

PAGE = Path(__file__).parents[2] / "docs" / "keys.md"
HEAD = """\
# All keys of the study file

`python -m scripts.reference` makes this page from the models that read the file. `[]` stands for an entry of a list,
`<name>` for a name of yours. [The study file](study.md) explains what belongs together. `itemeval-assets schema` prints the
same as a JSON Schema: editors that know it complete keys and mark mistakes.

Another value of a key with \u25cf makes new conditions, and the old rows stay. Models, templates, model configs and graders are
levels of the design: each makes conditions of its own. No other key changes an id.

| key | meaning | type | default | bounds | example |
|---|---|---|---|---|---|
"""  # noqa: E501


def page() -> str:
    """The page as it has to be."""
    return HEAD + "".join(map(_row, all_keys()))


def _row(key: Key) -> str:
    mark = " \u25cf" if key.in_id else ""
    default = key.default if key.default == "required" else f"`{key.default}`"
    meaning = key.meaning.replace("<", "\\<")
    cells = (f"`{key.path}`{mark}", meaning, key.kind, default, key.bounds, f"`{key.example}`")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
