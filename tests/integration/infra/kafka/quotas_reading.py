"""Reads a user's quotas from Kafka: DescribeClientQuotas (KIP-546, API key 48), which aiokafka does not have."""

from __future__ import annotations

from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Float64, Int8, Int16, Int32, Schema, String

from infra.kafka.admin import KafkaRefused
from infra.kafka.scram import ENTITY


async def read_quotas(client: AIOKafkaClient, user: str) -> dict[str, float]:
    """The user's own quotas; empty if it has none."""
    response = await client.send(client.get_random_node(), DescribeClientQuotasRequest(user))
    if response.error_code:
        raise KafkaRefused(f"quotas of {user}: {for_code(response.error_code).__name__}")
    return {name: value for _, values in response.entries or () for name, value in values}


class DescribeClientQuotasResponse_v0(Response):  # type: ignore[misc]  # noqa: N801 - aiokafka's naming
    API_KEY = 48
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("error_message", String("utf-8")),
        ("entries", Array(("entity", ENTITY), ("values", Array(("key", String("utf-8")), ("value", Float64))))),
    )


class DescribeClientQuotasRequest_v0(RequestStruct):  # type: ignore[misc]  # noqa: N801 - aiokafka's naming
    """The request as it goes over the wire."""

    API_KEY = 48
    API_VERSION = 0
    RESPONSE_TYPE = DescribeClientQuotasResponse_v0
    SCHEMA = Schema(
        ("components", Array(("entity_type", String("utf-8")), ("match_type", Int8), ("match", String("utf-8")))),
        ("strict", Boolean),
    )


class DescribeClientQuotasRequest(Request[DescribeClientQuotasRequest_v0]):  # type: ignore[misc]
    API_KEY = 48

    def __init__(self, user: str) -> None:
        self._user = user

    def build(self, request_struct_class: type[DescribeClientQuotasRequest_v0]) -> DescribeClientQuotasRequest_v0:
        components: list[Any] = [("user", 0, self._user)]
        return request_struct_class(components, True)
