"""What a claimed message says and to whom, read from the campaigns' rows and the log at the time of sending."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from msgspec.structs import asdict

from consumers.delivery.due_campaigns import NoTeam, due_campaigns, team_of
from consumers.delivery.mail import wording
from consumers.delivery.mail.letters import (
    Acknowledgement,
    Context,
    Letter,
    Notice,
    confirmation_letter,
    digest_letter,
    endpoint_letter,
    notice_letter,
)
from consumers.delivery.mail.links import Links
from consumers.delivery.mail.message import BadAddress, checked_address
from consumers.delivery.mail.moments import DIGEST_VALID, today
from consumers.delivery.mail.queue import ASKS, VALID, Claimed, State
from consumers.delivery.recipients import SQL as RECIPIENTS
from consumers.delivery.recipients import Recipient, is_team_sealed, recipients_of
from consumers.documents.campaigns.campaigns import CHANNELS, channel_list
from consumers.documents.teams.teams import AddressState
from events.errors import Reject
from events.values.working_days import riyadh_date
from events.wire.entry import Entry, parse_entry
from infra.keys.team_seals import TeamSeals
from infra.log.reader import read_checked
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

LINK_VALID: Final = timedelta(days=7)
"""A link that confirms an address."""
_SQL: Final = queries("consumers.delivery.mail", "notices.sql")

log = structlog.get_logger()


class NotSent(Reject):
    """The message is not sent: its last state, and the reason, which its attempt keeps."""

    def __init__(self, state: State, reason: str) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Prepared:
    """A letter, and its recipient's address."""

    letter: Letter
    recipient: str


async def prepare(
    connection: Connection, claimed: Claimed, now: datetime, links: Links, seals: TeamSeals, console: str | None
) -> Prepared:
    """Raises `NotSent` where nobody is to get it, or nothing is to be said any more."""
    if claimed.is_told:
        raise NotSent("cancelled", "told-already")
    if now - claimed.created_at >= VALID:
        raise NotSent("failed", "expired")
    if claimed.unknown >= claimed.unknown_max:
        raise NotSent("failed", "unknown")
    try:
        team = await team_of(connection, claimed.agency, claimed.team)
    except NoTeam:
        raise NotSent("cancelled", "team-closed") from None
    if not await is_team_sealed(connection, seals, claimed.agency, claimed.team):
        log.error(
            "a team's row or its contacts were changed in the database: it gets no e-mail (yesser teams seal)",
            team=f"{claimed.agency}/{claimed.team}",
        )
        raise NotSent("failed", "team-changed")
    await connection.execute(RECIPIENTS["adopt"], claimed.agency, claimed.team)
    contacts = await recipients_of(connection, claimed.agency, claimed.team)
    recipient = _asked(contacts, claimed) if claimed.kind == ASKS else _recipient(contacts, claimed.kind, now)
    stop = await links.add(connection, recipient, "stop")
    context = Context(team, today(now), stop, console, is_replay=claimed.replay, is_repeat=claimed.unknown > 0)
    if claimed.kind == ASKS:
        until = max(now + LINK_VALID, recipient.usable_until or now)
        letter = confirmation_letter(
            await links.add(connection, recipient, "confirm", claimed.event_id, until), context
        )
    else:
        letter = await _letter(connection, claimed, context, now)
    try:
        return Prepared(letter, checked_address(recipient.address))
    except BadAddress:
        raise NotSent("failed", "bad-address") from None


def _recipient(contacts: Sequence[Recipient], kind: str, now: datetime) -> Recipient:
    """The first desk that may get letters; on escalation the second, or the last where there is one only."""
    desks = [contact for contact in contacts if contact.may_get_letters(now)]
    if desks:
        return desks[min(1, len(desks) - 1)] if kind == "escalated" else desks[0]
    if not contacts:
        raise NotSent("failed", "no-contact")
    raise NotSent(
        "failed", "stopped" if all(contact.state is AddressState.STOPPED for contact in contacts) else "unconfirmed"
    )


def _asked(contacts: Sequence[Recipient], claimed: Claimed) -> Recipient:
    """The contact that a letter asks, while it still waits. The letter's id is `confirm.RECIPIENT.NUMBER`."""
    recipient_id = int(claimed.event_id.split(".")[1])
    for contact in contacts:
        if contact.recipient_id == recipient_id and contact.state is AddressState.WAITING:
            return contact
    raise NotSent("cancelled", "out-of-date")


async def _letter(connection: Connection, claimed: Claimed, context: Context, now: datetime) -> Letter:
    if claimed.kind == "digest":
        if now - claimed.created_at >= DIGEST_VALID:
            raise NotSent("cancelled", "out-of-date")
        return digest_letter(await due_campaigns(connection, context.team, route="email"), context)
    if claimed.kind == "endpoint-disabled":
        row = await connection.fetchrow(_SQL["endpoint"], claimed.endpoint_id)
        if row is None:
            raise NotSent("cancelled", "enabled-again")
        return endpoint_letter(row["endpoint_id"], row["disabled_reason"], context)
    if claimed.kind not in wording.WORDINGS:
        raise NotSent("failed", "unknown-kind")
    return notice_letter(await _notice(connection, claimed, context.today), context)


async def _notice(connection: Connection, claimed: Claimed, day: str) -> Notice:
    row = await connection.fetchrow(_SQL["campaign"], claimed.campaign_id)
    if row is None:
        raise NotSent("failed", "unknown-campaign")
    missing = [channel for channel in CHANNELS if channel in row["channels"] and row[channel] == 0]
    if claimed.kind == "reminder" and (
        row["paused"]
        or row["completed_index"] is not None
        or row["due_on"] < day
        or (row["acknowledged_index"] is not None and not missing)
    ):
        raise NotSent("cancelled", "out-of-date")
    entry = None if claimed.log_index is None else await _entry(connection, claimed.log_index)
    return Notice(
        kind=claimed.kind,
        campaign_id=row["campaign_id"],
        due_on=row["due_on"],
        brief=row["brief"],
        reason=None if entry is None else entry.data.get("reason"),
        channels=row["channels"],
        missing=missing,
        acknowledged=await _acknowledgement(connection, row),
        service_name=row["service_name"],
        service_url=row["service_url"],
        launched_on=row["launched_on"],
        on=None if entry is None else _day_of(entry, claimed.kind),
        index=claimed.log_index,
        is_urgent=row["urgency"] == "high",
        values={} if entry is None else _values(entry),
    )


async def _acknowledgement(connection: Connection, row: Mapping[str, Any]) -> Acknowledgement | None:
    index = row["acknowledged_index"]
    if index is None:
        return None
    entry = await _entry(connection, index)
    return Acknowledgement(row["acknowledged_by"], riyadh_date(entry.recorded), index)


async def _entry(connection: Connection, index: int) -> Entry:
    found = await read_checked(connection, index, 1)
    if not found:
        raise NotSent("failed", "unknown-entry")
    return parse_entry(index, found[0])


def _day_of(entry: Entry, kind: str) -> str:
    """An airing has the date that its team gave; all else the date on which the log took it."""
    on: str = entry.data["on"] if kind == "aired" else riyadh_date(entry.recorded)
    return on


def _values(entry: Entry) -> dict[str, Mapping[str, str]]:
    """What the sentences of an agency's event need: who, on which channel, where."""
    data, values = entry.data, dict[str, Mapping[str, str]]()
    if "by" in data:
        values["by"] = {"ar": data["by"], "en": data["by"]}
    if "channel" in data:
        values["aired_on"] = asdict(channel_list([data["channel"]]))
    if "outlet" in data:
        values["outlet"] = data["outlet"]
    return values
