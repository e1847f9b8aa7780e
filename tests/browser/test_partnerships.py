"""The partnerships' pages: from what is owed to its entries, other terms, and a table compared with the log."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from events.values.money import riyals_text
from tests.browser.console import Story

OWN = "/partnerships/PPP-110-001"
STATEMENT = f"{OWN}/statements/1426-09"
HEADER = "reference,booked,amount\n"
ROWS = "R-0001,2005-08-08,26059.00\nR-0002,2005-08-15,31981.51\nR-9999,2005-08-20,1.00\n"


def test_from_the_list_to_a_figure_and_its_entries(story: Story) -> None:
    statement = story.run("ledger", "statement", "PPP-110-001", "1426-09")
    with story.visit("treasury", "en") as visitor:
        page = visitor.open("/partnerships")
        row = page.locator("tbody tr", has_text="PPP-110-001")
        assert "Owed to the partner" in row.inner_text()
        row.locator("th a").click()
        page.wait_for_url(f"**{OWN}")
        page.locator("tbody a", has_text="1426-09").click()
        page.wait_for_url(f"**{STATEMENT}")
        for name in ("collected_halalas", "partner_total_halalas", "treasury_total_halalas", "top_up_halalas"):
            shown = page.locator(f'main a[href$="/explain/{name}"]').last.inner_text()
            assert riyals_text(statement[name]) in shown
        assert (
            f"50% × {riyals_text(statement['expected_halalas'])} = {riyals_text(statement['guarantee_halalas'])}"
            in (page.locator(".formula").inner_text())
        )
        page.locator('main a[href$="/explain/top_up_halalas"]').last.click()
        page.wait_for_url("**/explain/top_up_halalas")
        assert "The table agrees with the log" in page.locator("div.notice").inner_text()
        assert page.locator(".formula").inner_text() == "max(0.00, 65,000.00 − 36,400.00) = 28,600.00"
        entries = page.locator('main a[href^="/audit/entries/"]').all()
        assert f"/audit/entries/{statement['closing_index']}" in [entry.get_attribute("href") for entry in entries]


def test_a_partner_sees_its_own_only(story: Story) -> None:
    shown = set(re.findall('href="/partnerships/(PPP[^"/]+)"', story.get("partner", "/partnerships").text))
    assert shown == {"PPP-110-001"}
    for path in (f"{STATEMENT}/explain/no-such", f"{STATEMENT}/files/exe", "/partnerships/PPP-110-002/ledger/cash"):
        assert story.get("partner", path).status_code == 404, path


def test_a_statement_comes_as_a_file(story: Story) -> None:
    begins = {"pdf": b"%PDF-", "csv": b"\xef\xbb\xbfindex,id,", "xlsx": b"PK", "parquet": b"PAR1", "json": b'{"partner'}
    for name, start in begins.items():
        answer = story.get("partner", f"{STATEMENT}/files/{name}")
        assert answer.status_code == 200, name
        assert answer.content.startswith(start), name
        assert answer.headers["content-disposition"] == f'attachment; filename="PPP-110-001-1426-09.{name}"'
    listed = story.get("partner", "/partnerships.csv").text
    (row,) = csv.DictReader(io.StringIO(listed.removeprefix("\ufeff")))
    assert row["partnership_id"] == "PPP-110-001"


def test_a_slider_moves_its_number_and_the_result_without_loading_the_page(story: Story) -> None:
    with story.visit("partner", "ar") as visitor:
        page = visitor.open(f"{OWN}/what-if")
        slider = page.locator('[data-for="rate0"]')
        slider.focus()
        page.keyboard.press("Home")
        assert page.input_value("#rate0") == "0"
        page.locator("#result table").wait_for()
        assert "rate0=0" in page.url
        page.fill("#rate0", "200")
        page.locator("#what-if .notice-bad").wait_for()
        assert "اكتب نسبة" in page.locator("#what-if .notice-bad").inner_text()


def test_what_if_works_without_script(story: Story) -> None:
    text = story.get("auditor", f"{OWN}/what-if?form=1&rate0=٦٥&floor=").text
    assert text.partition('id="result"')[2].count("<tr") > 2
    assert 'value="٦٥"' in text, "what was typed stays"
    assert 'data-for="rate0" data-unit="basis-points" aria-label' in text
    wrong = story.get("auditor", f"{OWN}/what-if?form=1&limit0=%3Cb%3E")
    assert (wrong.status_code, 'id="limit0-fault"' in wrong.text) == (422, True)
    assert 'value="&lt;b&gt;"' in wrong.text


def test_a_banks_table_is_compared_with_the_log(story: Story, tmp_path: Path) -> None:
    table = tmp_path / "bank.csv"
    table.write_text(HEADER + ROWS, encoding="utf-8")
    with story.visit("partner", "ar") as visitor:
        page = visitor.open(f"{OWN}/reconcile")
        page.set_input_files("#table", table)
        page.get_by_role("button", name="اقرأ الجدول").press("Enter")
        page.locator("#read tbody tr").first.wait_for()
        assert page.locator("#findings").count() == 0, "nothing is compared before it was seen"
        page.get_by_role("button", name="قارن", exact=True).press("Enter")
        findings = page.locator("#findings tbody tr")
        findings.first.wait_for()
        page.set_viewport_size({"width": 360, "height": 800})
        assert page.locator("#findings .scroll").evaluate("one => one.scrollWidth <= one.clientWidth")
        texts = findings.all_inner_texts()
        assert "المبلغ في الملف" in texts[0]
        assert "ناقص في السجل" in texts[1]
        assert "R-9999" in texts[1]
        page.get_by_role("button", name="صحح قراءة الجدول").press("Enter")
        page.select_option("#id", "")  # without the file: it is corrected, and remembered
        page.get_by_role("button", name="قارن", exact=True).press("Enter")
        page.locator("#findings").wait_for()
        page.set_input_files("#table", table)
        page.get_by_role("button", name="اقرأ الجدول").press("Enter")
        page.locator("#findings").wait_for()
        page.get_by_role("button", name="صحح قراءة الجدول").press("Enter")
        page.locator("#id option:checked[value='']").wait_for(state="attached")


def test_a_delimiter_that_the_header_hides_is_said_by_hand(story: Story, tmp_path: Path) -> None:
    table = tmp_path / "bank.csv"
    table.write_text("day;a,b\n2005-01-05;1.00\n", encoding="utf-8")
    with story.visit("partner", "en", java_script_enabled=False) as visitor:
        page = visitor.open(f"{OWN}/reconcile")
        page.set_input_files("#table", table)
        page.get_by_role("button", name="Read the table").click()
        page.get_by_role("alert").wait_for()
        page.select_option("#delimiter", "Semicolon")
        page.get_by_role("button", name="Read it with this delimiter").click()
        page.locator("#read").wait_for()
        assert page.locator("#date option").all_inner_texts() == ["day", "a,b"]
        table.write_text("day;sum\n2005-01-05;1.00\n2005-01-06,1.00\n", encoding="utf-8")
        page.set_input_files("#table", table)
        page.get_by_role("button", name="Read the table").click()
        page.get_by_text("Line 3 and the header").wait_for()
        assert page.locator("#delimiter").input_value() == "Semicolon", "what it was read with"


def test_the_ledger_leads_from_an_account_to_entries(story: Story) -> None:
    assert f'href="{OWN}/ledger/partner-payable"' in story.get("auditor", f"{OWN}/ledger").text
    rows = story.get("auditor", f"{OWN}/ledger/partner-payable").text.rpartition("<tbody>")[2].split("</tr>")[:-1]
    assert rows
    assert all("Accrued to the partner" in row and 'href="/audit/entries/' in row for row in rows)
