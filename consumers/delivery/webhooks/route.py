"""The route of webhooks: each endpoint is a destination, whose answers decide whether it goes on or is disabled.

A message always has the same id: a receiver knows one that comes again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import orjson
import structlog
from nacl.public import PrivateKey

from consumers.delivery import delivery_lease
from consumers.delivery.notices.read import notices
from consumers.delivery.secrets import CannotUnseal, opening_keys, publish_key, signature_headers, unseal
from consumers.delivery.sending.route import Attempt, Limits, Message, NextStep, Outcome, Route
from consumers.delivery.sending.sender import Sender
from consumers.delivery.webhooks.client import WebhookClient
from consumers.documents.teams.notices import NOTICE_NAMES
from events.schema_tools.refusal_examples import golden_example
from events.wire.codec import canonical_bytes
from events.wire.entry import has_texts
from infra.keys.team_seals import TeamSeals
from infra.log.bundle import event_of
from infra.log.texts import shown_entries
from infra.observability.telemetry import count, gauge
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.postgres.trail import Actor, add_to_trail
from infra.process.leader_election import Term
from infra.settings import Settings

READY_MAX: Final = 64
Reason = Literal["gone", "failing"]
GONE: Final = 410
JITTER: Final = 0.2
"""Each wait is longer by up to this part, so that endpoints that failed together are not attempted together."""
RETRY_AFTER_MAX_S: Final = 86_400.0
RESTS_AFTER: Final = 4
FINISH_S: Final = 5.0
CONTENT_TYPE: Final = "application/cloudevents+json"

_SQL: Final = queries("consumers.delivery.webhooks", "webhooks.sql")

log = structlog.get_logger()


async def send(settings: Settings, term: Term, round_ended: Callable[[], None]) -> None:
    """A part of the delivery process: sends webhooks, until the term ends."""
    async with term.connected(settings, "webhooks") as connection, WebhookClient(settings) as client:
        await publish(connection, settings, term.epoch)
        sender = Sender(Webhooks(settings, client), term, connection)
        await sender.run(round_ended, settings.lease_renew_ms / 1000)


async def publish(connection: Connection, settings: Settings, epoch: int) -> None:
    """Publish the key that seals secrets. Raises `Fenced`, and `Halt` where they are sealed for another one."""
    async with connection.transaction():
        await delivery_lease.hold(connection, epoch)
        await publish_key(connection, opening_keys(settings, datetime.now(UTC)))


@dataclass(slots=True)
class Endpoint:
    """A webhook of a team, as it was last read. `secrets` is None where they cannot be used."""

    url: str
    secrets: Sequence[str] | None
    failing_since: datetime | None


@dataclass(frozen=True, slots=True)
class Policy:
    """`delays_s`: waits before each further attempt. The others are durations after which something changes."""

    delays_s: Sequence[float]
    lane_wait: timedelta
    disable_after: timedelta


def policy(settings: Settings) -> Policy:
    return Policy(
        [float(text) for text in settings.webhook_retry_delays_s.split(",")],
        timedelta(seconds=settings.webhook_lane_wait_s),
        timedelta(days=settings.webhook_disable_after_days),
    )


class Webhooks(Route[bytes]):
    """Signed requests, of which several are under way to each endpoint."""

    name = "webhook"

    def __init__(self, settings: Settings, client: WebhookClient) -> None:
        self._settings = settings
        self._client = client
        self._policy = policy(settings)
        self._bodies = Bodies()
        self._endpoints: dict[str, Endpoint] = {}
        self._in_flight = 0
        self.limits = Limits(
            in_flight_max=settings.webhook_in_flight_max,
            each_max=settings.webhook_endpoint_in_flight_max,
            ready_max=READY_MAX,
            rests_after=RESTS_AFTER,
            lane_wait=self._policy.lane_wait,
            wait_max=timedelta(seconds=wait_max(self._policy)),
            finish_s=FINISH_S,
        )

    async def refresh(self, connection: Connection, destinations: Collection[str]) -> Collection[str]:
        rows = await connection.fetch(_SQL["endpoints"], list(destinations))
        # After the rows: a rotation writes its key before it seals a row for it.
        keys, seals = opening_keys(self._settings, datetime.now(UTC)), TeamSeals.of(self._settings)
        for row in rows:
            secrets = _unsealed(keys, row) if _is_sealed(seals, row) else None
            self._endpoints[row["endpoint_id"]] = Endpoint(row["url"], secrets, row["failing_since"])
        return {row["endpoint_id"] for row in rows if row["disabled_reason"] is None}

    async def load(self, connection: Connection, messages: Sequence[Message], now: datetime) -> Sequence[bytes]:
        """Raises `ChangedEntry`."""
        await self._bodies.load(connection, messages)
        return [self._bodies.of(message) for message in messages]

    async def attempt(self, message: Message, content: bytes) -> Attempt:
        at = datetime.now(UTC)
        late = is_late(message.created_at, at, self._policy)
        self._show_in_flight(1)
        try:
            outcome = await self._post(message, content, at, late=late)
        except Exception as error:
            # A bug in one, which a receiver's answer may bring about, is its failure and that of no other.
            ids = {"endpoint_id": message.endpoint_id, "message": message.message_id}
            log.error("an unknown error ends an attempt to deliver a webhook", **ids, exc_info=error)
            outcome = Outcome(None, "bad-answer", 0)
        finally:
            self._show_in_flight(-1)
        count("webhook_attempts", code=outcome.cause or outcome.error or str(outcome.status))
        decided = verdict(message.attempts + 1, outcome, self._policy, random.random())  # noqa: S311
        return Attempt(message, at, outcome, decided, late)

    def is_failing(self, outcome: Outcome) -> bool:
        return not outcome.delivered

    async def judge(self, connection: Connection, attempts: Sequence[Attempt]) -> Collection[str]:
        failing: dict[str, datetime | None] = {}
        disabled: set[str] = set()
        for attempt in attempts:
            name, endpoint = attempt.message.destination, self._endpoints[attempt.message.destination]
            since = None if attempt.outcome.delivered else endpoint.failing_since or attempt.at
            if since != endpoint.failing_since:
                endpoint.failing_since = failing[name] = since
            reason = disable_reason(attempt.outcome, since, attempt.at, self._policy)
            if reason is not None and name not in disabled:
                disabled.add(name)
                await disable(connection, name, reason)
        if failing:
            await connection.execute(_SQL["failing"], list(failing), list(failing.values()))
        return disabled

    async def release(self, destinations: Collection[str]) -> None:
        for name in destinations:
            self._endpoints.pop(name, None)

    async def _post(self, message: Message, body: bytes, at: datetime, *, late: bool) -> Outcome:
        endpoint = self._endpoints[message.destination]
        if endpoint.secrets is None:
            return Outcome(None, "no-secret", 0)
        headers = {
            "content-type": CONTENT_TYPE,
            **signature_headers(endpoint.secrets, webhook_id(message), int(at.timestamp()), body),
            **marks(message, late=late),
        }
        return await self._client.post(endpoint.url, headers, body)

    def _show_in_flight(self, more: int) -> None:
        self._in_flight += more
        gauge("webhooks_in_flight", self._in_flight)


def webhook_id(message: Message) -> str:
    """The id by which a receiver recognises a repeat: the same for each attempt, replay and redelivery. No dots."""
    parts = [message.event_id]
    if message.log_index is not None:
        parts = [message.campaign_id or "", message.kind, f"i{message.log_index}"]
    return "_".join(parts).replace(".", "_")


def marks(message: Message, *, late: bool) -> dict[str, str]:
    """The headers that say what is special about it."""
    given = {
        "yesser-replay": message.replay,
        "yesser-late": late,
        "yesser-example": message.kind == EXAMPLE,
        "yesser-notice": message.kind in NOTICE_NAMES,
    }
    return {name: "true" for name, is_set in given.items() if is_set}


async def disable(connection: Connection, endpoint_id: str, reason: Reason) -> None:
    """Send nothing more to an endpoint, and have its team told by e-mail. In the caller's transaction."""
    row = await connection.fetchrow(_SQL["disable"], endpoint_id, reason)
    if row is None:
        return
    event_id = f"{endpoint_id}.d{row['disabled_at']:%Y%m%d%H%M%S}"
    await connection.execute(_SQL["tell_owner"], row["agency"], row["team"], endpoint_id, event_id)
    await add_to_trail(connection, "webhooks disable", endpoint_id, reason, by=Actor())
    log.warning("a webhook is disabled", endpoint_id=endpoint_id, reason=reason)


def _is_sealed(seals: TeamSeals, row: Any) -> bool:
    if seals.is_sealed("delivery.endpoint", row):
        return True
    log.error(
        "a webhook's row was changed in the database: nothing is sent by it (yesser teams seal)",
        endpoint_id=row["endpoint_id"],
    )
    return False


def _unsealed(keys: Sequence[PrivateKey], row: Any) -> list[str] | None:
    """The active secrets of an endpoint; None where one cannot be unsealed, or it has none."""
    try:
        secrets = [
            unseal(keys, row["endpoint_id"], secret_id, sealed)
            for secret_id, sealed in zip(row["secret_ids"], row["sealed"], strict=True)
        ]
    except CannotUnseal as error:
        log.error("a webhook cannot be signed", endpoint_id=row["endpoint_id"], reason=str(error))
        return None
    return secrets or None


def verdict(attempts: int, outcome: Outcome, policy: Policy, chance: float) -> NextStep:
    """`attempts` counts this one; `chance` is in [0, 1)."""
    if outcome.delivered:
        return NextStep("delivered")
    if attempts > len(policy.delays_s):
        return NextStep("failed")
    wait_s = policy.delays_s[attempts - 1] * (1 + JITTER * chance)
    return NextStep("waiting", max(wait_s, min(outcome.retry_after_s or 0.0, RETRY_AFTER_MAX_S)))


def wait_max(policy: Policy) -> float:
    """Longer than this, in seconds, no message waits for its next attempt."""
    return max(RETRY_AFTER_MAX_S, *policy.delays_s) * (1 + JITTER)


def disable_reason(outcome: Outcome, failing_since: datetime | None, now: datetime, policy: Policy) -> Reason | None:
    """Why the endpoint gets no more webhooks, or None. `failing_since`: its first failure after the last success."""
    if outcome.status == GONE:
        return "gone"
    if not outcome.delivered and failing_since is not None and now - failing_since >= policy.disable_after:
        return "failing"
    return None


def is_late(created_at: datetime, now: datetime, policy: Policy) -> bool:
    """Whether a message has waited for so long that later ones of its lane may overtake it."""
    return now - created_at > policy.lane_wait


EXAMPLE: Final = "example"
"""The kind of a message that tests a webhook."""
BYTES_MAX: Final = 16 << 20
"""Beyond it, all that is kept is forgotten."""


class Bodies:
    """Events as they were sent, by their index in the log, and notices by their id; read together, kept for a while.

    One with free texts is read again for each delivery: since the last one a text may have been withheld.
    """

    def __init__(self) -> None:
        self._events: dict[int | str, bytes] = {}
        self._with_texts: set[int] = set()
        self._bytes = 0

    async def load(self, connection: Connection, messages: Iterable[Message]) -> None:
        """Read the events of these messages. Raises `ChangedEntry`."""
        messages = list(messages)
        wanted = {message.log_index for message in messages if message.log_index is not None}
        notice_ids = {message.event_id for message in messages if message.kind in NOTICE_NAMES}
        for index in self._with_texts:
            self._bytes -= len(self._events.pop(index))
        self._with_texts.clear()
        if self._bytes > BYTES_MAX:
            self._events = {index: event for index, event in self._events.items() if index in wanted | notice_ids}
            self._bytes = sum(map(len, self._events.values()))
        for index, entry in await shown_entries(connection, sorted(wanted - self._events.keys())):
            event = self._events[index] = event_of(entry)
            self._bytes += len(event)
            if has_texts(entry):
                self._with_texts.add(index)
        if notice_ids - self._events.keys():
            self._events.update(await notices(connection, notice_ids))

    def of(self, message: Message) -> bytes:
        """The body of a message that was loaded, or of an example."""
        if message.kind == EXAMPLE:
            return example_event(message.event_id)
        return self._events[message.event_id if message.log_index is None else message.log_index]


def example_event(event_id: str) -> bytes:
    """The event that a test of a webhook sends: the golden example of `campaign.triggered` under an id of its own.

    It is no entry of the log. Its id, and the campaign's, begin with `example.`, which no campaign's does.
    """
    event = orjson.loads(golden_example("campaign.triggered"))
    data = {**event["data"], "campaign_id": event_id}
    return canonical_bytes({**event, "id": event_id, "subject": f"campaign/{event_id}", "data": data})
