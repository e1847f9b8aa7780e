"""An Arabic page of `docs/ar` has the blocks, codes and links of the English page."""

from __future__ import annotations

from tests.arabic_pages import TRANSLATED, blocks_of, difference, page_pair
from tests.every import every

ENGLISH = "# Title\n\nRead [keys](keys.md#rotate) and run `yesser up` or `yesser status`.\n\n* one\n"
ARABIC = "# عنوان\n\nنفّذ `yesser status` أو `yesser up` بعد [المفاتيح](../keys.md#rotate).\n\n* أول\n"


@every("page", TRANSLATED)
def test_an_arabic_page_has_the_blocks_of_the_english_one(page: str) -> None:
    found = difference(page, *page_pair(page))
    assert found is None, f"{found}\nChange both languages alike."


@every(
    ("old", "new", "expected"),
    [
        ("نفّذ", "يمكن تنفيذ", None),
        ("* أول\n", "", "docs/ar/x.md lacks a block under “Title”: bullet_list_open ul"),
        ("* أول\n", "* أول\n\nفقرة\n", "docs/x.md lacks a block under “Title”: paragraph_open p"),
        ("# عنوان", "## عنوان", "docs/ar/x.md differs from docs/x.md under “”: heading_open h1 | heading_open h2"),
        ("`yesser up`", "`yesser down`", "`yesser status` `yesser up` (keys.md#rotate) | text"),
        ("../keys.md#rotate", "keys.md#rotate", "(keys.md#rotate) | text"),
    ],
)
def test_what_is_in_one_language_only_is_named_with_its_heading(old: str, new: str, expected: str | None) -> None:
    found = difference("x.md", blocks_of(ENGLISH), blocks_of(ARABIC.replace(old, new)))
    assert found is None if expected is None else expected in (found or "")
