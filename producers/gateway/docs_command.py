"""`yesser docs DIR`: the gateway's documentation as files, for use without a gateway."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Set
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import click

from events.values.bilingual import Bilingual
from infra.command_line.output import json_option, print_confirmation
from infra.settings import Settings
from producers.docs_pages.openapi import Document
from producers.docs_pages.pages import START
from producers.docs_pages.site import MEDIA_TYPES, Site

_LINK: Final = re.compile(r"""(?P<start>href="|\]\()(?P<target>/[^"#)]*)""")
"""In HTML and in Markdown."""


@click.command("docs", short_help="Write the documentation as files that need no server.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@json_option
def docs(folder: Path, as_json: bool) -> None:
    """Write the documentation into FOLDER; open its index.html. Needs no service and no network.

    Files with the same names are replaced; other files are kept.
    """
    site = Site(described)
    write_site(site, folder)
    start = folder / file_of(START)
    files = len(site.paths)
    document = {"folder": str(folder), "start": str(start), "files": files}
    sentence = Bilingual("كُتبت الصفحات ({})؛ افتح {}", "{} files written; open {}").format(files, start)
    print_confirmation(document, as_json, sentence)


def write_site(site: Site, folder: Path, chosen: Iterable[str] | None = None) -> None:
    """Write every page as a file, or the chosen ones. Raises KeyError for one that is not there."""
    addresses = frozenset(site.paths)
    for address in addresses if chosen is None else chosen:
        page, file = site.page(address), folder / file_of(address)
        file.parent.mkdir(parents=True, exist_ok=True)
        is_text = page.media_type.startswith("text/")
        file.write_bytes(_with_relative_links(page.body, address, addresses) if is_text else page.body)


def _with_relative_links(body: bytes, address: str, addresses: Set[str]) -> bytes:
    folder = posixpath.dirname(file_of(address)) or "."

    def relative(link: re.Match[str]) -> str:
        target = link["target"]
        return f"{link['start']}{posixpath.relpath(file_of(target), folder)}" if target in addresses else link[0]

    return _LINK.sub(relative, body.decode()).encode()


def file_of(address: str) -> str:
    """The file of an address: `index.html`, `docs/ar/events.html`, `asyncapi.json`."""
    if address == START:
        return "index.html"
    return address.lstrip("/") + ("" if posixpath.splitext(address)[1] in MEDIA_TYPES else ".html")


@cache
def described() -> Document:
    """The OpenAPI document, from an app without services, which is never called."""
    from producers.gateway.app import application
    from producers.gateway.routes.pages import openapi_document
    from producers.gateway.routes.parts import GatewayParts

    nothing = cast(Any, None)
    return openapi_document(application(GatewayParts(Settings(), nothing, nothing, nothing, nothing)))
