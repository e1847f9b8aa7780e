"""An Arabic page of `docs/ar` has the blocks, codes and links of the English page."""

from __future__ import annotations

from producers.docs_pages.prose import FOLDER
from tests.arabic_pages import TRANSLATED, blocks_of, difference, page_pair
from tests.every import every

ENGLISH = """\
# Title

Read [files](files.md) and [keys](keys.md#rotate), then run `yesser status` or `yesser up`.

```sh
yesser up
```

## Codes

| code | meaning |
|---|---|
| `0` | done |

* first
"""
ARABIC = """\
# عنوان

نفّذ `yesser up` أو `yesser status` بعد قراءة [المفاتيح](../keys.md#rotate) و[الملفات](files.md).

```sh
yesser up
```

## رموز

| الرمز | المعنى |
|---|---|
| `0` | تم |

* أول
"""


def test_every_page_of_the_site_is_there_in_arabic_and_no_other() -> None:
    assert sorted(path.name for path in (FOLDER / "ar").iterdir()) == TRANSLATED


@every("page", TRANSLATED)
def test_an_arabic_page_has_the_blocks_of_the_english_one(page: str) -> None:
    found = difference(page, *page_pair(page))
    assert found is None, f"{found}\nChange both languages alike."


def test_a_translation_may_order_codes_and_links_of_a_block_anew_and_add_no_block() -> None:
    assert difference("x.md", blocks_of(ENGLISH), blocks_of(ARABIC)) is None
    found = difference("x.md", blocks_of(ENGLISH), blocks_of(ARABIC + "\nفقرة\n"))
    assert found == "docs/x.md lacks a block under “Codes”: paragraph_open p"


@every(
    ("old", "new", "expected"),
    [
        ("* أول\n", "", "docs/ar/x.md lacks a block under “Codes”: bullet_list_open ul"),
        ("* أول\n", "* أول\n* ثان\n", "under “Codes”: bullet_list_close ul | list_item_open li"),
        ("## رموز", "### رموز", "under “Title”: heading_open h2 | heading_open h3"),
        ("yesser up\n```", "yesser down\n```", "fence code `sh\nyesser up\n` | fence code `sh\nyesser down\n`"),
        ("`yesser up`", "`yesser down`", "`yesser status` `yesser up` (files.md) (keys.md#rotate) | text"),
        ("| المعنى |", "| المعنى | مثال |", "under “Codes”: table_open table | paragraph_open p"),
        ("../keys.md#rotate", "keys.md#rotate", "(keys.md#rotate) | text"),
        ("](files.md)", "](../files.md)", "(files.md) (keys.md#rotate) | text"),
    ],
)
def test_what_stands_in_one_language_only_is_named_with_its_page_and_heading(old: str, new: str, expected: str) -> None:
    assert ARABIC.count(old) == 1
    found = difference("x.md", blocks_of(ENGLISH), blocks_of(ARABIC.replace(old, new)))
    assert found is not None
    assert found.startswith("docs/ar/x.md")
    assert expected in found
