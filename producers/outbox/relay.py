"""The relay of an agency's outbox: its rows go to the agency's topic, over Kafka or through a gateway.

Unsent rows are sent in the order of their numbers and marked after the acknowledgement. So a killed relay sends a row
again, with the same bytes, rather than losing it, and rows of a subject stay in order, also when another relay takes
over. The registrar drops duplicates.

A row that the registrar would refuse is not sent: it keeps its faults, and the next row is sent.

The two ways out of the outbox are Kafka with the agency's own credential, and a gateway with the agency's token. Both
keep the order: a call ends before the next one begins. Both may store an event twice if an answer was lost.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final, TypeAlias

import orjson
import structlog

from events.errors import Fenced, Retry
from events.validation.validate import validate
from events.validation.verdicts import Agency, Refused
from events.wire.codec import STRUCTURED_HEADERS
from infra.addresses import NotAnAddress, server_address
from infra.kafka.client_config import NoKafka, refuse_plain_kafka
from infra.observability.telemetry import count, gauge
from infra.postgres.connection import Connection, closed_after
from infra.process import lease
from infra.process.health import Progress, Readiness
from infra.process.leader_election import LeaderElection, Term
from infra.process.lease import LeaseSpec
from infra.process.tasks import pause, until_one_ends
from infra.settings import Settings
from infra.tls.plaintext import refuse_plain_http
from producers.errors import NotAccepted
from producers.outbox.outbox import CHANNEL, LEASE, LEASE_TABLE, SQL, open_database, require_outbox
from producers.publisher.kafka_publisher import AgencyPublisher, publishing_arguments

Faults: TypeAlias = list[dict[str, str]]
"""Code, JSON pointer and detail of each fault of one event."""
Send: TypeAlias = Callable[[Sequence[bytes]], Awaitable[list[str | Faults]]]
"""Sends events in order; returns for each its address, or its faults if it was refused and not stored."""
Sender: TypeAlias = Callable[[Settings, str], AbstractAsyncContextManager[Send]]
"""Opens what sends as the agency of this code."""

DELIVERY_TIMEOUT_S: Final = 15.0
"""After this without an acknowledgement the outcome is unknown, and the same events are sent again."""


class EventsNotTaken(Retry):
    """Kafka or the gateway does not accept this agency's events now; the message gives the reason.

    A missing right is retried too, until it is granted.
    """


def require_credentials(settings: Settings, agency: str) -> None:
    """Raises `NotAccepted` if the settings have no credentials for their way of sending.

    Raises `NotAnAddress` for a gateway that is none, and `PlaintextRefused` if the credentials would leave this machine
    without encryption.
    """
    if settings.outbox_gateway is None:
        refuse_plain_kafka(settings)
        with suppress(NoKafka):
            publishing_arguments(settings, agency)
        return
    try:
        server_address(settings.outbox_gateway)
    except NotAnAddress as error:
        raise NotAnAddress(f"YESSER_OUTBOX_GATEWAY: {error}") from None
    refuse_plain_http(settings, "gateway", "YESSER_OUTBOX_GATEWAY", settings.outbox_gateway)
    if settings.outbox_token is None:
        raise NotAccepted("there is no token for the gateway here: set YESSER_OUTBOX_TOKEN (`yesser tokens create`).")


def sender_of(settings: Settings, agency: str) -> AbstractAsyncContextManager[Send]:
    if settings.outbox_gateway is not None:
        return _over_http(settings, settings.outbox_gateway)
    return _over_kafka(settings, agency)


async def sender_at_gateway(settings: Settings, gateway: str) -> Agency:
    """The agency of the token in the settings, with its role. Raises `NotASender`, and as `require_credentials`."""
    from producers.sdk.client import AgencyClient

    require_credentials(settings, "")
    async with AgencyClient.of(settings, gateway, settings.outbox_token or "") as client:
        return await client.sender()


@asynccontextmanager
async def _over_kafka(settings: Settings, agency: str) -> AsyncIterator[Send]:
    async with AgencyPublisher(settings, agency, delivery_timeout_s=DELIVERY_TIMEOUT_S) as publisher:

        async def send(events: Sequence[bytes]) -> list[str | Faults]:
            try:
                return [str(address) for address in await publisher.publish(events)]
            except NotAccepted as error:
                raise EventsNotTaken(str(error)) from error

        yield send


@asynccontextmanager
async def _over_http(settings: Settings, gateway: str) -> AsyncIterator[Send]:
    from producers.sdk.client import AgencyClient  # sending over Kafka needs no HTTP client
    from producers.sdk.connection import ClientLimits
    from producers.sdk.problems import GatewayProblem

    limits = ClientLimits(time_limit_s=2 * DELIVERY_TIMEOUT_S, attempt_timeout_s=DELIVERY_TIMEOUT_S)
    async with AgencyClient.of(settings, gateway, settings.outbox_token or "", limits) as client:

        async def send(events: Sequence[bytes]) -> list[str | Faults]:
            try:
                sent = await client.send_many(events, partial=True)
            except GatewayProblem as error:
                raise EventsNotTaken(str(error)) from error
            refused: dict[int, Faults] = {}
            for found in sent.refused:
                pointer = found.pointer.removeprefix(f"/{found.event}")
                fault = {"code": found.code, "pointer": pointer, "detail": found.detail}
                refused.setdefault(found.event or 0, []).append(fault)
            stored = iter(sent.receipts)
            return [refused[n] if n in refused else next(stored).address for n in range(len(events))]

        yield send


ROWS_MAX: Final = 1_000
"""Most rows read and sent before they are marked."""
FORGET_EVERY_S: Final = 60.0
FORGET_ROWS_MAX: Final = 10_000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that the registrar would refuse, with every fault."""

    row_id: int
    faults: Faults


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A waiting event: its number in the outbox and its final bytes."""

    row_id: int
    event: bytes


def sort_out(rows: Sequence[OutboxRow], agency: Agency) -> tuple[list[OutboxRow], list[RefusedRow]]:
    """The rows that can be sent, in order, and those that would be refused."""
    good: list[OutboxRow] = []
    refused: list[RefusedRow] = []
    for row in rows:
        verdict = validate(row.event, STRUCTURED_HEADERS, agency)
        if isinstance(verdict, Refused):
            faults = [{"code": f.code, "pointer": f.pointer, "detail": f.detail} for f in verdict.faults]
            refused.append(RefusedRow(row.row_id, faults))
        else:
            good.append(row)
    return good, refused


class OutboxRelay:
    """Stands by for the lease in the agency's database, and sends while it has it."""

    def __init__(
        self,
        settings: Settings,
        agency: Agency,
        sender: Sender = sender_of,
        forget_rows_max: int = FORGET_ROWS_MAX,
    ) -> None:
        require_credentials(settings, agency.code)
        self._settings = settings
        self._agency = agency
        self._sender = sender
        self._forget_rows_max = forget_rows_max
        spec = LeaseSpec(LEASE, self._open, LEASE_TABLE)
        progress = Progress(time.monotonic, positions=False)
        self._election = LeaderElection(settings, spec, self._work, progress)

    async def run(self, stop: asyncio.Event) -> None:
        await self._election.run(stop)

    def readiness(self) -> Readiness:
        """Ready while it stands by, or has lately sent something or found nothing to send."""
        return self._election.progress.readiness()

    async def _open(self, application: str) -> Connection:
        connection = await open_database(self._settings, application)
        try:
            await require_outbox(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _work(self, term: Term) -> None:
        await until_one_ends(self._send_from_outbox(term.epoch), term.stop.wait())

    async def _send_from_outbox(self, epoch: int) -> None:
        woken = asyncio.Event()
        async with closed_after(await self._open("outbox relay")) as connection:
            await connection.execute("SET synchronous_commit = on")
            await connection.add_listener(CHANNEL, lambda *_: woken.set())
            async with self._sender(self._settings, self._agency.code) as send:
                log.info("sending from the outbox", agency=self._agency.code, epoch=epoch)
                await self._list_faults(connection, epoch)
                await self._send_all(connection, send, epoch, woken)

    async def _send_all(self, connection: Connection, send: Send, epoch: int, woken: asyncio.Event) -> None:
        forget_at = time.monotonic()
        while True:
            woken.clear()
            rows = [
                OutboxRow(r["row_id"], r["event"].encode()) for r in await connection.fetch(SQL["waiting"], ROWS_MAX)
            ]
            gauge("outbox_waiting", await _waiting(connection, len(rows)))
            if rows:
                await self._make_durable(connection, epoch)
                await self._settle(connection, send, epoch, rows)
            self._election.progress.begin()
            self._election.moved()
            if time.monotonic() >= forget_at:
                pause_s = await forget(connection, self._settings.outbox_keep_days, self._forget_rows_max)
                forget_at = time.monotonic() + pause_s
            if len(rows) < ROWS_MAX:
                await pause(woken, self._settings.lease_renew_ms / 1000)

    async def _list_faults(self, connection: Connection, epoch: int) -> None:
        """Validate again the rows whose faults an earlier version did not store as a list. None of them is sent."""
        while found := await connection.fetch(SQL["unlisted"], ROWS_MAX):
            _, faulty = sort_out([OutboxRow(row["row_id"], row["event"].encode()) for row in found], self._agency)
            faults = {row.row_id: row.faults for row in faulty}
            # A valid row was refused by a gateway: its text is all that is known.
            refused = [RefusedRow(row["row_id"], faults.get(row["row_id"], [row["faults"]])) for row in found]
            await note_refused(connection, refused, epoch)

    async def _make_durable(self, connection: Connection, epoch: int) -> None:
        """With `synchronous_commit = off` a crash could undo a transaction whose event was sent. Our own commit, which
        renews the lease, also flushes all commits that were visible before it. Raises `Fenced`."""
        if not await lease.renew(connection, LEASE, epoch, self._settings, table=LEASE_TABLE):
            raise Fenced(f"epoch {epoch} of the outbox was superseded")

    async def _settle(self, connection: Connection, send: Send, epoch: int, rows: Sequence[OutboxRow]) -> None:
        """Send the valid rows and mark them; note the faults of the others."""
        good, refused = sort_out(rows, self._agency)
        sent: list[tuple[int, str]] = []
        outcomes = await send([row.event for row in good]) if good else []
        for row, outcome in zip(good, outcomes, strict=True):
            if isinstance(outcome, str):
                sent.append((row.row_id, outcome))
            else:
                refused.append(RefusedRow(row.row_id, outcome))
        if refused:
            await note_refused(connection, refused, epoch)
            self._report(refused)
        if sent:
            await note_sent(connection, sent, epoch)
            count("outbox_sent", len(sent))

    def _report(self, refused: Sequence[RefusedRow]) -> None:
        for fault in (fault for row in refused for fault in row.faults[:1]):
            count("events_refused", agency=self._agency.code, code=fault["code"])
        log.warning(
            "events in the outbox would be refused and are not sent; see `yesser outbox status`",
            agency=self._agency.code,
            count=len(refused),
            codes=sorted({fault["code"] for row in refused for fault in row.faults}),
        )


async def forget(connection: Connection, keep_days: int, rows_max: int) -> float:
    """Delete events that were sent so long ago, a chunk of them; returns the seconds until the next chunk is due."""
    done = await connection.execute(SQL["forget"], keep_days, rows_max)
    return 0.0 if done == f"DELETE {rows_max}" else FORGET_EVERY_S


async def _waiting(connection: Connection, rows_count: int) -> int:
    """How many wait; counted only if more may wait than were read."""
    return rows_count if rows_count < ROWS_MAX else await connection.fetchval(SQL["waiting_count"])


async def note_sent(connection: Connection, sent: Sequence[tuple[int, str]], epoch: int) -> None:
    """Record the Kafka address of each stored row. Raises `Fenced`."""
    await _note(connection, "sent", [row_id for row_id, _ in sent], [address for _, address in sent], epoch)


async def note_refused(connection: Connection, refused: Sequence[RefusedRow], epoch: int) -> None:
    """Record the faults of each row. Raises `Fenced`."""
    texts = [_text_of(row.faults) for row in refused]
    await _note(connection, "refuse", [row.row_id for row in refused], texts, epoch)


def _text_of(faults: Faults) -> str:
    """The faults as text for jsonb, which cannot hold NUL."""
    rows = [{name: text.replace("\0", "\ufffd") for name, text in fault.items()} for fault in faults]
    return orjson.dumps(rows).decode()


async def _note(connection: Connection, query: str, row_ids: list[int], values: list[str], epoch: int) -> None:
    """Every write is fenced by the epoch of the relay's lease."""
    status = await connection.execute(SQL[query], row_ids, values, epoch)
    if status == "UPDATE 0":
        raise Fenced(f"epoch {epoch} of the outbox was superseded")
