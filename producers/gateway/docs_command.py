"""`yesser docs DIR`: the gateway's documentation as files, for use without a gateway."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import click

from events.values.bilingual import Bilingual
from infra.command_line.output import json_option, print_confirmation
from infra.settings import Settings
from producers.docs_pages.site import START, Site, file_of


@click.command("docs", short_help="Write the documentation as files that need no server.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@json_option
def docs(folder: Path, as_json: bool) -> None:
    """Write the documentation into FOLDER; open its index.html. Needs no service and no network.

    Files with the same names are replaced; other files are kept.
    """
    site = Site(described, static=True)
    write_site(site, folder)
    start = folder / file_of(START)
    files = len(site.paths)
    document = {"folder": str(folder), "start": str(start), "files": files}
    sentence = Bilingual("كُتبت الصفحات ({})؛ افتح {}", "{} files written; open {}").format(files, start)
    print_confirmation(document, as_json, sentence)


def write_site(site: Site, folder: Path) -> None:
    """Write every page as a file."""
    for path in site.paths:
        file = folder / file_of(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(site.page(path).body)


def described() -> Mapping[str, Any]:
    """The OpenAPI document, from an app without services, which is never called."""
    from producers.gateway.app import application
    from producers.gateway.routes.pages import openapi_document
    from producers.gateway.routes.parts import Parts

    nothing = cast(Any, None)
    return openapi_document(application(Parts(Settings(), nothing, nothing, nothing, nothing)))
