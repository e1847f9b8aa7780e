"""The partnerships' pages: from what is owed to its entries, other terms, and a table compared with the log."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from playwright.sync_api import expect

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
        assert "The table agrees with the log" in page.locator(".notice").inner_text()
        assert page.locator(".formula").inner_text() == "max(0.00, 65,000.00 − 36,400.00) = 28,600.00"
        entries = page.locator('main a[href^="/audit/entries/"]').all()
        assert f"/audit/entries/{statement['closing_index']}" in [entry.get_attribute("href") for entry in entries]


def test_a_partner_sees_its_own_only(story: Story) -> None:
    assert set(re.findall('href="/partnerships/(PPP[^"/]+)"', story.get("partner", "/partnerships").text)) == {
        "PPP-110-001"
    }
    for path in ("", "/forecast", "/what-if", "/ledger", "/ledger/cash", "/reconcile", "/statements/2006-Q2"):
        assert story.get("partner", f"/partnerships/PPP-110-002{path}").status_code == 404, path
    for path in ("/statements/1426-09/explain/no-such", "/statements/1427-02", "/statements/1426-09/files/exe"):
        assert story.get("partner", f"{OWN}{path}").status_code == 404, path


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
    with story.visit("auditor", "ar", java_script_enabled=False) as visitor:
        page = visitor.open(f"{OWN}/what-if")
        assert not page.locator('[data-for="rate0"]').is_visible()
        page.fill("#rate0", "٦٥")
        page.fill("#floor", "")
        page.click("main form button")
        expect(page.locator("#result tbody tr").nth(1)).to_be_visible()
        assert page.input_value("#rate0") == "٦٥", "what was typed stays"
        page.fill("#limit0", "<b>")
        page.click("main form button")
        expect(page.locator("#limit0-fault")).to_be_visible()
        assert page.input_value("#limit0") == "<b>"


def test_a_banks_table_is_compared_with_the_log(story: Story, tmp_path: Path) -> None:
    table = tmp_path / "bank.csv"
    table.write_text(HEADER + ROWS, encoding="utf-8")
    with story.visit("partner", "ar") as visitor:
        page = visitor.open(f"{OWN}/reconcile")
        page.set_input_files("#table", table)
        page.fill("#date_column", "booked")
        page.fill("#amount_column", "amount")
        page.fill("#id_column", "reference")
        page.get_by_role("button", name="قارن").press("Enter")
        findings = page.locator("#findings tbody tr")
        findings.first.wait_for()
        texts = findings.all_inner_texts()
        assert "المبلغ في الملف" in texts[0]
        assert "ناقص في السجل" in texts[1]
        assert "R-9999" in texts[1]
        page.set_input_files("#table", table)
        page.fill("#date_column", "no such column")
        page.get_by_role("button", name="قارن").press("Enter")
        page.locator(".notice-bad").wait_for()
        assert page.input_value("#date_column") == "no such column", "what was typed stays"


def test_the_ledger_leads_from_an_account_to_entries(story: Story) -> None:
    with story.visit("auditor", "en") as visitor:
        page = visitor.open(f"{OWN}/ledger")
        page.get_by_role("link", name="Payable to the partner").first.click()
        page.wait_for_url(f"**{OWN}/ledger/partner-payable")
        rows = page.locator("table").last.locator("tbody tr")
        assert all("Payable to the partner" in text for text in rows.all_inner_texts())
        assert (rows.first.locator("a").get_attribute("href") or "").startswith("/audit/entries/")
