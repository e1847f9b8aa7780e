"""What becomes of the Markdown of a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from events.values.bilingual import Language
from producers.docs_pages import prose
from producers.docs_pages.prose import prose_of, title_of

ENGLISH = (
    "# Files\n\n## A table: `x`\n\nSee [keys](keys.md), [the console](console.md#accounts), [above](#a-table-x).\n"
)
ARABIC = """\
# الملفات

## جدول: `x`

انظر [المفاتيح](../keys.md) و[الواجهة](console.md#accounts) و[أعلاه](#a-table-x).
الفترة 2026-11-01 – 2026-11-25، والرسالة *FILE: it doesn't fit*، وهي *مهمة في 2026*.

```sh
yesser up
```
"""


@pytest.fixture(autouse=True)
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prose, "FOLDER", tmp_path)
    (tmp_path / "ar").mkdir()
    (tmp_path / "files.md").write_text(ENGLISH, encoding="utf-8")
    (tmp_path / "ar" / "files.md").write_text(ARABIC, encoding="utf-8")


def rendered(language: Language) -> str:
    return str(prose_of("/docs/files", language, lambda path: f"/{language}{path}"))


def test_each_language_has_its_file_with_the_headings_ids_of_the_english_one() -> None:
    assert [title_of("/docs/files", "ar"), title_of("/docs/files", "en")] == ["الملفات", "Files"]
    english, arabic = rendered("en"), rendered("ar")
    assert "<h1" not in english + arabic
    assert '<h2 id="a-table-x">A table: <code>x</code></h2>' in english
    assert '<h2 id="a-table-x">جدول: <code>x</code></h2>' in arabic
    # Links to pages of the site stay in the language, and others become text.
    assert 'See keys, <a href="/en/docs/console#accounts">the console</a>, <a href="#a-table-x">above</a>' in english
    assert 'انظر المفاتيح و<a href="/ar/docs/console#accounts">الواجهة</a> و<a href="#a-table-x">أعلاه</a>' in arabic


def test_dates_examples_and_printed_english_keep_their_direction_in_arabic() -> None:
    page = rendered("ar")
    assert "الفترة <bdi>2026-11-01 – 2026-11-25</bdi>، والرسالة" in page
    assert '<em lang="en" dir="ltr">FILE: it doesn\'t fit</em>، وهي <em>مهمة في <bdi>2026</bdi></em>.' in page
    assert '<pre dir="ltr" tabindex="0" role="region" aria-label="مثال"><code class="language-sh">' in page


def test_a_page_with_other_headings_than_the_english_one_is_not_made(tmp_path: Path) -> None:
    (tmp_path / "files.md").write_text(ENGLISH + "\n## More\n", encoding="utf-8")
    with pytest.raises(ValueError, match="zip"):
        rendered("ar")
