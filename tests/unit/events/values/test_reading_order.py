"""A date, a range or a code in an Arabic text is drawn in the order in which it is typed."""

from __future__ import annotations

from events.values.reading_order import in_reading_order
from infra.http.prose import in_reading_order_html
from tests.every import every


@every(
    ("words", "ordered"),
    [
        ("بين 1924-08-01 و2077-11-16، ثم", "بين ⟨1924-08-01⟩ و⟨2077-11-16⟩، ثم"),
        ("المدى 1924-08-01 … 2077-11-16.", "المدى ⟨1924-08-01 … 2077-11-16⟩."),
        ("الأعداد ±(2^53 − 1).", "الأعداد ⟨±(2^53 − 1)⟩."),
        ("قائمتها (في /docs/api).", "قائمتها (في ⟨/docs/api⟩)."),
        ("مثل 2026-01-31T09:00:00 (RFC 3339 مع فرق التوقيت).", "مثل ⟨2026-01-31T09:00:00⟩ (RFC 3339 مع فرق التوقيت)."),
        ("يبدأ بـ https://، ثم", "يبدأ بـ ⟨https://⟩، ثم"),
        ("أضف --json.", "أضف ⟨--json⟩."),
        ("نسبة 70%، و-5", "نسبة ⟨70%⟩، و-5"),
        ("من 1 ديسمبر 2026 14:30", "من 1 ديسمبر 2026 14:30"),
        ("إلى 61,440 بايت، وثيقة RFC 9457", "إلى 61,440 بايت، وثيقة RFC 9457"),
        ("ملف الربط (TOML أو JSON) و(12 ساعة)", "ملف الربط (TOML أو JSON) و(12 ساعة)"),
        ("القيد ⟨2026-11⟩ من ⟨خدمة 2026-11⟩", "القيد ⟨2026-11⟩ من ⟨خدمة ⟨2026-11⟩⟩"),
    ],
)
def test_what_would_be_turned_round_is_isolated_and_nothing_else(words: str, ordered: str) -> None:
    marks = str.maketrans("⟨⟩", "\u2068\u2069")
    assert in_reading_order(words.translate(marks)) == ordered.translate(marks)
    assert in_reading_order(ordered.translate(marks)) == ordered.translate(marks)


@every(
    ("html", "ordered"),
    [
        ("<p>مثل 2026-11-25</p>", '<p>مثل <bdi class="nowrap">2026-11-25</bdi></p>'),
        ("<h1>كشف PPP-1/2026-11: نص</h1>", '<h1>كشف <bdi class="nowrap">PPP-1/2026-11</bdi>: نص</h1>'),
        ("<p>من <bdi>PPP-1</bdi>", '<p>من <bdi class="nowrap">PPP-1</bdi>'),
        ("<p>من health إلى A-very-long-code-of-a-service</p>", "<p>من health إلى A-very-long-code-of-a-service</p>"),
        ("<p>نص &#39;2026-11&amp;&#34;</p>", '<p>نص &#39;<bdi class="nowrap">2026-11</bdi>&amp;&#34;</p>'),
        ('<input value="2026-11-25">', '<input value="2026-11-25">'),
        ("<code>2026-11-25</code>", "<code>2026-11-25</code>"),
        ("<option>فترة 2026-11", '<option>فترة <bdi class="nowrap">2026-11</bdi>'),
        ('<option value="2026-11">فترة 2026-11</option>', '<option value="2026-11">فترة \u20682026-11\u2069</option>'),
        ("<option>2026-11</option>", "<option>2026-11</option>"),
        ('<svg><text x="1">1426-07</text></svg>', '<svg><text x="1">1426-07</text></svg>'),
        ("<svg><text>فترة 1426-07</text>", "<svg><text>فترة \u20681426-07\u2069</text>"),
        (
            "<pre><code>2026-11\nفي 2026-11\n</code></pre>",
            '<pre><code>2026-11\nفي <bdi class="nowrap">2026-11</bdi>\n</code></pre>',
        ),
        ("<pre>أُطلقت  tv  2026-11</pre>", '<pre><bdi>أُطلقت</bdi>  tv  <bdi class="nowrap">2026-11</bdi></pre>'),
        ("<script>a = '2026-11'</script>", "<script>a = '2026-11'</script>"),
        ("<bdi>خدمة 2026-11</bdi>", '<bdi>خدمة <bdi class="nowrap">2026-11</bdi></bdi>'),
    ],
)
def test_in_a_page_texts_are_isolated_and_values_stay(html: str, ordered: str) -> None:
    assert in_reading_order_html(html) == ordered
    assert in_reading_order_html(ordered) == ordered
