"""The partnerships' pages: from what is owed to its entries, other terms, and a table compared with the log."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import httpx
import pytest

from events.values.money import riyals_text
from tests.browser.console import Language, Story

OWN = "/partnerships/PPP-110-001"
STATEMENT = f"{OWN}/statements/1426-09"
HEADER = "reference,booked,amount\n"
ROWS = "R-0001,2005-08-08,26059.00\nR-0002,2005-08-15,31981.51\nR-9999,2005-08-20,1.00\n"
SAYS: dict[str, dict[Language, str]] = {
    "statement": {"ar": "كشف", "en": "Statement"},
    "owed": {"ar": "مستحق للشريك", "en": "Owed to the partner"},
    "agrees": {"ar": "الجدول والسجل متفقان", "en": "The table agrees with the log"},
    "rate": {"ar": "اكتب نسبة", "en": "Write a rate"},
    "compare": {"ar": "قارن", "en": "Compare"},
    "missing": {"ar": "ناقص في السجل", "en": "Missing in the log"},
    "different": {"ar": "المبلغ في الملف", "en": "The amount is"},
}
LANGUAGES: tuple[Language, ...] = ("ar", "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_from_the_list_to_a_figure_and_its_entries(story: Story, language: Language) -> None:
    statement = story.system.run("ledger", "statement", "PPP-110-001", "1426-09")
    with story.visit("treasury", language) as visitor:
        page = visitor.open("/partnerships")
        row = page.locator("tbody tr", has_text="PPP-110-001")
        assert SAYS["owed"][language] in row.inner_text()
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
        assert SAYS["agrees"][language] in page.locator(".notice").inner_text()
        assert page.locator(".formula").inner_text() == "max(0.00, 65,000.00 − 36,400.00) = 28,600.00"
        entries = page.locator('main a[href^="/audit/entries/"]').all()
        assert f"/audit/entries/{statement['closing_index']}" in [entry.get_attribute("href") for entry in entries]


def test_a_partner_sees_its_own_only(story: Story) -> None:
    with story.visit("partner", "en") as visitor:
        page = visitor.open("/partnerships")
        assert page.locator("tbody tr").count() == 1
        for path in ("", "/forecast", "/what-if", "/ledger", "/ledger/cash", "/reconcile", "/statements/2006-Q2"):
            visitor.open(f"/partnerships/PPP-110-002{path}", 404)
        for path in ("/statements/1426-09/explain/no-such", "/statements/1427-02", "/statements/1426-09/files/exe"):
            visitor.open(f"{OWN}{path}", 404)


def test_a_statement_comes_as_a_file(story: Story) -> None:
    begins = {"pdf": b"%PDF-", "csv": b"\xef\xbb\xbfindex,id,", "xlsx": b"PK", "parquet": b"PAR1", "json": b'{"partner'}
    with story.visit("partner", "en") as visitor:
        cookies = {found["name"]: found["value"] for found in visitor.page.context.cookies()}
    for name, start in begins.items():
        answer = httpx.get(f"{story.address}{STATEMENT}/files/{name}", cookies=cookies, timeout=60)
        assert answer.status_code == 200, name
        assert answer.content.startswith(start), name
        assert answer.headers["content-disposition"] == f'attachment; filename="PPP-110-001-1426-09.{name}"'
    listed = httpx.get(f"{story.address}/partnerships.csv", cookies=cookies).text
    (row,) = csv.DictReader(io.StringIO(listed.removeprefix("\ufeff")))
    assert row["partnership_id"] == "PPP-110-001"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_slider_moves_its_number_and_the_result_without_loading_the_page(story: Story, language: Language) -> None:
    with story.visit("partner", language) as visitor:
        page = visitor.open(f"{OWN}/what-if")
        slider = page.locator('[data-for="rate0"]')
        slider.focus()
        page.keyboard.press("Home")
        assert page.input_value("#rate0") == "0"
        page.locator("#result table").wait_for()
        assert "rate0=0" in page.url
        page.fill("#rate0", "200")
        page.locator("#what-if .notice-bad").wait_for()
        assert SAYS["rate"][language] in page.locator("#what-if .notice-bad").inner_text()


def test_what_if_works_without_script(story: Story) -> None:
    with story.visit("auditor", "ar", java_script_enabled=False) as visitor:
        page = visitor.open(f"{OWN}/what-if")
        assert not page.locator('[data-for="rate0"]').is_visible()
        page.fill("#rate0", "٦٥")
        page.fill("#floor", "")
        page.click("main form button")
        assert page.locator("#result tbody tr").count() > 1
        assert page.input_value("#rate0") == "٦٥", "what was typed stays"
        page.fill("#limit0", "<b>")
        page.click("main form button")
        assert page.input_value("#limit0") == "<b>"
        assert page.locator("#limit0-fault").is_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_banks_table_is_compared_with_the_log(story: Story, language: Language, tmp_path: Path) -> None:
    table = tmp_path / "bank.csv"
    table.write_text(HEADER + ROWS, encoding="utf-8")
    with story.visit("partner", language) as visitor:
        page = visitor.open(f"{OWN}/reconcile")
        page.set_input_files("#table", table)
        page.fill("#date_column", "booked")
        page.fill("#amount_column", "amount")
        page.fill("#id_column", "reference")
        page.get_by_role("button", name=SAYS["compare"][language]).press("Enter")
        findings = page.locator("#findings tbody tr")
        findings.first.wait_for()
        texts = findings.all_inner_texts()
        assert SAYS["different"][language] in texts[0]
        assert SAYS["missing"][language] in texts[1]
        assert "R-9999" in texts[1]
        page.set_input_files("#table", table)
        page.fill("#date_column", "no such column")
        page.get_by_role("button", name=SAYS["compare"][language]).press("Enter")
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
