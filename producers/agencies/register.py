"""Registering agencies: the topic, the credential and its rights, the log entry.

An agency exists once `registry.agency-registered` is in the log; it can publish once the registrar reads its topic.
Every function can be repeated: it completes what is missing, and a contradiction is an error.

The first two entries of every log are made here too: the platform itself (index 0) and the programme office (index 1).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec import Struct

from infra.clock import Clock, utc_now
from infra.kafka.admin import admin_client, allow_agency
from infra.kafka.client_config import agency_topic
from infra.postgres.connection import Connection, connected
from infra.postgres.outbox import PLATFORM, OutboxEvent
from infra.postgres.outbox_table import NotAnnounced, write
from infra.postgres.sql import queries
from infra.postgres.trail import add_to_trail
from infra.postgres.verdicts import PauseDocument, paused_of
from infra.settings import Settings
from producers.agencies.lifecycle import announcement, is_suspended
from producers.errors import RegistrationFailed

_POLL_S: Final = 0.05
_SQL: Final = queries("producers.agencies", "register.sql")


@dataclass(frozen=True, slots=True)
class NewAgency:
    """An agency to register. `role` is `office`, `agency` or, for the system itself, `platform`."""

    code: str
    role: str
    name_ar: str
    name_en: str

    @property
    def name(self) -> dict[str, str]:
        return {"ar": self.name_ar, "en": self.name_en}


class AgencyRow(Struct, kw_only=True):
    """An agency of the log and how its topic is read, up to `next_offset`."""

    code: str
    role: str
    name: dict[str, str]
    registered_index: int
    topic: str
    is_read: bool
    next_offset: int
    halted_reason: str | None
    paused: PauseDocument | None


async def register(connection: Connection, agency: NewAgency, clock: Clock) -> bool:
    """Put the agency's registration into the outbox, once; returns whether this call did it.

    Raises `RegistrationFailed` if the code is registered with another role or name, or if the registrar would refuse
    the event, which would raise an alarm.
    """
    event = _registration(agency, clock)
    async with connection.transaction():
        if await connection.fetchval(_SQL["register"], agency.code, agency.role, agency.name):
            known = await connection.fetchrow(_SQL["in_log"], agency.code)
            if known is None:
                await write(connection, [event])
                await add_to_trail(connection, "agencies add", agency.code, "--role", agency.role)
                return True
        else:
            known = await connection.fetchrow(_SQL["registered"], agency.code)
        assert known is not None
        _require_same(agency, known)
        return False


async def is_new(connection: Connection, code: str) -> bool:
    """Whether nobody has asked for its registration yet."""
    return all([await connection.fetchrow(_SQL[name], code) is None for name in ("registered", "in_log")])


async def _require_registrable(connection: Connection, agency: NewAgency, clock: Clock) -> None:
    """Raise what `register` will raise: an agency that is refused gets no topic and no right."""
    if agency.code == PLATFORM:
        raise RegistrationFailed(f"{agency.code} is the code of the platform itself: use another code.")
    _registration(agency, clock)
    for name in ("registered", "in_log"):
        if (known := await connection.fetchrow(_SQL[name], agency.code)) is not None:
            _require_same(agency, known)


def _require_same(agency: NewAgency, known: Any) -> None:
    if (known["role"], known["name"]) != (agency.role, agency.name):
        raise RegistrationFailed(
            f"{agency.code} is already registered as {known['role']} {known['name']['ar']} /"
            f" {known['name']['en']}: use that role and name, or another code."
        )


def _registration(agency: NewAgency, clock: Clock) -> OutboxEvent:
    data = {"code": agency.code, "name": agency.name, "role": agency.role}
    try:
        return announcement("agency-registered", f"agency.{agency.code}", data, clock)
    except NotAnnounced as error:
        raise RegistrationFailed(f"{agency.code} cannot be registered: {error}") from error


async def provision(settings: Settings, codes: Iterable[str]) -> None:
    """Create each agency's topic, and its user's right to write there. A password is made by `new_password` only."""
    async with admin_client(settings) as admin:
        for code in codes:
            await allow_agency(admin, settings, code)


async def until_read(connection: Connection, codes: Sequence[str], timeout_s: float) -> None:
    """Wait until the registrar reads the topic of each agency."""
    topics = [agency_topic(code) for code in codes]
    deadline = asyncio.get_running_loop().time() + timeout_s
    while True:
        rows = await connection.fetch(_SQL["read"], topics)
        for row in rows:
            if row["halted_reason"] is not None:
                raise RegistrationFailed(f"the registrar does not read {row['topic']}: {row['halted_reason']}")
        missing = sorted(set(topics) - {row["topic"] for row in rows})
        if not missing:
            return
        if asyncio.get_running_loop().time() > deadline:
            raise RegistrationFailed(
                f"after {timeout_s:g} s {', '.join(missing)} is not read yet. Check with `yesser status` that the"
                " registrar and the relay run, then repeat the command; it completes what is missing."
            )
        await asyncio.sleep(_POLL_S)


async def add_agencies(
    connection: Connection,
    settings: Settings,
    agencies: Sequence[NewAgency],
    clock: Clock,
    timeout_s: float = 60.0,
) -> list[str]:
    """Register agencies and wait until all can publish; returns the codes that were new.

    Raises `RegistrationFailed`; if an agency cannot be registered as asked, nothing is made for any of them.
    """
    suspended = [agency.code for agency in agencies if await is_suspended(connection, agency.code)]
    if suspended:
        raise RegistrationFailed(f"{', '.join(suspended)}: suspended; see `yesser agencies resume`.")
    for agency in agencies:
        await _require_registrable(connection, agency, clock)
    await provision(settings, [agency.code for agency in agencies])
    new = [agency.code for agency in agencies if await register(connection, agency, clock)]
    await until_read(connection, [agency.code for agency in agencies], timeout_s)
    return new


async def list_agencies(connection: Connection) -> list[AgencyRow]:
    """The agencies in the log, in order of registration."""
    return [
        AgencyRow(
            code=row["code"],
            role=row["role"],
            name=row["name"],
            registered_index=row["registered_index"],
            topic=agency_topic(row["code"]),
            is_read=row["is_read"],
            next_offset=row["next_offset"],
            halted_reason=row["halted_reason"],
            paused=paused.document() if (paused := paused_of(row)) else None,
        )
        for row in await connection.fetch(_SQL["list"])
    ]


PLATFORM_AGENCY: Final = NewAgency("platform", "platform", "منصة أحداث يسر", "Yesser Events platform")
OFFICE: Final = NewAgency(
    "yesser",
    role="office",
    name_ar="برنامج التعاملات الإلكترونية الحكومية «يسر»",
    name_en="Yesser, the e-Government Programme",
)


async def genesis(connection: Connection, clock: Clock) -> bool:
    """Put the two registrations into the outbox, in this order, once; returns whether this call did it."""
    async with connection.transaction():
        first = await register(connection, PLATFORM_AGENCY, clock)
        second = await register(connection, OFFICE, clock)
    return first or second


async def prepare(settings: Settings) -> None:
    """Create what the processes need before they start: the office's Kafka access, and the two registrations.

    Needs migrated tables and prepared users. Repeating it changes nothing.
    """
    settings = settings.acting_as("administrator")
    await provision(settings, [OFFICE.code])
    async with connected(settings, "genesis", batch=True) as connection:
        await genesis(connection, utc_now)
