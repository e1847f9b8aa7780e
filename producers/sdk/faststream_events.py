"""The catalogue's events in a FastStream application: typed subscribers and publishers of single messages.

Flows in: records in structured or binary mode. Flows out: events of the catalogue's own models, and an agency's events
in structured mode, each acknowledged. After a handler's error FastStream continues and commits past the message;
`serve` stops instead, so that the next start receives it again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar

import orjson
from aiokafka.structs import RecordMetadata
from faststream import AckPolicy, BaseMiddleware, FastStream
from faststream.exceptions import IgnoredException, NackMessage
from faststream.kafka import KafkaBroker
from faststream.message import StreamMessage
from faststream.security import BaseSecurity, SASLScram512

from events.faults.model import Model
from events.types.awareness import (
    AwarenessCampaignAcknowledged,
    AwarenessCampaignAired,
    AwarenessCampaignAiringCorrected,
    AwarenessCampaignCompleted,
    CampaignEscalated,
    CampaignPaused,
    CampaignResumed,
    CampaignTriggered,
)
from events.types.catalogue import CATALOGUE
from events.validation.models import event_model
from events.wire.codec import STRUCTURED_CONTENT_TYPE
from events.wire.envelope import Envelope
from events.wire.kafka_binding import CONTENT_TYPE, read_headers
from events.wire.strict_json import JsonObject
from infra.kafka.client_config import PRODUCER_DURABLE, ClientArguments, agency_topic, client_arguments
from infra.settings import Settings
from producers.sdk.typed_events import typed_event

DataT = TypeVar("DataT", bound=Model)
_TYPES: Final[dict[type[Model], str]] = {row.model: name for name, row in CATALOGUE.items()}
_HEADERS: Final = {CONTENT_TYPE: STRUCTURED_CONTENT_TYPE}

if TYPE_CHECKING:

    class Event(Envelope, Generic[DataT]):
        """A whole event of one type: `Event[CampaignTriggered]` has the envelope's attributes and typed `data`."""

        data: DataT  # type: ignore[assignment]

else:

    class Event:
        """`Event[CampaignTriggered]` is the catalogue's own model of the type, which the registrar uses too."""

        def __class_getitem__(cls, model: type[Model]) -> type[Envelope]:
            return event_model(_TYPES[model])


CampaignEvent: TypeAlias = (
    Event[CampaignTriggered]
    | Event[CampaignEscalated]
    | Event[CampaignPaused]
    | Event[CampaignResumed]
    | Event[AwarenessCampaignAcknowledged]
    | Event[AwarenessCampaignAired]
    | Event[AwarenessCampaignAiringCorrected]
    | Event[AwarenessCampaignCompleted]
)
"""An event about a campaign, as on the topic `yesser.campaign-triggers.<code>` of its agency."""


def event_broker(settings: Settings, **options: Any) -> KafkaBroker:
    """A broker that decodes events, commits handled messages, publishes durably, and creates no topics.

    `options` are further ones of `KafkaBroker`. A process that only reads passes `consumer_only=True`: a producer
    needs the right to write.
    """
    arguments = client_arguments(settings)
    safe = {"ack_policy": AckPolicy.NACK_ON_ERROR, "allow_auto_create_topics": False, **PRODUCER_DURABLE}
    return KafkaBroker(
        arguments["bootstrap_servers"],
        security=security_of(arguments),
        request_timeout_ms=arguments["request_timeout_ms"],
        decoder=decode_event,
        **safe | options,
    )


async def decode_event(message: StreamMessage[Any]) -> JsonObject:
    """The event of a record in either mode, as the members that `Event[…]` is made of."""
    headers = read_headers(message.raw_message.headers)
    content = orjson.loads(message.body)
    return content if headers.structured else {**headers.attributes, "data": content}


class EventPublisher(Generic[DataT]):
    """Publishes one type of event to the agency's own topic; declares it in the application's AsyncAPI document."""

    def __init__(self, broker: KafkaBroker, agency: str, model: type[DataT]) -> None:
        self._agency = agency
        self._publisher = broker.publisher(
            agency_topic(agency),
            partition=0,
            headers=_HEADERS,
            schema=Event[model],  # type: ignore[valid-type]
        )

    async def publish(self, data: DataT, event_id: str, time: str, **attributes: str) -> RecordMetadata:
        """Send an event and return its address once it is stored. The registrar's verdict comes later.

        Raises `FaultyEvent` with every fault of form. After a `KafkaError` the outcome is unknown: publish the same
        again; the registrar drops duplicates.
        """
        return await self._publisher.publish(typed_event(self._agency, data, event_id, time, **attributes))


async def serve(broker: KafkaBroker) -> None:
    """Run the broker's subscribers until SIGTERM or SIGINT.

    A message that cannot be read or handled stops them before the next one, and its error is raised. A group has not
    committed it then, and receives it again at the next start.
    """
    app = FastStream(broker)
    errors: list[Exception] = []

    def stop(error: Exception) -> None:
        errors.append(error)
        # Not `StopConsume`: its subscriber cancels itself before it has left its group, which the next start waits for.
        for subscriber in broker.subscribers:
            subscriber.running = False
        app.exit()

    broker.add_middleware(partial(_StopAtError, stop=stop))
    await app.run()
    if errors:
        raise errors[0]


def security_of(arguments: ClientArguments) -> BaseSecurity | None:
    """The arguments of `client_arguments` for FastStream."""
    context = arguments.get("ssl_context")
    if "sasl_mechanism" not in arguments:
        return None if context is None else BaseSecurity(ssl_context=context)
    user, password = arguments["sasl_plain_username"], arguments["sasl_plain_password"]
    return SASLScram512(user, password, ssl_context=context, use_ssl=context is not None)


class _StopAtError(BaseMiddleware[Any, Any]):
    """Passes an error of parser, decoder or handler to `stop`, and leaves its message uncommitted."""

    def __init__(self, message: Any, /, *, context: Any, stop: Callable[[Exception], None]) -> None:
        super().__init__(message, context=context)
        self._stop = stop

    async def after_processed(self, kind: Any = None, error: BaseException | None = None, trace: Any = None) -> bool:
        if isinstance(error, Exception) and not isinstance(error, IgnoredException):
            self._stop(error)
            raise NackMessage from error
        return False
