"""The two ways out of the outbox: Kafka with the agency's own credential, or a gateway with the agency's token.

Both keep the order: a call ends before the next one begins. Both may store an event twice if an answer was lost.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Final, TypeAlias

from events.errors import Retry
from events.validation.verdicts import Agency
from infra.addresses import NotAnAddress, server_address
from infra.kafka.client_config import NoKafka, refuse_plain_kafka
from infra.settings import Settings
from infra.tls.plaintext import refuse_plain_http
from producers.errors import NotAccepted
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
