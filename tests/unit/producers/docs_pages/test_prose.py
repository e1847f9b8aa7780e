"""What becomes of the Markdown of a page."""

from __future__ import annotations

import pytest

from events.values.bilingual import Language
from producers.docs_pages.prose import html_page

ENGLISH = (
    "# Files\n\n## A table: `x`\n\nSee [keys](keys.md), [the console](console.md#accounts), [above](#a-table-x).\n"
)
ARABIC = """\
# الملفات

## جدول: `x`

انظر [المفاتيح](../keys.md) و[الواجهة](console.md#accounts) و[أعلاه](#a-table-x) و[النوع](/docs/events/x).
الفترة 2026-11-01 – 2026-11-25، والرسالة *FILE: it doesn't fit*، وهي *مهمة في 2026*.

<script>

```sh
yesser up
```
"""


def rendered(markdown: str, language: Language, english: str = ENGLISH) -> tuple[str, str]:
    title, content = html_page(markdown, english, language, lambda path: f"/{language}{path}")
    return title, str(content)


def test_headings_have_the_ids_of_the_english_page_and_links_stay_in_the_language() -> None:
    (title, english), (arabic_title, arabic) = rendered(ENGLISH, "en"), rendered(ARABIC, "ar")
    assert (title, arabic_title) == ("Files", "الملفات")
    assert '<h1 id="files">الملفات</h1>' in arabic
    assert '<h2 id="a-table-x">A table: <code>x</code></h2>' in english
    assert '<h2 id="a-table-x">جدول: <code>x</code></h2>' in arabic
    # Links to pages of the site stay in the language, and others become text.
    assert 'See keys, <a href="/en/docs/console#accounts">the console</a>, <a href="#a-table-x">above</a>' in english
    assert 'انظر المفاتيح و<a href="/ar/docs/console#accounts">الواجهة</a> و<a href="#a-table-x">أعلاه</a>' in arabic
    assert 'و<a href="/ar/docs/events/x">النوع</a>' in arabic


def test_dates_examples_and_printed_english_keep_their_direction_in_arabic_and_html_is_text() -> None:
    page = rendered(ARABIC, "ar")[1]
    assert "الفترة <bdi>2026-11-01 – 2026-11-25</bdi>، والرسالة" in page
    assert '<em lang="en" dir="ltr">FILE: it doesn\'t fit</em>، وهي <em>مهمة في <bdi>2026</bdi></em>.' in page
    assert '<pre dir="ltr" tabindex="0" role="region" aria-label="مثال"><code class="language-sh">' in page
    assert "<script" not in page


def test_a_page_with_other_headings_than_the_english_one_is_not_made() -> None:
    with pytest.raises(ValueError, match="zip"):
        rendered(ARABIC, "ar", ENGLISH + "\n## More\n")
