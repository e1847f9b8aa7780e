"""What the Kafka client library lacks: time limits, whether a topic exists, and stopping clients safely.

The library sends an idempotent batch again without end, and waits without end where one of its own tasks has ended.
So every start and every acknowledgement has a limit: the owner drops the client and makes a new one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import create_conn
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    LeaderNotAvailableError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.protocol.api import Request
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.structs import RecordMetadata

from infra.kafka.client_config import PRODUCER_DURABLE, ClientArguments, client_arguments, possible_passwords
from infra.settings import Settings
from infra.tls.client import ClientContext

Answer = TypeVar("Answer")

STOP_TIMEOUT_S: Final = 3.0
_CANCEL_TIMEOUT_S: Final = 1.0
START_TIMEOUT_S: Final = 15.0
_LOGIN_TIMEOUT_MS: Final = 3_000
SEND_TIMEOUT_S: Final = 15.0
"""Longer than a request may take (`client_arguments`), so that the library's own second try has its chance."""


class NotStarted(ConnectionError):
    """A client library cancelled its own start without a reason: try again."""


class NotAcknowledged(ConnectionError):
    """Kafka acknowledged nothing in time: the outcome is unknown, and a new producer sends it again."""


class ClientEnded(ConnectionError):
    """A task of the client library has ended, and nothing would arrive any more: a new client is made."""


def raw_client(owner: AIOKafkaConsumer | AIOKafkaAdminClient) -> AIOKafkaClient:
    """The client that sends requests for which a consumer and an administrator have no method of their own."""
    client: AIOKafkaClient = owner._client
    return client


async def send_repeatable(client: AIOKafkaClient, node: int, request: Request, **options: Any) -> Any:
    """The answer to a request that does the same when it is sent twice.

    The broker closes a connection at the first request after its session, which the library cannot renew
    (`connections.max.reauth.ms`). The second try makes a new connection.
    """
    try:
        return await client.send(node, request, **options)
    except KafkaConnectionError:
        return await client.send(node, request, **options)


async def absent_topics(client: AIOKafkaClient, topics: Iterable[str]) -> set[str]:
    """Which of these topics do not exist. The client would wait for them and log it thousands of times."""
    described = await _describe(client, topics)
    return {name for error, name, *_ in described if error == UnknownTopicOrPartitionError.errno}


async def leaderless_topics(client: AIOKafkaClient, topics: Iterable[str]) -> set[str]:
    """Which of these topics no broker serves now. The client would wait for them, and with them for all others."""
    return {
        name
        for error, name, *_, partitions in await _describe(client, topics)
        if error == LeaderNotAvailableError.errno or any(leader == -1 for _, _, leader, *_ in partitions)
    }


async def _describe(client: AIOKafkaClient, topics: Iterable[str]) -> list[Any]:
    """Error, name and partitions of each of these topics; without a name the broker would describe all.

    Raises `TopicAuthorizationFailedError` for one that the user may not see: the client would wait for it.
    """
    if not (names := list(topics)):
        return []
    response = await send_repeatable(client, client.get_random_node(), MetadataRequest(names))
    if hidden := [name for error, name, *_ in response.topics if error == TopicAuthorizationFailedError.errno]:
        raise TopicAuthorizationFailedError(", ".join(hidden))
    return [*response.topics]


async def start_error(starting: Coroutine[Any, Any, object], timeout_s: float) -> Exception | None:
    """Run a client's `start`; returns its error, or None.

    It runs in its own task: on a lost connection the library may cancel its own work, or lose the cancellation of a
    timeout. In the caller the first would look like a cancellation from outside, and the second would never end.
    """
    # Any error is a failed try. For a moment after a reset the library takes the connection for open, and uvloop raises
    # RuntimeError ("the handler is closed") where the library expects OSError.
    task = asyncio.ensure_future(starting)
    if not await _ended(task, timeout_s):
        return TimeoutError()
    if task.cancelled():
        return NotStarted(NotStarted.__doc__)
    error = task.exception()
    if error is not None and not isinstance(error, Exception):
        raise error
    return error


async def _cause(client: AIOKafkaClient, error: Exception) -> Exception:
    """Why a start failed: `NotTrusted`, `SaslAuthenticationFailed` (which the library only logs), or its own error."""
    context = client._ssl_context
    if isinstance(context, ClientContext) and context.refusal is not None:
        return context.refusal
    if isinstance(error, KafkaConnectionError) and client._security_protocol.startswith("SASL"):
        return await _login_refusal(client) or error
    return error


async def _login_refusal(client: AIOKafkaClient) -> Exception | None:
    """A broker's refusal of this user and password, found by one more login; None if that is not what failed."""
    refusal = None
    for host, port, _ in client.hosts:
        for password in possible_passwords(client._sasl_plain_password):
            try:
                connection = await create_conn(
                    host,
                    port,
                    request_timeout_ms=_LOGIN_TIMEOUT_MS,
                    security_protocol=client._security_protocol,
                    ssl_context=client._ssl_context,
                    sasl_mechanism=client._sasl_mechanism,
                    sasl_plain_username=client._sasl_plain_username,
                    sasl_plain_password=password,
                )
            except SaslAuthenticationFailed as error:
                refusal = error
            except (KafkaError, OSError, TimeoutError):
                break
            else:
                connection.close()
                return None
    return refusal


async def start_client(client: AIOKafkaProducer | AIOKafkaConsumer | AIOKafkaAdminClient) -> None:
    """Start a client. The error that is raised may pass, but for `NotTrusted`; `SaslAuthenticationFailed` passes once
    the password is set."""
    error = await start_error(client.start(), START_TIMEOUT_S)
    if error is None:
        return
    cause = await _cause(client.client if isinstance(client, AIOKafkaProducer) else raw_client(client), error)
    if isinstance(cause, KafkaError | OSError):
        raise cause
    raise NotStarted(f"The start of a Kafka client failed: {error!r}") from error


@asynccontextmanager
async def consuming(settings: Settings, **options: Any) -> AsyncIterator[AIOKafkaConsumer]:
    """A started consumer, stopped at the end of the block. It has no group, commits nothing, and begins only
    at an offset that it is given."""
    arguments = {"enable_auto_commit": False, "auto_offset_reset": "none", **options}
    consumer = AIOKafkaConsumer(**client_arguments(settings), **arguments)
    try:
        await start_client(consumer)
        yield consumer
    finally:
        await stop_consumer(consumer)


@asynccontextmanager
async def producing(settings: Settings, **options: Any) -> AsyncIterator[AIOKafkaProducer]:
    """A started durable producer, aborted at the end of the block: what is not acknowledged by then is unknown."""
    producer = AIOKafkaProducer(**client_arguments(settings), **PRODUCER_DURABLE, **options)
    try:
        await start_client(producer)
        yield producer
    finally:
        await abort_producer(producer)


async def send_batch(producer: AIOKafkaProducer, batch: BatchBuilder, topic: str) -> asyncio.Future[RecordMetadata]:
    """Give a batch for partition 0 to the client; returns its future acknowledgement.

    The client asks Kafka about the topics that it was given. One that it knows from an answer about all topics is not
    among them: once another topic is given, it is unknown again, and what waits for it expires after 10 s.
    """
    producer.client.add_topic(topic)
    future: asyncio.Future[RecordMetadata] = await producer.send_batch(batch, topic, partition=0)
    return future


async def acknowledged(sending: Awaitable[Answer]) -> Answer:
    """What Kafka acknowledges. Raises `NotAcknowledged` where it does not in time."""
    try:
        async with asyncio.timeout(SEND_TIMEOUT_S):
            return await sending
    except TimeoutError as error:
        raise NotAcknowledged(NotAcknowledged.__doc__) from error


def require_running(consumer: AIOKafkaConsumer) -> None:
    """Raise `ClientEnded` where a started consumer lost a task of its own: it would read nothing and raise nothing."""
    for task in (raw_client(consumer)._sync_task, consumer._fetcher._fetch_task):
        if task.done():
            raise ClientEnded(ClientEnded.__doc__)


async def stop_safely(stopping: Coroutine[Any, Any, object]) -> bool:
    """Run a client's `stop`; returns whether it completed.

    When Kafka has just become unavailable, `stop` raises the cancellation of a task that it cancelled itself. In the
    caller that would look like a cancellation from outside and end the process.
    """
    task = asyncio.ensure_future(stopping)
    ended = await _ended(task, STOP_TIMEOUT_S)
    return ended and not task.cancelled() and task.exception() is None


async def _ended(task: asyncio.Future[Any], timeout_s: float) -> bool:
    """Whether the task ended in time. If not, it is cancelled and may close what it had opened.

    A cancellation from outside waits for it a moment, however often it comes: the library never closes the first
    connection of a start that is cancelled.
    """
    now = asyncio.get_running_loop().time
    ends_at, cancellation = now() + timeout_s, None
    while not task.done() and (left_s := ends_at - now()) > 0:
        try:
            await asyncio.wait([task], timeout=left_s)
        except asyncio.CancelledError as error:
            cancellation, ends_at = error, min(ends_at, now() + _CANCEL_TIMEOUT_S)
    ended = task.done()
    if not ended:
        task.cancel()
        await asyncio.wait([task], timeout=_CANCEL_TIMEOUT_S)
    if cancellation is not None:
        raise cancellation
    return ended


async def stop_consumer(consumer: AIOKafkaConsumer) -> None:
    """Stop a consumer in any state, without an error."""
    try:
        await stop_safely(consumer.stop())
    finally:
        await _close(raw_client(consumer))


async def stop_admin(admin: AIOKafkaAdminClient) -> None:
    """Stop an administrator in any state, without an error."""
    await _close(raw_client(admin))


async def abort_producer(producer: AIOKafkaProducer) -> None:
    """Stop a producer at once in any state, without an error.

    Unacknowledged records have an unknown outcome. The producer's `stop` would wait for them as long as Kafka is not
    available.
    """
    producer._closed = True
    try:
        if producer._sender is not None:
            await stop_safely(producer._sender.close())
    finally:
        await _close(producer.client)


async def _close(client: AIOKafkaClient) -> None:
    """Close a client's connections.

    Its `close` raises the error of its metadata task and leaves them open. One that a task was still opening is added
    to a closed client.
    """
    try:
        await stop_safely(client.close())
    finally:
        for connection in [*client._conns.values()]:
            connection.close()


BATCH_BYTES_MAX: Final = 126_976
"""Below the topic's `max.message.bytes` of 131,072, which the broker compares with whole batches."""


async def started_producer(
    make: Callable[..., AIOKafkaProducer], arguments: ClientArguments, client_id: str, timeout_s: float
) -> AIOKafkaProducer | Exception:
    """The producer, or why it did not start: `NotTrusted` for the broker's certificate, `SaslAuthenticationFailed` for
    the user or password."""
    producer = make(**arguments, **PRODUCER_DURABLE, client_id=client_id, max_batch_size=BATCH_BYTES_MAX)
    failed: Exception | None = NotStarted()
    try:
        failed = await start_error(producer.start(), timeout_s)
    finally:
        if failed is not None:
            await abort_producer(producer)
    return producer if failed is None else await _cause(producer.client, failed)
