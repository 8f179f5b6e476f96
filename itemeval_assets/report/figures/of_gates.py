"""The document of a gate; as Markdown for a pull request, and as JUnit XML for a CI service."""

from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as xml

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
        "tests": str(len(verdicts)),
        "failures": str(verdicts.count("FAIL")),
        "errors": str(verdicts.count("INCONCLUSIVE")),
    }
    root = xml.Element("testsuites", {"name": _mark(found.study), **counts})
    suite = xml.SubElement(root, "testsuite", {"name": _xml(found.study), **counts})
    for one in found.judged:
        _case(suite, one)
    xml.indent(root)
    return xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: xml.Element, one: "Judged") -> None:
    names = {"classname": _xml(one.graded_by), "name": _xml(f"{one.candidate} / {one.against}")}
    case = xml.SubElement(suite, "testcase", names)
    said = _xml(" ".join([one.says, *one.words]))
    if one.verdict == "PASS":
        xml.SubElement(case, "system-out").text = said
        return
    kind = "failure" if one.verdict == "FAIL" else "error"
    told = xml.SubElement(case, kind, {"type": one.verdict, "message": _xml(one.says)})
    told.text = said


def _xml(text: str) -> str:
    """Without control characters, which XML has no form for."""
    return printable(text).encode("utf-8", "replace").decode()
