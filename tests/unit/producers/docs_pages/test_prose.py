"""What becomes of the Markdown of a page."""

from __future__ import annotations

import pytest

from events.values.bilingual import LANGUAGES, Language
from infra.http.prose import in_reading_order_html
from producers.docs_pages.writer import FOLDER, html_page, prose_of

ENGLISH = "# Files\n\n## A table: `x`\n\nSee [above](#a-table-x).\n"
ARABIC = """\
# الملفات

## جدول: `x`

انظر [أعلاه](#a-table-x).
الفترة 2026-11-01 – 2026-11-25، والرسالة *FILE: it doesn't fit*، وهي *مهمة في 2026*.

<script>

```sh
yesser up
```
"""


def rendered(markdown: str, language: Language, english: str = ENGLISH) -> tuple[str, str]:
    title, content = html_page(markdown, english, language)
    return title, str(content)


def test_headings_have_the_ids_of_the_english_page() -> None:
    (title, english), (arabic_title, arabic) = rendered(ENGLISH, "en"), rendered(ARABIC, "ar")
    assert (title, arabic_title) == ("Files", "الملفات")
    assert '<h1 id="files">الملفات</h1>' in arabic
    assert '<h2 id="a-table-x">A table: <code>x</code></h2>' in english
    assert '<h2 id="a-table-x">جدول: <code>x</code></h2>' in arabic


def test_a_link_to_a_page_of_the_site_stays_and_any_other_becomes_text() -> None:
    english, arabic = (prose_of("console.md", language, lambda path: f"/x{path}") for language in LANGUAGES[::-1])
    for page in (english, arabic):
        assert "](/x/docs/runbook#one-person-did-what-needs-two)" in page
        assert "](testing.md" not in page
        assert "](../testing.md" not in page
    assert "([testing](" in (FOLDER / "console.md").read_text(encoding="utf-8")
    assert "(testing)" in english


def test_dates_examples_and_printed_english_keep_their_direction_in_arabic_and_html_is_text() -> None:
    page = in_reading_order_html(rendered(ARABIC, "ar")[1])
    assert "الفترة <bdi>2026-11-01 – 2026-11-25</bdi>، والرسالة" in page
    assert '<em lang="en" dir="ltr">FILE: it doesn\'t fit</em>، وهي <em>مهمة في 2026</em>.' in page
    assert '<pre dir="ltr" tabindex="0" role="region" aria-label="مثال"><code class="language-sh">' in page
    assert "<script" not in page


def test_a_page_with_other_headings_than_the_english_one_is_not_made() -> None:
    with pytest.raises(ValueError, match="zip"):
        rendered(ARABIC, "ar", ENGLISH + "\n## More\n")
