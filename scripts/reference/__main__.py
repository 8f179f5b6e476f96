"""Writes the pages of the reference anew."""

from . import api, columns, keys, options

for part in (keys, options, api, columns):
    part.PAGE.write_text(part.page(), "utf-8")
    print(part.PAGE)
