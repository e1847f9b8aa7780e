"""`/campaigns`: what a team must do, what is overdue first; `/campaigns/coverage`: what was aired about each launched
service, and what was not.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Response

from consumers.api.parameters import After
from consumers.api.resources.campaigns import InboxFilter, coverage_for, inbox_counts_for, inbox_for
from consumers.console.accounts.accounts import Account
from consumers.console.page_request import Visit, Visiting, csv_attachment, or_none
from consumers.console.pages.plan.routes import covered_services
from consumers.documents.campaigns import campaigns as nouns
from consumers.documents.campaigns.campaigns import CHANNELS, INBOX, Channel, StateFilter, sections
from consumers.documents.campaigns.evaluations import RuleMoment
from consumers.documents.tables import csv_file
from consumers.programme.campaigns.next_step import time_left
from consumers.programme.campaigns.rules.in_force import rules_in_force
from consumers.programme.campaigns.rules.rule import Rule, RuleSet
from consumers.programme.campaigns.show import coverage_csv
from events.values.bilingual import Bilingual, InTwoLanguages
from events.values.fields import CODE_PATTERN
from events.values.working_days import riyadh_date
from events.wire.entry import recorded_time

PAGE_ROWS: Final = 30
COVERAGE_ROWS: Final = 40
_ANY: Final = Bilingual("كل الحملات", "All campaigns")
_STATES: Final = {**{state.value: state for state in StateFilter}, "any": _ANY}
Whose = Literal["mine", "all"]
Text = Annotated[str, Query(max_length=256)]
T = TypeVar("T")

routes = APIRouter()


@dataclass(frozen=True, slots=True)
class Chosen:
    """What somebody chose to see, as the form of the page gives it."""

    whose: Text = ""
    state: Text = ""
    rule: Text = ""
    channel: Text = ""
    agency: Text = ""

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


def asked_of(account: Account, chosen: Chosen) -> InboxFilter:
    """What the read API is asked for. What is not one of the choices is left out."""
    whose, is_office = whose_of(account, chosen), account.role == "office"
    agency = chosen.agency if is_office and chosen.agency and agency_fault(chosen.agency) is None else None
    wanted = chosen.state if chosen.state in _STATES else StateFilter.OPEN.value
    return InboxFilter(
        agency=agency,
        everyone=is_office and agency is None and whose == "all",
        team=account.team if not is_office and whose == "mine" else None,
        state="any" if wanted == "any" else StateFilter(wanted),
        channel=Channel(chosen.channel) if chosen.channel in CHANNELS else None,
        rule=chosen.rule[:64] if chosen.rule and "\0" not in chosen.rule else None,
    )


def agency_fault(code: str) -> Bilingual | None:
    """What is wrong with an agency's code that somebody typed."""
    if not code or re.fullmatch(CODE_PATTERN.strip("^$"), code):
        return None
    return Bilingual("اكتب رمز الجهة بحروف لاتينية، مثل health.", "Write an agency's code, such as health.")


def rule_name(rules: RuleSet, name: str) -> InTwoLanguages:
    """What the rule is about; its name where no rule in force has it."""
    rule = rule_of(rules, name)
    return Bilingual(name, name) if rule is None else RuleMoment(rule.when)


def rule_of(rules: RuleSet, name: str) -> Rule | None:
    """None where no rule in force has this name."""
    return next((rule for rule in rules.rules if rule.name == name), None)


def today_of(visit: Visit) -> str:
    """The civil date in Riyadh."""
    return riyadh_date(recorded_time(visit.parts.clock()))


async def _chosen(chosen: Annotated[Chosen, Depends()]) -> Chosen:
    return replace(chosen, agency=chosen.agency.strip())


Choosing = Annotated[Chosen, Depends(_chosen)]
"""A route's parameter."""


@routes.get("/campaigns")
async def inbox_page(visit: Visiting, chosen: Choosing, after: After = None) -> Response:
    rows, asked = await _read(visit, chosen, lambda asked: inbox_for(visit.reader, asked, "overdue", PAGE_ROWS, after))
    counts = await inbox_counts_for(visit.reader, replace(asked, state=StateFilter.OPEN))
    rules, today = rules_in_force(), today_of(visit)
    return visit.page(
        "campaigns/inbox.html",
        live=True,
        chosen=chosen,
        whose=whose_of(visit.account, chosen),
        has_team=asked.team == asked_of(visit.account, chosen).team,
        counts=counts.document,
        sections=sections(rows.document),
        time_left=lambda row: time_left(row.due_on, today),
        following=None if rows.next is None else chosen.query(after=rows.next),
        agency_fault=agency_fault(chosen.agency) if visit.account.role == "office" else None,
        rule_names={one.name: rule_name(rules, one.name) for one in rules.rules},
        owner=visit.caller.holder,
        states=_STATES,
        channels={channel.value: channel for channel in Channel},
        nouns=nouns,
    )


@routes.get("/campaigns/campaigns.csv")
async def inbox_file(visit: Visiting, chosen: Choosing) -> Response:
    """The whole list for a spreadsheet."""
    rows, _ = await _read(visit, chosen, lambda asked: visit.all_rows(inbox_for, asked, "overdue"))
    return csv_attachment(csv_file(INBOX, rows), "campaigns.csv")


async def _read(visit: Visit, chosen: Chosen, read: Callable[[InboxFilter], Awaitable[T]]) -> tuple[T, InboxFilter]:
    """The rows, and what was asked for: without the account's team where the agency has no such team."""
    asked = asked_of(visit.account, chosen)
    if asked.team is not None and (rows := await or_none(read(asked), 404)) is not None:
        return rows, asked
    asked = replace(asked, team=None)
    return await read(asked), asked


@routes.get("/campaigns/coverage")
async def coverage_page(visit: Visiting, unaired: bool = False, after: After = None) -> Response:
    answer = await coverage_for(visit.reader, None, unaired, COVERAGE_ROWS, after)
    return visit.page(
        "campaigns/coverage.html",
        live=True,
        coverage=answer.document,
        unaired=unaired,
        following=answer.next,
        nouns=nouns,
        channels=Channel,
    )


@routes.get("/campaigns/coverage.csv")
async def coverage_file(visit: Visiting, unaired: bool = False) -> Response:
    """Every service and channel, for a spreadsheet."""
    return csv_attachment(coverage_csv(await covered_services(visit, None, unaired=unaired)), "coverage.csv")
