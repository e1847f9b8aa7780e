"""Numbers, money and dates as readers of both languages see them."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import orjson
from markupsafe import Markup, escape

from consumers.console.web.language import Words, code, english, isolated
from consumers.documents.log.entries import Anomaly, Proof
from events.faults.details import arabic_of
from events.schema_tools.refusal_examples import golden_example
from events.types.catalogue import CATALOGUE
from events.values.bilingual import Bilingual
from infra.log.merkle import leaf_hash
from tests.every import every
from tests.paths import ROOT
from tests.world.pages import ADMINISTRATOR, OFFICE, Documents, page

AR, EN = Words("ar"), Words("en")
_KNOWN = (
    *("index", "owner", "agency", "registered_index", "adopted_index", "revoked_index", "trainee"),
    *("waiting", "waiting_of_agency", "launched_index", "suspended", "retired", "phases", "started", "completed"),
    *("cancelled", "services", "collected_on", "remainder_halalas", "terminated_on", "closed_through", "open_period"),
    *("top_ups_halalas", "payable_halalas"),
)
"""What the rules know instead of what an event claimed."""
_KNOWN_OF_CONTRACT = ("starts_on", "ends_on", "last_day", "latest_dated_on", "collected_halalas")
TEMPLATES = ROOT / "consumers" / "console" / "templates"


def text(markup: Markup) -> str:
    return markup.striptags()


@every(
    ("halalas", "arabic", "english"),
    [
        (0, "0.00 ر.س", "SAR 0.00"),
        (1, "0.01 ر.س", "SAR 0.01"),
        (1_000_000_001, "10,000,000.01 ر.س", "SAR 10,000,000.01"),
        (-21_510_500, "-215,105.00 ر.س", "SAR -215,105.00"),
        (2**63 - 1, "92,233,720,368,547,758.07 ر.س", "SAR 92,233,720,368,547,758.07"),
    ],
)
def test_money_is_exact(halalas: int, arabic: str, english: str) -> None:
    assert text(AR.money(halalas)) == arabic
    assert text(EN.money(halalas)) == english


@every(("basis_points", "shown"), [(0, "0%"), (7_000, "70%"), (1_250, "12.5%"), (1, "0.01%")])
def test_rates_are_exact(basis_points: int, shown: str) -> None:
    assert text(AR.percent(basis_points)) == text(EN.percent(basis_points)) == shown


def test_a_day_has_both_calendars_and_a_moment_is_the_clock_in_riyadh() -> None:
    assert text(EN.day("2006-03-01")) == "1 March 2006 (1 Safar 1427 AH)"
    assert text(AR.day("2006-03-01")) == "1 مارس 2006 (1 صفر 1427 هـ)"
    assert text(EN.day("1801-01-01")) == "1 January 1801", "outside the table of Umm al-Qura"
    assert text(EN.moment("2006-03-01T21:30:00Z")) == "2 Mar 2006 00:30"
    assert 'datetime="2006-03-01T21:30:00+00:00"' in EN.moment("2006-03-01T21:30:00Z")
    assert not set(text(AR.moment("2006-03-01T21:30:00Z"))) & set("٠١٢٣٤٥٦٧٨٩")


@every(("show", "tag"), [(isolated, "<bdi>"), (code, '<code dir="ltr">')])
def test_a_text_of_an_event_is_escaped_and_isolated(show: Callable[[str], str], tag: str) -> None:
    shown = show("<script>\u202e")
    assert (shown.startswith(tag), "<script>" in shown) == (True, False)


def test_a_sentence_reads_in_its_languages_direction_also_where_a_value_comes_first() -> None:
    fault = Bilingual('"fax" غير مسموح', '"فاكس" is not allowed')
    assert AR.text(fault) == '<bdi dir="rtl">&#34;fax&#34; غير مسموح</bdi>'
    assert EN.text(fault).startswith('<bdi dir="ltr">')
    by_first_letter = re.compile(r"w\.of\([^|}]*\|isolated")
    assert [path.name for path in TEMPLATES.rglob("*.html") if by_first_letter.search(path.read_text("utf-8"))] == []


async def test_a_sentence_holds_for_every_number_and_one_in_english_only_says_so_on_an_arabic_page() -> None:
    components = await page(ADMINISTRATOR, "/components")
    assert "المراحل المكتملة: 1 من 3، والتي بدأت: 2" in components.text
    assert english("leaf <7> differs") == '<span lang="en" dir="ltr">leaf &lt;7&gt; differs</span>'


async def test_why_an_event_was_refused_is_said_in_the_readers_language() -> None:
    event = orjson.loads(golden_example("registrar.refused"))
    about = {"recordedtime": "2026-11-01T06:00:00.000000Z", "from": "agency.health.events/0/17"}
    entry = orjson.dumps({**about, "event": event})
    of_tree: Any = {"size": 1, "path": (), "checkpoint": "", "rotations": ""}
    proof = Proof(index=0, entry=entry.decode(), leaf=b64encode(leaf_hash(entry)).decode(), **of_tree)
    documents = Documents(lambda name, _: [] if name == "anomalies_for" else proof)
    arabic, in_english = [
        (await page(OFFICE, "/audit/entries/0", name, read_api=documents)).text for name in ("ar", "en")
    ]
    above = arabic.partition("<details")[0]
    for error in event["data"]["problem"]["errors"]:
        detail = error["detail"]
        assert str(escape(detail)) in in_english
        assert str(escape(arabic_of(detail))) in above
        assert str(escape(detail)) not in above.partition('class="faults"')[2].partition("</ul>")[0]


async def test_an_anomaly_is_read_as_values_and_a_sentence_and_not_as_json() -> None:
    sides: dict[str, Any] = {"claimed": {"on": "2007-01-28", "channels": ["web"]}, "known": {"retired": False}}
    what: Any = {"rule": "already-launched", "type": "service.launched", "subject": "service/S-1", "agency": "health"}
    row = Anomaly(index=7, found_index=7, **what, **sides)
    shown = (await page(OFFICE, "/audit/anomalies", "ar", read_api=Documents(lambda *_: [row]))).text
    for text_of_it in ("28 يناير 2007", "ما هو معروف:", "منتهية: لا", "منافذ الخدمة: الويب", "أُطلقت من قبل."):
        assert text_of_it in re.sub("</?(?:bdi|time|small)[^>]*>", "", shown)
    assert "&#34;on&#34;" not in shown


@every("language", ("ar", "en"))
async def test_a_member_of_an_anomaly_is_read_by_its_name_in_words(language: str) -> None:
    """What each type may claim, and what the rules know."""
    found = []
    for type_name, row in CATALOGUE.items():
        claimed = dict.fromkeys(row.model.model_fields, 1)
        subject = row.subject.pattern.partition("/")[0]
        known = dict.fromkeys((*_KNOWN, *(_KNOWN_OF_CONTRACT if subject == "partnership" else ())), 1)
        what: Any = {"rule": "already-signed", "type": type_name, "subject": f"{subject}/X"}
        found.append(Anomaly(index=7, found_index=7, agency="health", claimed=claimed, known=known, **what))
    answer = await page(OFFICE, "/audit/anomalies", language, read_api=Documents(lambda *_: found))
    assert answer.text.count("<br>") >= sum(len(anomaly.claimed) + len(anomaly.known or {}) for anomaly in found)
    assert re.findall(r"<br>(<code.*?</code>: )", answer.text) == []


def test_a_sentence_has_the_direction_of_its_language_whatever_it_begins_with() -> None:
    missing, english = Bilingual("time غير موجود؛ أضفه.", "time is missing; add it."), Bilingual("No.", "No.")
    assert Words("ar").text(missing) == f'<bdi dir="rtl">{missing.ar}</bdi>'
    assert [Words("ar").text(english), Words("en").text(english)] == ['<bdi dir="ltr">No.</bdi>'] * 2
