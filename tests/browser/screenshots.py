"""`make screenshots`: a picture of each page of the console, in `build/console`, and a page with all of them.

Each page in Arabic and English, in the dark, and in a narrow window.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

from playwright.sync_api import ViewportSize

from tests.browser.console import NARROW, Language, Scheme, Story, chromium, told_story
from tests.browser.pages import CAMPAIGN, PAGES
from tests.paths import ROOT

FOLDER: Final = ROOT / "build" / "console"
SHOWN: Final = ViewportSize(width=1000, height=640)
ALL: Final = (*PAGES, (CAMPAIGN, "team"), (f"{CAMPAIGN}/air", "team"))


@dataclass(frozen=True, slots=True)
class Look:
    """In which language, colours and window a page is seen."""

    language: Language
    scheme: Scheme
    window: ViewportSize


LOOKS: Final = (
    Look("ar", "light", SHOWN),
    Look("en", "light", SHOWN),
    Look("en", "dark", SHOWN),
    Look("ar", "light", NARROW),
)
_SCRIPTS_MS: Final = 700
"""For proofs that the page verifies, and the state of its connection."""


def file_of(path: str, role: str | None, look: Look) -> str:
    """`office-plan-services.ar-light-1000.png`."""
    page = re.sub("[^a-z0-9]+", "-", f"{role or 'nobody'}{path}".lower()).strip("-")
    return f"{page}.{look.language}-{look.scheme}-{look.window['width']}.png"


def document() -> str:
    """The page that shows the pictures."""
    rows = [
        f"| {role or 'everyone'} | `{path}` | {' | '.join(f'![]({file_of(path, role, look)})' for look in LOOKS)} |"
        for path, role in ALL
    ]
    head = "| role | page | Arabic | English | dark | narrow |"
    return "\n".join(["# The console's pages", "", head, "|---|---|---|---|---|---|", *rows, ""])


def take(story: Story, folder: Path) -> Iterator[Path]:
    """Write the pictures into the folder."""
    (campaign, *_) = story.run("campaigns", "list", "--owner", "health")
    for look, (path, role) in product(LOOKS, ALL):
        with story.visit(role, look.language, look.scheme, look.window) as visitor:
            page = visitor.open(path.replace(CAMPAIGN, f"/campaigns/{campaign['campaign_id']}"))
            page.wait_for_function("document.fonts.status === 'loaded'")
            page.wait_for_timeout(_SCRIPTS_MS)
            file = folder / file_of(path, role, look)
            page.screenshot(path=file)
            yield file


def main() -> None:
    path = chromium()
    if path is None:
        sys.exit("no Chromium: install one, or name it in CHROMIUM")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with told_story(path) as story:
        for file in take(story, FOLDER):
            sys.stdout.write(f"{file}\n")
    (FOLDER / "pages.md").write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
