"""The lists behind the plan: which services are asked for, and where the next page is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

from consumers.console.visit import Visit
from consumers.projections.read import ServiceFilter
from consumers.read_api.parameters import AgencyCode, checked
from consumers.read_api.reader import Answer
from consumers.read_api.resources.services import Group, State

PAGE_ROWS: Final = 50
PROJECT_ROWS: Final = 100
"""Of both kinds, so that a plan's projects are on one page."""
FILE_PAGE_ROWS: Final = 1_000
FILE_ROWS_MAX: Final = 50_000
Document = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The filters of the service directory, as they are in the address; "" for all."""

    agency: str = ""
    group: str = ""
    state: str = ""

    def given(self) -> dict[str, str]:
        found = {"agency": self.agency.strip(), "group": self.group, "state": self.state}
        return {name: value for name, value in found.items() if value}

    def filter(self) -> ServiceFilter:
        """Raises `Problem` (422) for what cannot be an agency, a group or a state."""
        return ServiceFilter(
            checked(AgencyCode, self.agency.strip()), checked(Group, self.group), checked(State, self.state)
        )

    def address(self, path: str, **more: str) -> str:
        """An address with the same filters."""
        asked = {**self.given(), **more}
        return f"{path}?{urlencode(asked)}" if asked else path


def after_of(next_address: str | None) -> str | None:
    """The cursor in the address of a next page."""
    if next_address is None:
        return None
    return parse_qs(urlsplit(next_address).query)["after"][0]


async def all_rows(visit: Visit, function: Callable[..., Awaitable[Answer[list[T]]]], *asked: Any) -> list[T]:
    """Every row of a list of the read API, at most `FILE_ROWS_MAX`."""
    rows: list[T] = []
    after: str | None = None
    while len(rows) < FILE_ROWS_MAX:
        found = await visit.ask(function, *asked, FILE_PAGE_ROWS, after)
        rows, after = rows + found.document, found.next
        if after is None:
            break
    return rows


async def rows_under(visit: Visit, path: str, key: str, **given: Any) -> list[Document]:
    """Every row under `key` of the answers of the read API, at most `FILE_ROWS_MAX`."""
    rows: list[Document] = []
    async for page in _pages(visit, path, given):
        rows += page[key]
        if len(rows) >= FILE_ROWS_MAX:
            break
    return rows


async def _pages(visit: Visit, path: str, given: Mapping[str, Any]) -> AsyncIterator[Any]:
    after: str | None = None
    while True:
        answer = await visit.read(path, **given, limit=FILE_PAGE_ROWS, after=after)
        yield answer.document
        after = after_of(answer.next)
        if after is None:
            return
