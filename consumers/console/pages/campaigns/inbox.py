"""`/campaigns`: what a team must do, what is overdue first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal
from urllib.parse import parse_qs, urlencode, urlsplit

from fastapi import APIRouter, Query
from fastapi.responses import Response

from consumers.campaigns.next_step import time_left
from consumers.campaigns.rules.in_force import rules_in_force
from consumers.console.accounts.accounts import Account
from consumers.console.data.read_api import Answer, NotAnswered
from consumers.console.pages.campaigns import wording
from consumers.console.visit import Visit, Visiting
from consumers.documents import campaigns as nouns
from consumers.documents import tables
from consumers.documents.campaigns import CHANNELS, INBOX, CampaignState, Channel, InboxCounts, InboxItem, StateFilter
from consumers.documents.document import document_of, documents_of
from events.faults.problems import Bilingual
from events.values.fields import CODE_PATTERN
from events.values.working_days import riyadh_date
from events.wire.entry import recorded_time

PAGE_ROWS: Final = 30
CSV_PAGE_ROWS: Final = 1_000
_NOT_FOUND: Final = 404
_ANY: Final = Bilingual("كل الحملات", "All campaigns")
_STATES: Final = {**{state.value: state for state in StateFilter}, "any": _ANY}
_SECTIONS: Final = (
    ("overdue", Bilingual("متأخرة", "Overdue")),
    ("to-do", Bilingual("للتنفيذ", "To do")),
    ("paused", Bilingual("موقوفة: لا عمل الآن", "Paused: nothing to do now")),
    ("completed", Bilingual("اكتملت", "Completed")),
)
Whose = Literal["mine", "all"]

routes = APIRouter()


@dataclass(frozen=True, slots=True)
class Chosen:
    """What somebody chose to see, as the form of the page gives it."""

    whose: str = ""
    state: str = ""
    rule: str = ""
    channel: str = ""
    agency: str = ""

    def query(self, **changed: str) -> str:
        """As a query string, without what is not chosen."""
        given = {name: getattr(self, name) for name in self.__slots__} | changed
        return urlencode({name: value for name, value in given.items() if value})

    def narrows(self) -> bool:
        return bool(self.rule or self.channel or self.agency or self.state)


def whose_of(account: Account, chosen: Chosen) -> Whose | None:
    """Whether an office or a team sees its own or all; None for an account that has no such choice."""
    if account.role == "office":
        return "mine" if chosen.whose == "mine" else "all"
    return None if account.team is None else "all" if chosen.whose == "all" else "mine"


def parameters(account: Account, chosen: Chosen) -> dict[str, str]:
    """The parameters of `/v1/inbox`. What is not one of the choices is left out."""
    whose = whose_of(account, chosen)
    found = {"state": chosen.state if chosen.state in _STATES else "open"}
    if chosen.channel in CHANNELS:
        found["channel"] = chosen.channel
    if chosen.rule and "\0" not in chosen.rule:
        found["rule"] = chosen.rule[:64]
    if account.role == "office":
        if chosen.agency and agency_fault(chosen.agency) is None:
            found["agency"] = chosen.agency
        elif whose == "all":
            found["everyone"] = "true"
    elif whose == "mine" and account.team is not None:
        found["team"] = account.team
    return found


def agency_fault(code: str) -> Bilingual | None:
    """What is wrong with an agency's code that somebody typed."""
    if not code or re.fullmatch(CODE_PATTERN.strip("^$"), code):
        return None
    return Bilingual("اكتب رمز الجهة بحروف لاتينية، مثل health.", "Write an agency's code, such as health.")


def sections(rows: Sequence[InboxItem]) -> list[dict[str, Any]]:
    """The rows under their headings."""
    found = ((name, heading, [row for row in rows if section_of(row) == name]) for name, heading in _SECTIONS)
    return [{"name": name, "heading": heading, "rows": chosen} for name, heading, chosen in found if chosen]


def section_of(row: InboxItem) -> str:
    if row.state is CampaignState.COMPLETED:
        return "completed"
    if row.overdue:
        return "overdue"
    return "paused" if row.paused else "to-do"


def today_of(visit: Visit) -> str:
    """The civil date in Riyadh."""
    return riyadh_date(recorded_time(visit.parts.clock()))


def after_of(next_address: str | None) -> str | None:
    """The cursor in the address of a next page."""
    if next_address is None:
        return None
    return parse_qs(urlsplit(next_address).query)["after"][0]


Text = Annotated[str, Query(max_length=256)]


@routes.get("/campaigns")
async def inbox_page(
    visit: Visiting,
    whose: Text = "",
    state: Text = "",
    rule: Text = "",
    channel: Text = "",
    agency: Text = "",
    after: Annotated[str | None, Query(max_length=1_024)] = None,
) -> Response:
    chosen = Chosen(whose, state, rule, channel, agency.strip())
    rows, has_team = await _read(visit, chosen, after)
    counted = {name: value for name, value in _asked(visit, chosen, has_team).items() if name != "state"}
    counts = await visit.read("/v1/inbox/counts", **counted)
    rules, today = rules_in_force(), today_of(visit)
    following = after_of(rows.next)
    return visit.page(
        "campaigns/inbox.html",
        live=True,
        chosen=chosen,
        whose=whose_of(visit.account, chosen),
        has_team=has_team,
        counts=document_of(InboxCounts, counts.document),
        sections=sections(documents_of(InboxItem, rows.document)),
        time_left=lambda row: time_left(row.due_on, today),
        following=None if following is None else chosen.query(after=following),
        agency_fault=agency_fault(chosen.agency) if visit.account.role == "office" else None,
        rule_names={one.name: wording.rule_words(rules, one.name) for one in rules.rules},
        owner=visit.caller.holder,
        states=_STATES,
        channels={channel.value: channel for channel in Channel},
        nouns=nouns,
    )


@routes.get("/campaigns/campaigns.csv")
async def inbox_file(
    visit: Visiting, whose: Text = "", state: Text = "", rule: Text = "", channel: Text = "", agency: Text = ""
) -> Response:
    """The whole list for a spreadsheet."""
    chosen = Chosen(whose, state, rule, channel, agency.strip())
    rows: list[InboxItem] = []
    after: str | None = None
    while True:
        page, _ = await _read(visit, chosen, after, CSV_PAGE_ROWS)
        rows += documents_of(InboxItem, page.document)
        after = after_of(page.next)
        if after is None:
            return csv_file("campaigns.csv", tables.csv_file(INBOX, rows))


def csv_file(name: str, content: str) -> Response:
    """A table as a download."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, 200, headers, "text/csv; charset=utf-8")


async def _read(visit: Visit, chosen: Chosen, after: str | None, limit: int = PAGE_ROWS) -> tuple[Answer, bool]:
    """The rows, and whether the agency has the account's team; without it all of the agency's are shown."""
    for has_team in (True, False):
        asked = _asked(visit, chosen, has_team)
        try:
            return await visit.read("/v1/inbox", sort="overdue", limit=limit, after=after, **asked), has_team
        except NotAnswered as error:
            if error.status != _NOT_FOUND or "team" not in asked:
                raise
    raise AssertionError("without a team the agency's own are read")


def _asked(visit: Visit, chosen: Chosen, has_team: bool) -> dict[str, str]:
    asked = parameters(visit.account, chosen)
    return asked if has_team else {name: value for name, value in asked.items() if name != "team"}
