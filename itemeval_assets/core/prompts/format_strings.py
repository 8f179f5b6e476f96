"""Templates as Python's `str.format` reads them, as those of inspect_ai's scorers are."""

import re
from string import Formatter


def with_text(template: str, name: str, text: str) -> str:
    """The template with a text in the place of `{name}`, which stays a template for the others.

    Raises ValueError for braces that name nothing.
    """
    found = []
    for plain, field, spec, conversion in Formatter().parse(template):
        found.append(_escaped(plain))
        if field == name:
            found.append(_escaped(text))
        elif field is not None:
            as_what, how = f"!{conversion}" if conversion else "", f":{spec}" if spec else ""
            found.append(f"{{{field}{as_what}{how}}}")
    return "".join(found)


def fields_of(template: str) -> list[str]:
    """What a template shows: of `{context[key]}` it is `context`."""
    fields = (field for _, field, _, _ in Formatter().parse(template) if field is not None)
    return [re.split(r"[.\[]", field)[0] for field in fields]


def shows_as_it_is(template: str, name: str) -> bool:
    """Whether a template shows `{name}` nowhere in part, nor in another form."""
    fields = [found[1:] for found in Formatter().parse(template) if found[1] is not None]
    return all(
        field == name and not spec and not conversion
        for field, spec, conversion in fields
        if field and re.split(r"[.\[]", field)[0] == name
    )


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
