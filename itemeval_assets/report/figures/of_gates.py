"""The document of a gate; as Markdown for a pull request, and as JUnit XML for a CI service."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.text.words import printable
from itemeval_assets.report.render.document import Document, require_format, write_text
from itemeval_assets.report.render.records import shown
from itemeval_assets.report.views import View, gate_view

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.gates.records import Judged, StudyGate

__all__ = ["gate", "require_gate_file", "write_gate"]

_FORMATS = (".md", ".xml")


def gate(found: "StudyGate") -> Document:
    """The verdict, a row for each candidate and grader, and what is said of each."""
    view = _view(found)
    return Document(f"Gate of {found.study}", [*found.notes, _headline(found), view, *_said(found)])


def require_gate_file(path: Path, study: str) -> None:
    """Raise ConfigError for a file that is no Markdown or XML, or that is not of this gate."""
    require_format(path, *_FORMATS)
    if not path.exists():
        return
    try:
        start = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ConfigError(f"--out {path}: this file cannot be read ({error.strerror})") from error
    if start.strip() and _mark(study) not in start:
        raise ConfigError(
            f"--out {path}: this file is no gate of {study}, and would be lost; give another name,"
            " or remove the file first"
        )


def write_gate(found: "StudyGate", path: Path) -> None:
    """As the name of the file says: Markdown or JUnit XML."""
    write_text(_junit(found) if path.suffix.lower() == ".xml" else _markdown(found), path)


def _mark(study: str) -> str:
    """What both files have in their first lines."""
    return f"itemeval-assets gate of {study}"


def _view(found: "StudyGate") -> View:
    return gate_view(found.judged, f"gate of {found.study}")


def _headline(found: "StudyGate") -> str:
    return (
        f"{found.verdict}: against {found.against}, margin {found.margin:g} in units of the score,"
        f" one-sided bounds at {100 * found.level:g} %"
        + (f", items clustered by {found.cluster}." if found.cluster else ".")
    )


def _said(found: "StudyGate") -> list[str]:
    return [" ".join([f"By {one.graded_by}:", one.says, *one.words]) for one in found.judged]


def _markdown(found: "StudyGate") -> str:
    rows = shown(_view(found))
    heads = list(rows[0])
    table = [heads, ["---"] * len(heads), *([str(row[name]) for name in heads] for row in rows)]
    return "\n".join(
        [
            f"<!-- {_mark(found.study)} -->",
            f"## {found.verdict}: {_cell(found.study)} against {_cell(found.against)}",
            "",
            _plain(_headline(found).partition(": ")[2].capitalize()),
            "",
            *("| " + " | ".join(map(_cell, line)) + " |" for line in table),
            "",
            *(f"- {_plain(line)}" for line in [*_said(found), *found.notes]),
            "",
        ]
    )


def _plain(text: str) -> str:
    """Text of a study, without what Markdown or HTML would make of it."""
    escaped = printable(" ".join(text.split()))
    for sign in "\\`*_[]<>#|":
        escaped = escaped.replace(sign, f"\\{sign}")
    return escaped


def _cell(text: str) -> str:
    return text if set(text) == {"-"} else _plain(text)


def _junit(found: "StudyGate") -> str:
    """A test case for each candidate and grader: FAIL is a failure, INCONCLUSIVE an error."""
    verdicts = [one.verdict for one in found.judged]
    counts = {
        "tests": len(verdicts),
        "failures": verdicts.count("FAIL"),
        "errors": verdicts.count("INCONCLUSIVE"),
    }
    cases = "".join(map(_case, found.judged))
    suite = _element("testsuite", {"name": found.study, **counts}, f"\n{cases}  ")
    suites = _element("testsuites", {"name": _mark(found.study), **counts}, f"\n  {suite}\n")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{suites}\n'


def _case(one: "Judged") -> str:
    said = _escaped(" ".join([one.says, *one.words]))
    if one.verdict == "PASS":
        told = _element("system-out", {}, said)
    else:
        kind = "failure" if one.verdict == "FAIL" else "error"
        told = _element(kind, {"type": one.verdict, "message": one.says}, said)
    names = {"classname": one.graded_by, "name": f"{one.candidate} / {one.against}"}
    return f"    {_element('testcase', names, told)}\n"


def _element(name: str, attributes: Mapping[str, str | int], body: str) -> str:
    """`body` is XML already."""
    given = "".join(f' {key}="{_escaped(str(value))}"' for key, value in attributes.items())
    return f"<{name}{given}>{body}</{name}>"


def _escaped(text: str) -> str:
    """Text of a study, without control characters, which XML has no form for."""
    return escape(printable(text).encode("utf-8", "replace").decode())
