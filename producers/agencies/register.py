"""Registering agencies: the topic, the credential and its rights, the entry in the log.

An agency exists when `registry.agency-registered` stands in the log; it can publish when the registrar reads its topic.
Everything here may be repeated: what is there stays, what is missing is completed, and what contradicts is an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from events.validation.validate import validate
from events.validation.verdicts import Agency, Refused
from events.wire.codec import STRUCTURED_HEADERS
from events.wire.entry import recorded_time
from infra.data_dir import DataDir
from infra.kafka.admin import admin_client, admit_agency, agency_user
from infra.kafka.client_config import agency_topic
from infra.postgres.connection import Connection
from infra.postgres.outbox import PLATFORM, OutboxEvent, event_bytes, write
from infra.postgres.sql import queries
from infra.postgres.verdicts import paused_of
from infra.secret_files import password
from infra.settings import Settings
from producers.agencies.lifecycle import is_suspended
from producers.errors import RegistrationFailed

Clock = Callable[[], datetime]

_POLL_S: Final = 0.05
_SQL: Final = queries("producers.agencies", "register.sql")


@dataclass(frozen=True, slots=True)
class NewAgency:
    """An agency to be registered. `role` is `office`, `agency` or, for the system itself, `platform`."""

    code: str
    role: str
    name_ar: str
    name_en: str

    @property
    def name(self) -> dict[str, str]:
        return {"ar": self.name_ar, "en": self.name_en}


async def register(connection: Connection, agency: NewAgency, clock: Clock) -> bool:
    """Put the agency's registration into the outbox, once for ever; returns whether this call did it.

    Raises `RegistrationFailed` where the code belongs to an agency of another role or name, or where the registrar
    would refuse the words: a refused event of the platform is an alarm.
    """
    event = registration_event(agency, clock())
    verdict = validate(event_bytes(event), STRUCTURED_HEADERS, Agency(PLATFORM, "platform"))
    if isinstance(verdict, Refused):
        faults = "; ".join(f"{fault.code} at {fault.pointer}: {fault.detail}" for fault in verdict.faults)
        raise RegistrationFailed(f"{agency.code} cannot be registered so: {faults}")
    async with connection.transaction():
        if await connection.fetchval(_SQL["register"], agency.code, agency.role, agency.name):
            known = await connection.fetchrow(_SQL["in_log"], agency.code)
            if known is None:
                await write(connection, [event])
                return True
        else:
            known = await connection.fetchrow(_SQL["registered"], agency.code)
        assert known is not None
        if (known["role"], known["name"]) != (agency.role, agency.name):
            raise RegistrationFailed(
                f"{agency.code} is registered already, as {known['role']} {known['name']['ar']} /"
                f" {known['name']['en']}: use that role and name, or another code."
            )
        return False


def registration_event(agency: NewAgency, instant: datetime) -> OutboxEvent:
    """`registry.agency-registered` of this agency."""
    return OutboxEvent(
        id=f"agency.{agency.code}",
        type="registry.agency-registered",
        subject=f"agency/{agency.code}",
        data={"code": agency.code, "name": agency.name, "role": agency.role},
        time=recorded_time(instant),
        cause_index=None,
    )


async def provision(settings: Settings, codes: Iterable[str]) -> None:
    """Give each agency its topic, its Kafka user and the right to write there; passwords stay in the home folder."""
    home = DataDir.at(settings.home)
    home.create()
    async with admin_client(settings) as admin:
        for code in codes:
            await admit_agency(admin, settings, code, password(home.secrets, f"kafka-{agency_user(code)}"))


async def until_read(connection: Connection, codes: Sequence[str], timeout_s: float) -> None:
    """Return when the registrar reads the topic of each of these agencies."""
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
                f"after {timeout_s:g} s {', '.join(missing)} is not read yet. Do the registrar and the relay run?"
                " See `yesser status`; then repeat the command, which completes what is missing."
            )
        await asyncio.sleep(_POLL_S)


async def add_agencies(
    connection: Connection,
    settings: Settings,
    agencies: Sequence[NewAgency],
    clock: Clock,
    timeout_s: float = 60.0,
) -> list[str]:
    """Register agencies and return when all of them can publish; returns the codes that were new."""
    suspended = [agency.code for agency in agencies if await is_suspended(connection, agency.code)]
    if suspended:
        raise RegistrationFailed(f"{', '.join(suspended)}: suspended; see `yesser agencies resume`.")
    await provision(settings, [agency.code for agency in agencies])
    new = [agency.code for agency in agencies if await register(connection, agency, clock)]
    await until_read(connection, [agency.code for agency in agencies], timeout_s)
    return new


async def list_agencies(connection: Connection) -> list[dict[str, Any]]:
    """The agencies in the log, in the order of their registration."""
    return [
        {
            "code": row["code"],
            "role": row["role"],
            "name": row["name"],
            "registered_index": row["registered_index"],
            "topic": agency_topic(row["code"]),
            "is_read": row["is_read"],
            "next_offset": row["next_offset"],
            "halted_reason": row["halted_reason"],
            "paused": paused.document() if (paused := paused_of(row)) else None,
        }
        for row in await connection.fetch(_SQL["list"])
    ]
