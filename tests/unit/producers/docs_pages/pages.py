"""What a reader (or a browser) finds in a page."""

from __future__ import annotations

from html.parser import HTMLParser

from producers.docs_pages.site import Site
from tests.world.gateways import openapi


class PageReader(HTMLParser):
    """The addresses that a page names, the tags it uses, and the languages that it is written in."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.tags: set[str] = set()
        self.attributes: dict[str, dict[str, str | None]] = {}
        self.feed(body.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        found = dict(attrs)
        self.attributes.setdefault(tag, found)
        self.targets += [value for name in ("href", "src") if (value := found.get(name))]


def site() -> Site:
    """The site as the gateway makes it."""
    return Site(openapi)
