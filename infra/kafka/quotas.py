"""Kafka quotas of a user: AlterClientQuotas and DescribeClientQuotas (KIP-546, API keys 49 and 48).

aiokafka has no such requests; field order is Kafka's `AlterClientQuotasRequest.json` and `Describe…`, version 0.
Kafka delays a client above its quota and never refuses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Float64, Int8, Int16, Int32, Schema, String

from events.errors import YesserError
from infra.settings import Settings

Quotas = Mapping[str, float]
"""Kafka's name of a quota → its value."""

USER: Final = "user"
_EXACT: Final = 0
_DESCRIBE: Final = 48
_ALTER: Final = 49
_ENTITY: Final = Array(("type", String("utf-8")), ("name", String("utf-8")))


class QuotasNotSet(YesserError):
    """Kafka refused to change or read a user's quotas; the message names the user and Kafka's reason."""


def agency_quotas(settings: Settings) -> dict[str, float]:
    """The quotas of one agency."""
    return {
        "producer_byte_rate": float(settings.agency_producer_bytes_per_s),
        "consumer_byte_rate": float(settings.agency_consumer_bytes_per_s),
        "request_percentage": float(settings.agency_request_percent),
    }


async def set_quotas(client: AIOKafkaClient, user: str, quotas: Quotas) -> None:
    """Set these quotas of a user; its others stay. They apply from the next request and survive a new password."""
    response = await client.send(client.get_random_node(), AlterClientQuotasRequest(user, quotas))
    for code, message, _ in response.entries:
        _require(user, code, message)


async def read_quotas(client: AIOKafkaClient, user: str) -> dict[str, float]:
    """The user's own quotas in Kafka; empty if it has none."""
    response = await client.send(client.get_random_node(), DescribeClientQuotasRequest(user))
    _require(user, response.error_code, response.error_message)
    return {name: value for _, values in response.entries or () for name, value in values}


def _require(user: str, code: int, message: str | None) -> None:
    if code:
        reason = for_code(code).__name__ + (f" ({message})" if message else "")
        raise QuotasNotSet(f"quotas of {user}: {reason}")


class AlterClientQuotasResponse_v0(Response):  # type: ignore[misc]  # noqa: N801 - aiokafka's naming
    API_KEY = _ALTER
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("entries", Array(("error_code", Int16), ("error_message", String("utf-8")), ("entity", _ENTITY))),
    )


class AlterClientQuotasRequest_v0(RequestStruct):  # type: ignore[misc]  # noqa: N801 - aiokafka's naming
    """The request as it goes over the wire."""

    API_KEY = _ALTER
    API_VERSION = 0
    RESPONSE_TYPE = AlterClientQuotasResponse_v0
    SCHEMA = Schema(
        (
            "entries",
            Array(
                ("entity", _ENTITY),
                ("operations", Array(("key", String("utf-8")), ("value", Float64), ("remove", Boolean))),
            ),
        ),
        ("validate_only", Boolean),
    )


class AlterClientQuotasRequest(Request[AlterClientQuotasRequest_v0]):  # type: ignore[misc]
    API_KEY = _ALTER

    def __init__(self, user: str, quotas: Quotas) -> None:
        self._user = user
        self._quotas = quotas

    def build(self, request_struct_class: type[AlterClientQuotasRequest_v0]) -> AlterClientQuotasRequest_v0:
        operations = [(name, value, False) for name, value in self._quotas.items()]
        return request_struct_class([([(USER, self._user)], operations)], False)


class DescribeClientQuotasResponse_v0(Response):  # type: ignore[misc]  # noqa: N801 - aiokafka's naming
    API_KEY = _DESCRIBE
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("error_message", String("utf-8")),
        ("entries", Array(("entity", _ENTITY), ("values", Array(("key", String("utf-8")), ("value", Float64))))),
    )


class DescribeClientQuotasRequest_v0(RequestStruct):  # type: ignore[misc]  # noqa: N801 - aiokafka's naming
    """The request as it goes over the wire."""

    API_KEY = _DESCRIBE
    API_VERSION = 0
    RESPONSE_TYPE = DescribeClientQuotasResponse_v0
    SCHEMA = Schema(
        ("components", Array(("entity_type", String("utf-8")), ("match_type", Int8), ("match", String("utf-8")))),
        ("strict", Boolean),
    )


class DescribeClientQuotasRequest(Request[DescribeClientQuotasRequest_v0]):  # type: ignore[misc]
    API_KEY = _DESCRIBE

    def __init__(self, user: str) -> None:
        self._user = user

    def build(self, request_struct_class: type[DescribeClientQuotasRequest_v0]) -> DescribeClientQuotasRequest_v0:
        components: list[Any] = [(USER, _EXACT, self._user)]
        return request_struct_class(components, True)
