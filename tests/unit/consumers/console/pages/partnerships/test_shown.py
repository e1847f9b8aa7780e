"""What the pages and the file say of partnerships, accounts and amounts."""

from __future__ import annotations

import csv
import io
from collections.abc import Awaitable, Callable
from typing import Any, cast
from unittest.mock import patch

from consumers.api.reader import ReadAnswer, State
from consumers.console.page_request import Visit
from consumers.console.pages.audit.entry import exact_money
from consumers.console.pages.partnerships import routes
from consumers.console.pages.partnerships.routes import guarantee_formula, listed
from consumers.console.web.language import Words
from consumers.documents.document import document_of, documents_of, label_of
from consumers.documents.ledger.ledger import AccountKind, balance_meaning
from consumers.documents.ledger.partnerships import LISTED, ListedPartnership, OpenPeriod, Partnership
from consumers.documents.ledger.statements import Guarantee, StatementWorking
from consumers.documents.tables import csv_file
from consumers.revenue.statements.paper import settled_paid_owed
from tests.world.entries import TEXT
from tests.world.partnership import DOCUMENT


def test_the_state_of_a_partnership_and_the_meaning_of_an_accounts_sign() -> None:
    closed, ended = {"open_period": None}, {"terminated_on": "2005-02-01"}
    states = [document_of(Partnership, DOCUMENT | changes).state.en for changes in ({}, closed, ended, ended | closed)]
    assert states == ["In force", "All periods closed", "Terminated", "Terminated"]
    for account, balance, said in (
        ("partner-payable:P1", -5, "Accrued to the partner, with the periods that are not closed"),
        ("partner-payable:P1", 5, "Accrued against the partner, with the periods that are not closed"),
        ("cash:P1", -5, "Paid to the partner"),
    ):
        meaning = balance_meaning(account, balance)
        assert (meaning and meaning.en) == said
    assert balance_meaning("collections:P1", 0) is None


def test_one_page_is_enough_to_check_what_is_owed_and_what_is_accrued_and_no_name_has_two_sums() -> None:
    rows = [(label.en, halalas) for label, halalas in settled_paid_owed(paid=300, owed=700, accrued=910)]
    owed, accrued = label_of(Partnership, "payable_halalas").en, AccountKind.PARTNER_PAYABLE.en
    assert rows == [
        ("Settled share, of all closed periods", 1_000),
        ("− Paid", 300),
        (f"= {owed}", 700),
        ("+ Share of the periods that are not closed", 210),
        (f"= {accrued}", 910),
    ]
    assert label_of(ListedPartnership, "payable_halalas").en == label_of(StatementWorking, "payable_halalas").en == owed
    meaning = balance_meaning("partner-payable:P1", -910)
    assert meaning is not None
    assert meaning.en.startswith(accrued)
    assert owed not in meaning.en


def test_a_partnership_whose_periods_are_all_closed_has_no_open_one() -> None:
    period = {"partnership_id": "P1", "period": "2005-02", "expected_halalas": 100, "net_halalas": 40}
    closed = DOCUMENT | {"partnership_id": "P2", "open_period": None}
    rows = listed(documents_of(Partnership, [DOCUMENT, closed]), [document_of(OpenPeriod, period)])
    assert csv_file(LISTED, rows).removeprefix("\ufeff").splitlines() == [
        "partnership_id,agency,partner_id,partner_name_ar,partner_name_en,services,terminated_on,open_period,"
        "expected_halalas,net_halalas,payable_halalas",
        f"P1,health,CO,{TEXT['ar']},{TEXT['en']},S1 S2,,2005-02,100,40,-5",
        f"P2,health,CO,{TEXT['ar']},{TEXT['en']},S1 S2,,,0,0,-5",
    ]


def test_a_fraction_of_a_halala_is_shown_with_every_digit_and_a_formula_is_isolated_as_a_whole() -> None:
    assert str(exact_money(Words("en"), "79/20")) == '<span class="money"><bdi dir="ltr">SAR 0.0395</bdi></span>'
    assert str(exact_money(Words("ar"), "-79/20")) == '<span class="money"><bdi dir="ltr">-0.0395</bdi> ر.س</span>'
    assert exact_money(Words("en"), 395) == Words("en").money(395)
    guarantee = Guarantee(
        partner_floor_bp_of_expected=5_050,
        recoverable=True,
        expected_halalas=1_000,
        guarantee_halalas=505,
        top_up_outstanding_before_halalas=0,
    )
    assert str(guarantee_formula(guarantee)) == '<bdi dir="ltr" class="formula">50.5% × 10.00 = 5.05</bdi>'
    assert str(guarantee_formula(None)) == ""


IDS = [f"P{number}" for number in range(5)]


class Reading:
    """Somebody who reads whole lists."""

    reader = None
    all_rows = Visit.all_rows


def pages(rows: list[Any]) -> Callable[..., Awaitable[ReadAnswer[list[Any]]]]:
    """Answers pages of two rows."""

    async def page(_: object, limit: int, after: str | None = None) -> ReadAnswer[list[Any]]:
        assert limit > 2
        start = int(after or 0)
        return ReadAnswer(rows[start : start + 2], State([0]), str(start + 2) if start + 2 < len(rows) else None)

    return page


async def test_every_page_of_the_list_is_in_the_file() -> None:
    sums = {"period": "2005-01", "expected_halalas": 1, "net_halalas": 2}
    partnerships: list[Any] = documents_of(Partnership, [DOCUMENT | {"partnership_id": name} for name in IDS])
    # the last one has no open period
    periods: list[Any] = documents_of(OpenPeriod, [sums | {"partnership_id": name} for name in IDS[:-1]])
    answers = patch.multiple(routes, partnerships_for=pages(partnerships), open_periods_for=pages(periods))
    with answers:
        response = await routes.partnerships_file(cast(Visit, Reading()))
    rows = list(csv.DictReader(io.StringIO(bytes(response.body).decode("utf-8-sig"))))
    assert [found["partnership_id"] for found in rows] == IDS
    assert [found["open_period"] for found in rows] == ["2005-01"] * 4 + [""]
