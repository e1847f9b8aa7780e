"""What the inbox asks for, and under which headings it shows what it gets."""

from __future__ import annotations

from consumers.api.resources.campaigns import InboxFilter
from consumers.console.accounts.accounts import Account
from consumers.console.pages.campaigns.inbox import Chosen, agency_fault, asked_of, whose_of
from consumers.documents.campaigns.campaigns import Channel, Section, StateFilter, sections
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
        (TEAM, Chosen(whose="all", state="any"), InboxFilter(state="any")),
        (
            TEAM,
            Chosen(state="overdue", rule="service-launched", channel="tv"),
            InboxFilter(team="press", state=StateFilter.OVERDUE, channel=Channel.TV, rule="service-launched"),
        ),
        (AGENCY, Chosen(state="unknown", channel="web", rule="\0"), InboxFilter()),
        (AGENCY, Chosen(rule="r" * 65), InboxFilter(rule="r" * 64)),
    ],
)
def test_an_account_asks_for_what_it_chose_alone(account: Account, chosen: Chosen, asked: InboxFilter) -> None:
    assert asked_of(account, chosen) == asked


def test_only_an_office_and_a_team_choose_and_a_choice_is_kept_in_addresses() -> None:
    assert [whose_of(account, Chosen()) for account in (OFFICE, AGENCY, TEAM)] == ["all", None, "mine"]
    assert Chosen(state="any", rule="a&b").query(after="x=") == "state=any&rule=a%26b&after=x%3D"
    assert [code for code in ("", "health", "HEALTH", "<b>") if agency_fault(code)] == ["HEALTH", "<b>"]


def test_what_is_overdue_stands_first() -> None:
    completed = {"state": "completed"}
    rows = [
        inbox_item(**given)
        for given in ({"overdue": True}, {"paused": True}, {}, completed, {**completed, "paused": True})
    ]
    sizes = [(section.value, len(rows)) for section, rows in sections(rows)]
    assert sizes == [("overdue", 1), ("to-do", 1), ("paused", 1), ("completed", 2)]
    assert sections([]) == []
    assert inbox_item(state="acknowledged").section is Section.TO_DO
