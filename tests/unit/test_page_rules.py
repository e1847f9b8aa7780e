"""Each rule of a page finds what breaks it."""

from __future__ import annotations

from tests.every import every
from tests.page_rules import faults_of

SOUND = """<!doctype html><html lang="ar" dir="rtl"><head><title>الخطة – يسّر</title><link rel="icon" href="/icon.svg">
</head><body><a class="skip" href="#main">إلى المحتوى</a><header>
<nav aria-label="الرئيسية"><ul><li><a href="/">الأولى</a></li></ul></nav></header>
<main id="main"><h1>الخطة الخمسية للتعاملات الإلكترونية</h1><h2>المشاريع</h2>
<table><caption>المشاريع</caption><tr><th scope="col">الرمز</th></tr><tr><td>نص يطول قليلًا</td></tr></table>
<form method="post"><input type="hidden" name="csrf" value="1"><label for="one">حقل</label>
<input id="one" name="one"><button>أرسل</button></form><svg role="img" aria-label="صورة"/>
</main><footer></footer></body></html>"""
BREAKS = (
    ('dir="rtl"', 'dir="ltr"', "the direction is not that of the language"),
    ('<html lang="ar"', '<html lang="de"', "an unknown language"),
    ("<title>الخطة – يسّر", "<title> – يسّر", "the title is empty"),
    ('<main id="main">', "<main id='main' id='main'>", "an attribute stands twice"),
    ('href="#main"', 'href="/plan"', "the first link does not lead to the content"),
    ('<nav aria-label="الرئيسية">', "<nav>", "a navigation without a name"),
    ("</h1>", "</h1><h1>ثان</h1>", "2 × <h1>"),
    ("<h2>المشاريع</h2>", "<h3>المشاريع</h3>", "a level is left out"),
    ("<h2>المشاريع</h2>", "<h2></h2>", "an empty heading"),
    ('id="one" name', 'id="main" name', "2 × id 'main'"),
    ('for="one"', 'for="two"', "no element has the id 'two'"),
    ('for="one"', 'class="one"', "a field without a label"),
    ('<input id="one"', '<input id="one" aria-invalid="true"', "a fault that is not described"),
    ("<button>أرسل", "<button>", "it has no name"),
    ('<a href="/">الأولى', '<a href="/">هنا', "it has no name"),
    ('<svg role="img" aria-label="صورة"/>', '<svg role="img"/>', "a drawing without a text"),
    ("<svg", '<img src="/a.png"><svg', "an image without a text"),
    ("<form", '<div role="region">x</div><form', "a part without a name"),
    ("<svg", "<fieldset><p>x</p></fieldset><svg", "a group without a legend"),
    ("<caption>المشاريع</caption>", "", "a table without a name"),
    ('<th scope="col">الرمز</th>', "<td>x</td>", "a table without headers"),
    ('<th scope="col">', "<th>", "a header of nothing"),
    ("<svg", "<li>x</li><svg", "an item of no list"),
    ('name="csrf"', 'name="other"', "a form without its session's secret"),
    ("<button>أرسل</button>", "", "a form that no button sends"),
    ("<label", "<form></form><label", "a form in a form"),
    ("<svg", "<script>1</script><svg", "the policy refuses it"),
    ("<svg", "<style>p {}</style><svg", "the policy refuses it"),
    ("<svg", '<p style="color: red">x</p><svg', "the policy refuses style"),
    ("<svg", '<p onclick="x()">x</p><svg', "the policy refuses onclick"),
    ('href="/">', 'href="JavaScript:x()">', "href is not of this site"),
    ("<svg", '<img alt="" src="https://elsewhere.example/a.png"><svg', "src is not of this site"),
    ('href="/icon.svg"', 'href="//elsewhere.example/icon.svg"', "href is not of this site"),
    ("</h2>", "</h3>", "</h3> closes"),
    ("</body></html>", "", "never closed"),
    (SOUND.partition('<main id="main">')[2].partition("</main>")[0], "", "the page says nothing without script"),
)


def test_a_sound_page_has_no_fault() -> None:
    assert faults_of(SOUND) == []


@every("whole, broken, fault", BREAKS)
def test_what_breaks_a_rule_is_found(whole: str, broken: str, fault: str) -> None:
    page = SOUND.replace(whole, broken, 1)
    assert page != SOUND
    assert any(found.startswith(fault) for found in faults_of(page)), faults_of(page)
