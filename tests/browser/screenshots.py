"""`python -m tests.browser.screenshots FOLDER`: every page of the console, for a designer's eye.

Each page in Arabic and English, light and dark, wide and narrow, as long as it is. With `--docs` it takes those that
`docs/console-pages.md` shows, and writes this page.
"""

from __future__ import annotations

import argparse
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

WHOLE: Final = ViewportSize(width=1280, height=900)
SHOWN: Final = ViewportSize(width=1000, height=640)
QUALITY: Final = {True: 70, False: 20}
"""Of WebP, by whether the whole page is taken. The documentation's are kept small: git keeps every version."""
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


_LANGUAGES: Final[tuple[Language, ...]] = ("ar", "en")
_SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")
EVERY_LOOK: Final = tuple(Look(*one) for one in product(_LANGUAGES, _SCHEMES, (WHOLE, NARROW)))
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
`python -m tests.browser.screenshots docs/console --docs` takes the pictures again and writes this page. Do it when a
page has changed for the eye: git keeps every picture.
"""


def take(story: Story, folder: Path, looks: tuple[Look, ...], *, whole: bool, only: str = "") -> Iterator[Path]:
    """Write the pages whose name contains `only` into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (campaign, *_) = story.run("campaigns", "list", "--owner", "health")
    for look in looks:
        for path, role in DOCS_PAGES if not whole else (*PAGES, *DOCS_PAGES[-2:]):
            if only not in (name := name_of(path, role)):
                continue
            with story.visit(role, look.language, look.scheme, look.window) as visitor:
                page = visitor.open(path.replace(CAMPAIGN, f"/campaigns/{campaign['campaign_id']}"))
                page.wait_for_function("document.fonts.status === 'loaded'")
                page.wait_for_timeout(_SCRIPTS_MS)
                file = folder / f"{name}.{look.name}.webp"
                file.write_bytes(picture(page, whole=whole))
                yield file


_SCRIPTS_MS: Final = 700
"""For proofs that the page verifies, and the state of its connection."""


def picture(page: Page, *, whole: bool) -> bytes:
    """The page, or its window, as WebP, which Playwright itself does not write."""
    line = page.context.new_cdp_session(page)
    options = {"format": "webp", "quality": QUALITY[whole], "captureBeyondViewport": whole}
    if whole:
        size = line.send("Page.getLayoutMetrics")["cssContentSize"]
        options["clip"] = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
    return base64.b64decode(line.send("Page.captureScreenshot", options)["data"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--docs", action="store_true", help="only those that the documentation shows")
    parser.add_argument("--only", default="", help="only pages whose name contains this, such as campaigns")
    given = parser.parse_args()
    path = chromium()
    if path is None:
        sys.exit("no Chromium: install one, or name it in CHROMIUM")
    with told_story(path) as story:
        looks = DOCS_LOOKS if given.docs else EVERY_LOOK
        for file in take(story, given.folder, looks, whole=not given.docs, only=given.only):
            sys.stdout.write(f"{file}\n")
    if given.docs:
        DOCUMENT.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
