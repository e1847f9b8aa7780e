"""The documentation shows each page of the console, and its pictures stay small."""

from __future__ import annotations

from tests.browser.screenshots import DOCS_LOOKS, DOCS_PAGES, DOCUMENT, document, name_of

FOLDER = DOCUMENT.parent / "console"
BYTES_MAX = 2_500_000


def test_the_page_is_the_one_that_the_tool_writes() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run `python -m tests.browser.screenshots`"


def test_each_page_has_its_pictures_which_stay_small_and_no_other_is_kept() -> None:
    wanted = {f"{name_of(*page)}.{look.name}.webp" for page in DOCS_PAGES for look in DOCS_LOOKS}
    assert {path.name for path in FOLDER.iterdir()} == wanted
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= BYTES_MAX
