"""Templates of pages, letters and pictures: what is put in is escaped, and every value must be given."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape


def templates(package: str, folder: str = ".", *extensions: str) -> Environment:
    """Those in a folder of a package. A text, whose name does not end in `.html` or `.svg`, is not escaped."""
    return Environment(
        loader=PackageLoader(package, folder),
        autoescape=select_autoescape(["html", "svg"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=extensions,
    )
