"""`python -m tests.browser.screenshots`: takes the pictures of `docs/console-pages.md` again, and writes this page.

Each page in Arabic and English, in the dark, and in a narrow window.
"""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, ViewportSize

from tests.browser.console import NARROW, Language, Scheme, Story, chromium, told_story
from tests.browser.pages import CAMPAIGN, PAGES
from tests.paths import ROOT

SHOWN: Final = ViewportSize(width=1000, height=640)
QUALITY: Final = 20
"""Of WebP: git keeps every version."""
DOCUMENT: Final = ROOT / "docs" / "console-pages.md"
ROLE_NAMES: Final = {
    None: "Everyone",
    "office": "Programme office",
    "agency": "Agency",
    "team": "Campaign team",
    "partner": "Partner",
    "treasury": "Treasury",
    "auditor": "Auditor",
    "administrator": "Administrator",
}
_SHOWN_ELSEWHERE: Final = frozenset(
    {
        ("/plan?as_of_index=0", "agency"),
        ("/plan?as_of_index=300", "auditor"),
        ("/plan/awareness", "agency"),
        ("/workspace/publish/plan.adopted", "office"),
        ("/audit", "agency"),
        ("/audit/log?type=service.launched", "agency"),
        ("/campaigns", "team"),
        ("/explain/plan/awareness", "auditor"),
        ("/approvals", "administrator"),  # empty in the story
    }
)
DOCS_PAGES: Final = (
    *(page for page in PAGES if page not in _SHOWN_ELSEWHERE),
    (CAMPAIGN, "team"),
    (f"{CAMPAIGN}/air", "team"),
)


@dataclass(frozen=True, slots=True)
class Look:
    """In which language, colours and window a page is seen."""

    language: Language
    scheme: Scheme
    window: ViewportSize

    @property
    def name(self) -> str:
        return f"{self.language}-{self.scheme}-{self.window['width']}"


DOCS_LOOKS: Final = (
    Look("ar", "light", SHOWN),
    Look("en", "light", SHOWN),
    Look("en", "dark", SHOWN),
    Look("ar", "light", NARROW),
)


def name_of(path: str, role: str | None) -> str:
    """A page's name in file names: `office-plan-services`."""
    return re.sub("[^a-z0-9]+", "-", f"{role or 'nobody'}{path}".lower()).strip("-")


def document() -> str:
    """The page that shows the pictures."""
    lines = [_INTRODUCTION]
    for role, title in ROLE_NAMES.items():
        lines += [f"## {title}", "", "| page | Arabic | English | dark | narrow |", "|---|---|---|---|---|"]
        for path in (path for path, of in DOCS_PAGES if of == role):
            files = (f"console/{name_of(path, role)}.{look.name}.webp" for look in DOCS_LOOKS)
            lines.append(f"| `{path}` | {' | '.join(f'![{path}]({file})' for file in files)} |")
        lines.append("")
    return "\n".join(lines)


_INTRODUCTION: Final = """# The console's pages

What [the console](console.md) shows after `make demo`, by role; a page that several see is listed under one.
`python -m tests.browser.screenshots` takes the pictures again and writes this page. Do it when a
page has changed for the eye: git keeps every picture.
"""


def take(story: Story, folder: Path) -> Iterator[Path]:
    """Write the pages into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (campaign, *_) = story.run("campaigns", "list", "--owner", "health")
    for look, (path, role) in product(DOCS_LOOKS, DOCS_PAGES):
        with story.visit(role, look.language, look.scheme, look.window) as visitor:
            page = visitor.open(path.replace(CAMPAIGN, f"/campaigns/{campaign['campaign_id']}"))
            page.wait_for_function("document.fonts.status === 'loaded'")
            page.wait_for_timeout(_SCRIPTS_MS)
            file = folder / f"{name_of(path, role)}.{look.name}.webp"
            file.write_bytes(picture(page))
            yield file


_SCRIPTS_MS: Final = 700
"""For proofs that the page verifies, and the state of its connection."""


def picture(page: Page) -> bytes:
    """The window as WebP, which Playwright itself does not write."""
    line = page.context.new_cdp_session(page)
    options = {"format": "webp", "quality": QUALITY, "captureBeyondViewport": False}
    return base64.b64decode(line.send("Page.captureScreenshot", options)["data"])


def main() -> None:
    path = chromium()
    if path is None:
        sys.exit("no Chromium: install one, or name it in CHROMIUM")
    with told_story(path) as story:
        for file in take(story, DOCUMENT.parent / "console"):
            sys.stdout.write(f"{file}\n")
    DOCUMENT.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
