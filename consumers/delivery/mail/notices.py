"""What a message says and to whom, read from the campaigns' rows and the log at the time of sending."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from msgspec import convert
from msgspec.structs import asdict

from consumers.delivery.due_campaigns import NoTeam, due_campaigns, team_of
from consumers.delivery.email_address import BadAddress, checked_address
from consumers.delivery.mail import letters, wording
from consumers.delivery.mail.timed import ASKS, DIGEST_VALID, today
from consumers.delivery.notices.read import SQL as NOTICES
from consumers.delivery.recipients import SQL as RECIPIENTS
from consumers.delivery.recipients import Links, Recipient, is_team_sealed, recipients_of
from consumers.delivery.sending.route import Message, State
from consumers.documents.campaigns.campaigns import CHANNELS, channel_list
from consumers.documents.teams.notices import NOTICE_NAMES
from consumers.documents.teams.notices import Notice as TopicNotice
from consumers.documents.teams.teams import AddressState
from events.errors import Reject
from events.values.working_days import riyadh_date
from events.wire.entry import Entry, parse_entry
from infra.keys.team_seals import TeamSeals
from infra.log.reader import read_checked
from infra.log.refusals.read import agency_names
from infra.log.texts import with_texts
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

VALID: Final = timedelta(days=5)
"""A message that could not be delivered for this long fails: by then the inbox or the digest has told it."""
UNKNOWN_MAX: Final = 3
"""So many attempts with an unknown outcome may each have delivered a copy; then the message fails."""
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


def unknown_max(message: Message) -> int:
    """A stranger gets no second copy."""
    return 1 if message.kind == ASKS else UNKNOWN_MAX


async def prepare(
    connection: Connection, message: Message, now: datetime, links: Links, seals: TeamSeals, console: str | None
) -> tuple[letters.Letter, str]:
    """The letter, and its recipient's address. Raises `NotSent` where nobody is to get it, or nothing is to be said any
    more."""
    same = (message.agency, message.team, message.kind, message.event_id, message.replay, message.message_id)
    if await connection.fetchval(_SQL["given_to_team"], *same):
        raise NotSent("cancelled", "told-already")
    if now - message.created_at >= VALID:
        raise NotSent("failed", "expired")
    if message.unknown >= unknown_max(message):
        raise NotSent("failed", "unknown")
    try:
        team = await team_of(connection, message.agency, message.team)
    except NoTeam:
        raise NotSent("cancelled", "team-closed") from None
    if not await is_team_sealed(connection, seals, message.agency, message.team):
        log.error(
            "a team's row or its contacts were changed in the database: it gets no e-mail (yesser teams seal)",
            team=f"{message.agency}/{message.team}",
        )
        raise NotSent("failed", "team-changed")
    await connection.execute(RECIPIENTS["adopt"], message.agency, message.team)
    contacts = await recipients_of(connection, message.agency, message.team)
    recipient = _asked(contacts, message) if message.kind == ASKS else _recipient(contacts, message.kind, now)
    stop = await links.add(connection, recipient, "stop")
    context = letters.Context(team, today(now), stop, console, is_replay=message.replay, is_repeat=message.unknown > 0)
    if message.kind == ASKS:
        until = max(now + LINK_VALID, recipient.usable_until or now)
        letter = letters.confirmation_letter(
            await links.add(connection, recipient, "confirm", message.event_id, until), context
        )
    else:
        letter = await _letter(connection, message, context, now)
    try:
        return letter, checked_address(recipient.address)
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


def _asked(contacts: Sequence[Recipient], message: Message) -> Recipient:
    """The contact that a letter asks, while it still waits. The letter's id is `confirm.RECIPIENT.NUMBER`."""
    recipient_id = int(message.event_id.split(".")[1])
    for contact in contacts:
        if contact.recipient_id == recipient_id and contact.state is AddressState.WAITING:
            return contact
    raise NotSent("cancelled", "out-of-date")


async def _letter(connection: Connection, message: Message, context: letters.Context, now: datetime) -> letters.Letter:
    if message.kind == "digest":
        if now - message.created_at >= DIGEST_VALID:
            raise NotSent("cancelled", "out-of-date")
        return letters.digest_letter(await due_campaigns(connection, context.team, route="email"), context)
    if message.kind == "endpoint-disabled":
        row = await connection.fetchrow(_SQL["endpoint"], message.endpoint_id)
        if row is None:
            raise NotSent("cancelled", "enabled-again")
        return letters.endpoint_letter(row["endpoint_id"], row["disabled_reason"], context)
    if message.kind in NOTICE_NAMES:
        rows = await connection.fetch(NOTICES["notices"], [message.event_id])
        notice = convert(rows[0]["data"], TopicNotice)
        names = await agency_names(connection, [notice.agency])
        return letters.topic_letter(message.kind, notice, context, names.get(notice.agency))
    if message.kind not in wording.WORDINGS:
        raise NotSent("failed", "unknown-kind")
    return letters.notice_letter(await _notice(connection, message, context.today), context)


async def _notice(connection: Connection, message: Message, day: str) -> letters.Notice:
    row = await connection.fetchrow(_SQL["campaign"], message.campaign_id)
    if row is None:
        raise NotSent("failed", "unknown-campaign")
    missing = [channel for channel in CHANNELS if channel in row["channels"] and row[channel] == 0]
    if message.kind == "reminder" and (
        row["paused"]
        or row["completed_index"] is not None
        or row["due_on"] < day
        or (row["acknowledged_index"] is not None and not missing)
    ):
        raise NotSent("cancelled", "out-of-date")
    entry = None if message.log_index is None else await _entry(connection, message.log_index)
    return letters.Notice(
        kind=message.kind,
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
        on=None if entry is None else _day_of(entry, message.kind),
        index=message.log_index,
        is_urgent=row["urgency"] == "high",
        values={} if entry is None else _values(entry),
    )


async def _acknowledgement(connection: Connection, row: Mapping[str, Any]) -> letters.Acknowledgement | None:
    index = row["acknowledged_index"]
    if index is None:
        return None
    entry = await _entry(connection, index)
    return letters.Acknowledgement(row["acknowledged_by"], riyadh_date(entry.recorded), index)


async def _entry(connection: Connection, index: int) -> Entry:
    found = await read_checked(connection, index, 1)
    if not found:
        raise NotSent("failed", "unknown-entry")
    (shown,) = await with_texts(connection, found)
    return parse_entry(index, shown)


def _day_of(entry: Entry, kind: str) -> str:
    """An airing has the date that its team gave; all else the date on which the log took it."""
    on: str = entry.data["on"] if kind == "aired" else riyadh_date(entry.recorded)
    return on


def _values(entry: Entry) -> dict[str, Mapping[str, str]]:
    """What the sentences of an agency's event need: who, on which channel, where."""
    data, values = entry.data, dict[str, Mapping[str, str]]()
    if "channel" in data:
        values["aired_on"] = asdict(channel_list([data["channel"]]))
    if "outlet" in data:
        values["outlet"] = data["outlet"]
    for name in data.keys() & {"by", "airing_id", "reach"}:
        values[name] = {"ar": str(data[name]), "en": str(data[name])}
    return values
