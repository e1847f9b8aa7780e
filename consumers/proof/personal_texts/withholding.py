"""Withholds a free text of an entry: what would be done, the event that does it, and the wait for its entry.

The registrar deletes the text in the transaction that registers the event. Refused records of the agency that hold the
same text are deleted with the proposal, since nobody knows the text any more once it is withheld.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from msgspec import UNSET

from events.errors import Retry, YesserError
from events.values.data import Data
from events.wire.entry import Entry, has_texts, parse_entry, recorded_time
from events.wire.texts import TEXT_WITHHELD
from infra.clock import Clock
from infra.kafka.client_config import agency_triggers_topic
from infra.keys.second_person import ask
from infra.log.ports.postgres_port import stored_texts
from infra.log.reader import log_size, read_checked
from infra.log.refusals.kept import refused_with
from infra.postgres.connection import Connection
from infra.postgres.outbox import OutboxEvent
from infra.postgres.outbox_table import require_accepted, write
from infra.postgres.sql import queries
from infra.postgres.trail import add_to_trail
from infra.settings import Settings

ACT: Final = "withheld propose"
_NONCE_BYTES: Final = 6
_POLL_S: Final = 0.05
_SQL: Final = queries("consumers.proof.personal_texts", "withheld.sql")


class CannotWithhold(YesserError):
    """This text cannot be withheld; the message gives the reason."""


class NotWithheldYet(Retry):
    """The event is written, and not registered yet: look at `yesser status`, then at `yesser withheld show`."""


@dataclass(frozen=True, slots=True)
class Withholdable:
    """A free text of an entry, as JSON, and the agency's kept refused records that hold it too."""

    entry: Entry
    member: str
    text: Any
    refused_records: list[int]

    @property
    def pointer(self) -> str:
        return f"/data/{self.member}"

    def further(self, settings: Settings) -> list[str]:
        """The commands that delete what else has the text: the record that the agency sent, the topic of its campaigns
        (the relay makes it again), and what is left in the files of tables."""
        topic, _, offset = self.entry.address.split("/")
        commands = [f"yesser erase {topic} {offset} --yes"]
        if self.entry.subject.startswith("campaign/"):
            commands.append(f"yesser topics delete {agency_triggers_topic(settings, self.entry.agency)} --yes")
        return [*commands, "yesser withheld purge"]


async def look_up(connection: Connection, index: int, pointer: str) -> Withholdable:
    """What withholding this text would delete. Raises `CannotWithhold`."""
    found = await read_checked(connection, index, 1)
    if not found:
        raise CannotWithhold(f"there is no entry {index}: the log has {await log_size(connection)}.")
    (raw,) = found
    if not has_texts(raw):
        raise CannotWithhold(
            f"entry {index} has no text beside it, so nothing of it can be withheld: its event has no free text, or was"
            " registered before texts stood beside entries."
        )
    texts = {f"/data/{text.member}": text for text in await stored_texts(connection, index, index + 1)}
    text = texts.get(pointer)
    if text is None:
        raise CannotWithhold(f"{pointer} is no free text of entry {index}, which has {', '.join(texts)}.")
    if text.withheld_by is not UNSET:
        raise CannotWithhold(f"{pointer} of entry {index} is withheld already, by entry {text.withheld_by}.")
    entry, value = parse_entry(index, raw), orjson.loads(text.text)
    return Withholdable(entry, text.member, value, await refused_with(connection, entry.agency, value))


async def propose(
    connection: Connection,
    settings: Settings,
    found: Withholdable,
    why: Data,
    clock: Clock,
    break_glass: str | None,
    timeout_s: float,
) -> int:
    """Withhold it; returns the index of the entry that does. `why` has the members `reason` and `legal_basis`.

    Raises `NotAnnounced`, `NeedsSecondPerson` where two people have still to confirm it, unless `break_glass` says why
    one acts, and `NotWithheldYet` after `timeout_s`.
    """
    index = found.entry.index
    event = withheld_event({"entry": index, "pointer": found.pointer, **why}, clock())
    require_accepted(event)
    permit = await ask(connection, settings, ACT, event.data, break_glass)
    async with connection.transaction():
        await permit.use(connection)
        await connection.execute(_SQL["delete_records"], found.refused_records)
        await write(connection, [event])
        await add_to_trail(connection, *trail_words(index, found.pointer, event.id))
    return await _until_withheld(connection, index, found.member, timeout_s)


def withheld_event(data: Data, now: datetime) -> OutboxEvent:
    """The event that withholds a text. Each has an id of its own: one of the same text changes nothing."""
    index = data["entry"]
    return OutboxEvent(
        id=f"withheld.i{index}.{secrets.token_hex(_NONCE_BYTES)}",
        type=TEXT_WITHHELD,
        subject=f"entry/{index}",
        data=data,
        time=recorded_time(now),
        cause_index=None,
    )


def trail_words(index: int, pointer: str, event_id: str) -> tuple[str, ...]:
    """The row of the trail that says who ran the command."""
    return ACT, str(index), pointer, event_id


async def _until_withheld(connection: Connection, index: int, member: str, timeout_s: float) -> int:
    by: int | None = None
    try:
        async with asyncio.timeout(timeout_s):
            while by is None:
                await asyncio.sleep(_POLL_S)
                by = await connection.fetchval(_SQL["withheld_by"], index, member)
    except TimeoutError:
        raise NotWithheldYet(NotWithheldYet.__doc__) from None
    return by
