"""A printed statement, checked as by a person who has the page and a pocket calculator, and nothing else."""

from __future__ import annotations

import json
import re
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from fractions import Fraction
from importlib import resources
from typing import Any
from unittest.mock import patch

import typst

from consumers.documents.ledger.statements import Payout, Statement
from consumers.revenue.consumer import CONSUMER
from consumers.revenue.statements.formats import to_html, to_pdf
from consumers.revenue.statements.paper import DAYS_SHOWN_MAX, Paper, statement_paper
from consumers.revenue.statements.words import date_text
from consumers.revenue.statements.working import StatementParts, statement_days
from events.values.bilingual import Bilingual
from tests.every import every
from tests.oracle.history import REVENUE, entries_from, generate
from tests.page_rules import Document, Element
from tests.pdf_text import pdf_lines
from tests.unit.consumers.revenue.statements.workings import PROVENANCE, WORKED, WORKED_RECEIPTS, parts_of, told
from tests.world.entries import entry_of
from tests.world.ledger import R7, SEVENTY_THEN_FIFTY, months, signed
from tests.world.memory_store import MemoryStore


@dataclass
class Section:
    """A table of the page: the English heading, and the rows with the last text of each cell."""

    heading: str
    rows: list[list[str]]


def last_text(element: Element) -> str:
    """Where it is in two languages, the English text is the last one."""
    return (element.inside[-1] if element.inside else element).text.strip()


class Page:
    """The sections of a page."""

    def __init__(self, html: str) -> None:
        self.sections = []
        for section in Document(html).all("section"):
            (heading,) = (element for element in section.inside if element.tag == "h2")
            rows = [row.inside for row in section.inside if row.tag == "tr"]
            cells = [[last_text(cell) for cell in row if cell.tag in ("td", "th")] for row in rows]
            self.sections.append(Section(last_text(heading), cells))

    def of(self, heading: str) -> list[Section]:
        return [section for section in self.sections if section.heading.startswith(heading)]

    def fact(self, heading: str, label: str) -> int:
        """A figure of a table of labels and values, in halalas."""
        (section,) = self.of(heading)
        (value,) = (row[1] for row in section.rows if row[2].startswith(label))
        return halalas(value)


def riyals(text: str) -> Fraction:
    return Fraction(text.replace(",", ""))


def halalas(text: str) -> int:
    amount = riyals(text) * 100
    assert amount.denominator == 1
    return amount.numerator


def rate(text: str) -> Fraction:
    return Fraction(text.removesuffix("%")) / 100


def bands(section: Section) -> list[tuple[Fraction, Fraction | None, Fraction]]:
    found = []
    for text, per_cent in section.rows[1:]:
        limits = [riyals(number) for number in re.findall(r"[0-9][0-9,]*\.[0-9]+", text)]
        found.append((limits[0], limits[1] if len(limits) > 1 else None, rate(per_cent)))
    return found


def share_of(sum_: Fraction, priced: list[tuple[Fraction, Fraction | None, Fraction]]) -> Fraction:
    """The share of a cumulative sum, band by band, rounded down to the halala."""
    share = Fraction(0)
    for low, high, per_cent in priced:
        share += max(Fraction(0), (sum_ if high is None else min(sum_, high)) - low) * per_cent
    return Fraction((share * 100).__floor__(), 100)


def check_by_hand(page: Page) -> None:
    """Everything that a reader can compute from the page alone."""
    due = "Shares of the period"
    base, total = page.fact(due, "Partner's base share"), page.fact(due, "= Partner's share, total")
    net = page.fact("Revenue", "= Net")
    assert net == page.fact("Revenue", "+ Collected") - page.fact("Revenue", "− Reversed")
    assert page.fact("Revenue", "Closing") == page.fact("Revenue", "Opening") + net
    assert total == base + page.fact(due, "+ Top-up") - page.fact(due, "− Recovered")
    assert page.fact(due, "Treasury") == net - total

    shared, moved = 0, Fraction(0)
    groups = zip(page.of("Bands of"), page.of("Partner's share under"), page.of("Cumulative sums"), strict=True)
    for terms, by_band, sums in groups:
        priced = bands(terms)
        exact = Fraction(0)
        for name, amount, per_cent, share in by_band.rows[1:]:
            if amount:
                assert riyals(amount) * rate(per_cent) == riyals(share), name
                moved += riyals(amount)
            if name != "Partner's share":
                exact += riyals(share)
        assert exact == riyals(by_band.rows[-1][3])
        grown = Fraction(0)
        for before, its_share, after, share_after, difference in sums.rows[1:-1]:
            assert share_of(riyals(before), priced) == riyals(its_share)
            assert share_of(riyals(after), priced) == riyals(share_after)
            assert riyals(difference) == riyals(share_after) - riyals(its_share)
            grown += riyals(difference)
        assert grown == riyals(sums.rows[-1][4]) == exact
        shared += halalas(sums.rows[-1][4])
    assert shared == base
    assert moved * 100 == net
    check_days(page, moved)

    for guarantee in page.of("Guarantee"):
        figures = {row[2].partition(" =")[0]: row[1] for row in guarantee.rows}
        formula = next(row[2] for row in guarantee.rows if row[2].startswith("Guaranteed ="))
        per_cent, expected = formula.removeprefix("Guaranteed = ").split(" × ")
        least = (rate(per_cent) * riyals(expected) * 100).__floor__()
        assert least == halalas(figures["Guaranteed"])
        assert halalas(figures["Top-up"]) == max(0, least - base) == page.fact(due, "+ Top-up")
        if "Recovered" in figures:
            outstanding = halalas(figures["Top-up outstanding before"])
            recovered = min(outstanding, max(0, base - least))
            assert halalas(figures["Recovered"]) == recovered == page.fact(due, "− Recovered")
            assert halalas(figures["Top-up outstanding after"]) == outstanding + max(0, least - base) - recovered


def check_days(page: Page, moved: Fraction) -> None:
    """The lines by day and band, and their sums: they are the bands' amounts and shares before rounding."""
    by_day, by_band = [Fraction(0), Fraction(0)], [Fraction(0), Fraction(0)]
    for section in page.of("Days and bands"):
        for _, band, amount, per_cent, share in section.rows[1:-1]:
            if band:
                assert riyals(amount) * rate(per_cent) == riyals(share)
        for number, at in enumerate((2, 4)):
            assert sum(riyals(row[at]) for row in section.rows[1:-1]) == riyals(section.rows[-1][at])
            by_day[number] += riyals(section.rows[-1][at])
    for section in page.of("Partner's share under"):
        for _, amount, _, share in section.rows[1:]:
            if amount:
                by_band = [by_band[0] + riyals(amount), by_band[1] + riyals(share)]
    assert by_day == by_band
    assert by_day[0] == moved


def paper_of(parts: StatementParts) -> Paper:
    return statement_paper(parts, statement_days(parts.partnership.versions, parts.postings))


def pages(store: MemoryStore) -> Iterator[tuple[Statement, Page]]:
    for parts in parts_of(store):
        yield parts.working.statement, Page(to_html(paper_of(parts)))


@every(
    ("terms", "periods", "shares"),
    [
        ({"bands": WORKED}, [list(WORKED_RECEIPTS)], ["18,500,000.17"]),
        ({"bands": WORKED}, [[a] for a in WORKED_RECEIPTS], ["4,200,000.00", "5,800,000.00", "8,500,000.17"]),
        (R7[0], [[1000], [199], [1], [300]], ["7.00", "0.99", "0.01", "0.30"]),
        (R7[1], [[1000], [500], [501]], ["7.00", "0.50", "0.50"]),
    ],
)
def test_the_worked_case_and_r7s_vectors(terms: dict[str, Any], periods: list[list[int]], shares: list[str]) -> None:
    found = [page for _, page in pages(told(periods, **terms))]
    for page in found:
        check_by_hand(page)
    assert [page.of("Cumulative sums")[0].rows[-1][4] for page in found] == shares


def test_a_guarantee_and_its_recovery() -> None:
    expected = [{"period": label, "amount_halalas": 1001} for label in months(1, 12)]
    guarantee = {"partner_floor_bp_of_expected": 3333, "recoverable": True}
    found = list(pages(told([[100], [900], []], guarantee=guarantee, expected=expected)))
    assert [(s.top_up_halalas, s.recovered_halalas) for s, _ in found] == [(263, 0), (0, 263), (333, 0)]
    for _, page in found:
        check_by_hand(page)


def test_many_days_are_one_line_beyond_a_bound_and_a_long_table_goes_on_over_the_page() -> None:
    own = signed(period="quarter", bands=SEVENTY_THEN_FIFTY)
    assert own.collect("R", 500, "2005-01-01") is None
    for day in (f"2005-0{month}-{day:02d}" for month in (1, 2, 3) for day in range(1, 29)):
        # Up and down over the bound of the first band: two lines a day.
        assert own.collect(f"R{day}", 1000, day) is None
        assert own.reverse(f"V{day}", f"R{day}", 999, day) is None
    assert own.close("2005-Q1") is None
    ((_, page),) = pages(own.store)
    check_by_hand(page)
    (section,) = page.of("Days and bands")
    assert len(section.rows) == 1 + DAYS_SHOWN_MAX + 2
    assert re.fullmatch(r"[0-9]+ more, in the CSV file", section.rows[-2][0])


def test_the_page_says_how_it_is_proven_and_after_which_entry_what_is_owed() -> None:
    (parts,) = parts_of(told([[100]]))
    html = to_html(paper_of(parts))
    for words in (
        "yesser ledger prove-statement P1 2005-01 --into P1-2005-01",
        "yesser ledger verify-statement P1-2005-01 --vkey VKEY",
        f"After log entry {parts.partnership.last_index}.",
        f"checkpoint: 7 entries, root {PROVENANCE.checkpoint.root}",
        PROVENANCE.link,
    ):
        assert words in html


@every("payout_id", ["p" * 64, "SARIE_PAYOUT_2005_03_01_0000000000123456", f"P-{'1.2_' * 9}-3"])
def test_in_the_pdf_a_long_id_can_go_on_in_the_next_line_and_no_amount_and_no_arabic_date_can(payout_id: str) -> None:
    """An id that typst cannot break is printed over the amount beside it; one with added characters cannot be found."""
    (parts,) = parts_of(told([[90_071_992_547_409]]))
    paid = Payout(payout_id=payout_id, amount_halalas=12_345, paid_on="2005-03-01", index=7)
    paper = paper_of(replace(parts, payouts=[paid]))
    with patch.object(typst, "compile", wraps=typst.compile) as compiled:
        pdf = to_pdf(paper)
    characters = _characters(pdf)
    assert "0030" in characters, "the digit 0"
    assert not characters & {"00AD", "200B", "2060", "2066", "2067", "2068", "2069", "FEFF"}
    sheets = json.loads(compiled.call_args.kwargs["sys_inputs"]["paper"])["sheets"]
    texts = [text for sheet in sheets for row in sheet["rows"] for cell in row for text in _texts(cell)]
    (broken,) = re.findall(r'show regex\("(.*)"\): it => {', _template())
    assert [found for text in texts for found in re.findall(broken, text)] == [payout_id, payout_id]
    assert re.findall(broken, f"كشف الشراكة {payout_id} 2005-01") == [f"{payout_id} 2005-01"]
    assert payout_id in to_html(paper)
    for text in (f'"{payout_id}"', f'english("{payout_id}")'):
        _require_lines(text)
    (kept,) = re.findall(r'#show regex\("(.*)"\): it => box\(it\)', _template())
    date = date_text("2005-02-09")
    assert re.findall(kept, date.ar) == ["(\u20681425-12-29\u2069 هـ)"]
    assert not re.search(kept, date.en), "a box in English would stand on the wrong side of its date"


def test_a_search_in_the_pdf_finds_every_phrase_amount_and_date() -> None:
    (parts,) = parts_of(told([[90_071_992_547_409]]))
    paper = paper_of(parts)
    found = "\n".join(pdf_lines(to_pdf(paper)))
    on_one_line = re.compile(r"[=+−\u0620-\u0670 ]{1,40}")
    labels = [text.ar for text in _bilingual(paper) if on_one_line.fullmatch(text.ar)]
    assert {"الشريك", "الإيراد بالريال", "= المستحق للشريك", "الرصيد التراكمي الختامي"} <= set(labels)
    spoken = [re.sub("[\u064b-\u0652]", "", label) for label in labels]
    assert [phrase for phrase in spoken if phrase not in found] == []
    assert "الإيراد المحصل" in found, "without the sign that it is printed with on the page"
    figures = [figure for text in _bilingual(paper) for figure in re.findall(r"[\d,]+\.\d\d|\d{4}-\d\d-\d\d", text.en)]
    assert len(set(figures)) > 3
    assert [figure for figure in (*figures, "900,719,925,474.09") if figure not in found] == []


def _bilingual(part: Any) -> Iterator[Bilingual]:
    if isinstance(part, Bilingual):
        yield part
    elif is_dataclass(part) or isinstance(part, list | tuple):
        inside = part if isinstance(part, list | tuple) else [getattr(part, field.name) for field in fields(part)]
        yield from (text for one in inside for text in _bilingual(one))


def _template() -> str:
    return resources.files("consumers.revenue.statements").joinpath("statement.typ").read_text(encoding="utf-8")


def _characters(pdf: bytes) -> set[str]:
    """What the glyphs of a PDF are as text, in hexadecimal."""
    maps = [part.decode() for part in _parts(pdf) if b"beginbfchar" in part]
    glyphs = [text for written in maps for text in re.findall(r"<[0-9A-F]{4}> <([0-9A-F]+)>", written)]
    return {code for text in glyphs for code in re.findall("....", text)}


def _parts(pdf: bytes) -> Iterator[bytes]:
    return map(zlib.decompress, re.findall(rb"FlateDecode.*?stream\r?\n(.*?)endstream", pdf, re.DOTALL))


def _require_lines(text: str) -> None:
    """Has typst raise an error where the text stays on one line of a column that is too narrow for it."""
    measured = f'#context assert(measure(with-breaks({text}), width: 50mm).height > 1.5 * measure("p").height)'
    typst.compile((_template().partition("#let soft")[0] + measured).encode(), format="pdf", sys_inputs={"paper": "{}"})


def _texts(cell: Any) -> list[str]:
    return [cell] if isinstance(cell, str) else list(cell.values())


def test_every_statement_of_generated_histories() -> None:
    checked: dict[str, int] = defaultdict(int)
    for seed in range(4):
        store = MemoryStore()
        store.apply(CONSUMER, [entry_of(made) for made in entries_from(generate(seed, 300, REVENUE))])
        for statement, page in pages(store):
            if any("≈" in cell for section in page.sections for row in section.rows for cell in row):
                checked["with a cap between halalas"] += 1
                continue
            check_by_hand(page)
            checked["reversed"] += bool(statement.reversed_halalas)
            checked["topped up"] += bool(statement.top_up_halalas)
            checked["by hand"] += 1
    assert checked["by hand"] > 20
    assert checked["reversed"]
    assert checked["topped up"]
