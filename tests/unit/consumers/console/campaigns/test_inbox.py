"""What the inbox asks for, and under which headings it shows what it gets."""

from __future__ import annotations

import pytest

from consumers.console.accounts.accounts import Account
from consumers.console.pages.campaigns.inbox import Chosen, agency_fault, asked_of, section_of, sections, whose_of
from consumers.documents.campaigns.campaigns import Channel, StateFilter
from consumers.read_api.resources.campaigns import InboxFilter
from tests.every import every
from tests.world.campaigns import inbox_item
from tests.world.pages import AGENCY, OFFICE, TEAM


@every(
    ("account", "chosen", "asked"),
    [
        (AGENCY, Chosen(), InboxFilter()),
        (AGENCY, Chosen(agency="labour", whose="all"), InboxFilter()),
        (OFFICE, Chosen(), InboxFilter(everyone=True)),
        (OFFICE, Chosen(whose="mine"), InboxFilter()),
        (OFFICE, Chosen(whose="mine", agency="labour"), InboxFilter("labour")),
        (OFFICE, Chosen(agency="NOT A CODE"), InboxFilter(everyone=True)),
        (TEAM, Chosen(), InboxFilter(team="press")),
        (TEAM, Chosen(whose="all", state="any"), InboxFilter(state=None)),
        (
            TEAM,
            Chosen(state="overdue", rule="service-launched", channel="tv"),
            InboxFilter(team="press", state=StateFilter.OVERDUE, channel=Channel.TV, rule="service-launched"),
        ),
        (AGENCY, Chosen(state="unknown", channel="web", rule="\0"), InboxFilter()),
    ],
)
def test_an_account_asks_for_what_it_chose_and_nothing_else(
    account: Account, chosen: Chosen, asked: InboxFilter
) -> None:
    assert asked_of(account, chosen) == asked


def test_only_an_office_and_a_team_choose_between_their_own_and_all() -> None:
    assert [whose_of(account, Chosen()) for account in (OFFICE, AGENCY, TEAM)] == ["all", None, "mine"]


@pytest.mark.parametrize(("code", "is_bad"), [("", False), ("health", False), ("HEALTH", True), ("<b>", True)])
def test_an_agencys_code_has_its_form(code: str, is_bad: bool) -> None:
    assert (agency_fault(code) is not None) is is_bad


def test_what_is_overdue_stands_first() -> None:
    rows = [
        inbox_item(overdue=True),
        inbox_item(paused=True),
        inbox_item(),
        inbox_item(state="completed"),
        inbox_item(state="completed", paused=True),
    ]
    shown = sections(rows)
    assert [(name, len(rows)) for name, _, rows in shown] == [
        ("overdue", 1),
        ("to-do", 1),
        ("paused", 1),
        ("completed", 2),
    ]
    assert sections([]) == []
    assert section_of(inbox_item(state="acknowledged")) == "to-do"


def test_a_choice_is_kept_in_addresses() -> None:
    assert Chosen(state="any", rule="a&b").query(after="x=") == "state=any&rule=a%26b&after=x%3D"
