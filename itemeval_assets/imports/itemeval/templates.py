"""The words of itemeval's packaged templates, by the hash that its rows have of them."""

from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa

from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import TemplateError
from itemeval_assets.core.imports.templates import Shown, rebuilt
from itemeval_assets.core.prompts.templates import BUILTIN, Template, make_template
from itemeval_assets.storage.study.inputs.template_lock import Kept
from itemeval_assets.storage.study.inputs.templates import packaged_template

from .source import Source

# Where itemeval has its templates, by kind.
_PACKAGED = {"prompts": "prompts/solver", "rubrics": "rubrics"}
# {name: the hashes that rows have, the newest first}
Hashes = Mapping[str, list[str]]
# What models were shown by a template: of a kind, a name and a hash.
ShownBy = Callable[[str, str, str], list[Shown]]


def hashes_in(source: Source) -> Mapping[str, Hashes]:
    """The hashes of templates in the rows of a study, by kind and name."""
    solutions, gradings = source.solutions, source.gradings
    return {
        "prompts": _hashes(solutions, "prompt_name", "prompt_hash"),
        "rubrics": _hashes(gradings, "rubric_name", "rubric_hash"),
    }


def _hashes(rows: pa.Table, name: str, digest: str) -> Hashes:
    found: dict[str, list[str]] = {}
    newest_first = rows.select([name, digest, "created_at"]).sort_by([("created_at", "descending")])
    for row in newest_first.to_pylist():
        if row[name] and row[digest] not in found.setdefault(row[name], []):
            found[row[name]].append(row[digest])
    return found


def words_of(
    config: StudyConfig, hashes: Mapping[str, Hashes], kept_before: Kept, shown_by: ShownBy
) -> Kept:
    """The packaged templates of a config that have other words in the source, with these words.

    Those that an import before has kept; else of an installed itemeval, else from its logs.
    Raises TemplateError for one that is in none.
    """
    named = {"prompts": config.facets.prompt, "rubrics": config.facets.rubric}
    kept: dict[str, dict[str, Template]] = {}
    for kind, names in named.items():
        for name in (one for one in names if one.startswith(BUILTIN)):
            known, ours = hashes[kind].get(name, []), packaged_template(name, kind)
            if known and (ours is None or ours.hash not in known):
                before = kept_before[kind].get(name)
                if before is None or before.hash not in known:
                    before = _found(kind, name, known, shown_by)
                kept.setdefault(kind, {})[name] = before
    return {kind: kept.get(kind, {}) for kind in named}


def _found(kind: str, name: str, hashes: Iterable[str], shown_by: ShownBy) -> Template:
    for digest in hashes:
        installed = _installed(kind, name)
        if installed and installed.hash == digest:
            return installed
        shown = shown_by(kind, name, digest)
        if shown and (text := rebuilt(shown, digest, has_notice=kind == "rubrics")) is not None:
            return make_template(name, name, text)
    raise TemplateError(
        f"{name}: its words, of the hash {', '.join(hashes)}, are neither in an installed itemeval "
        "nor in the logs of the study. Install the itemeval that made the study beside "
        "itemeval-assets, and import again. Nothing was taken"
    )


def _installed(kind: str, name: str) -> Template | None:
    """The template of an installed itemeval, which is not loaded; null where there is none."""
    spec = find_spec("itemeval")
    if spec is None or not spec.origin:
        return None
    folder = Path(spec.origin).parent / "_builtin" / _PACKAGED[kind]
    path = folder / f"{name.removeprefix(BUILTIN)}.md"
    try:
        return make_template(name, name, path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


def require_same_files(study: Study, hashes: Mapping[str, Hashes]) -> None:
    """Raise TemplateError where a local template is another one than rows were made with."""
    prompts = [condition.prompt for condition in study.design.generate]
    for kind, templates in (("prompts", prompts), ("rubrics", study.design.rubrics)):
        for template in {one.name: one for one in templates}.values():
            known = hashes[kind].get(template.name, [])
            if known and template.hash not in known and template.source == "local":
                raise TemplateError(
                    f"{template.path} has the hash {template.hash}, and the rows of the study "
                    f"were made with {', '.join(known)}. Restore the file as it was, and import "
                    "again; edit it afterwards. Nothing was taken"
                )
