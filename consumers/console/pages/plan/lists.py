"""The lists behind the plan: which services are asked for, and where the next page is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from consumers.console.visit import Visit
from consumers.documents.campaigns.coverage import ServiceCoverage
from consumers.documents.programme.services import ServiceState
from consumers.projections.read import ServiceFilter
from consumers.read_api.parameters import AgencyCode, checked
from consumers.read_api.reader import Answer, Reader
from consumers.read_api.resources.coverage import coverage_for
from consumers.read_api.resources.services import Group, State

PAGE_ROWS: Final = 50
PROJECT_ROWS: Final = 100
"""Of both kinds, so that a plan's projects are on one page."""
FILE_ROWS_MAX: Final = 50_000


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
        agency, group = checked(AgencyCode, self.agency.strip()), checked(Group, self.group)
        state: ServiceState | None = checked(State, self.state)
        return ServiceFilter(agency, group, state and state.value)

    def address(self, path: str, **more: str) -> str:
        """An address with the same filters."""
        asked = {**self.given(), **more}
        return f"{path}?{urlencode(asked)}" if asked else path


async def covered_services(visit: Visit, agency: str | None, *, unaired: bool = False) -> list[ServiceCoverage]:
    """Every launched service, or those of an agency, at most `FILE_ROWS_MAX`."""

    async def page(reader: Reader, limit: int, after: str | None) -> Answer[list[ServiceCoverage]]:
        found = await coverage_for(reader, agency, limit, after, unaired=unaired)
        return Answer([*found.document.services], found.state, found.next)

    return await visit.all_rows(page, rows_max=FILE_ROWS_MAX)
