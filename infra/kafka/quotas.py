"""Kafka quotas of a user: AlterClientQuotas (KIP-546, API key 49).

aiokafka has no such request; field order is Kafka's `AlterClientQuotasRequest.json`, version 0.
Kafka delays a client above its quota and never refuses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Float64, Int16, Int32, Schema, String

from infra.settings import Settings

Quotas = Mapping[str, float]
"""Kafka's name of a quota → its value."""

USER: Final = "user"
_ALTER: Final = 49
ENTITY: Final = Array(("type", String("utf-8")), ("name", String("utf-8")))


def agency_quotas(settings: Settings) -> dict[str, float]:
    return {
        "producer_byte_rate": float(settings.agency_producer_bytes_per_s),
        "consumer_byte_rate": float(settings.agency_consumer_bytes_per_s),
        "request_percentage": float(settings.agency_request_percent),
    }


class AlterClientQuotasResponse_v0(Response):  # type: ignore[misc]  # noqa: N801 - aiokafka's naming
    API_KEY = _ALTER
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("entries", Array(("error_code", Int16), ("error_message", String("utf-8")), ("entity", ENTITY))),
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
                ("entity", ENTITY),
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
