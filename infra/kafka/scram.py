"""The wire requests that aiokafka lacks, of version 0, written with its protocol types.

AlterUserScramCredentials (API key 51) creates and deletes SCRAM users; it is flexible, so every structure ends in
tagged fields. AlterClientQuotas (KIP-546, API key 49) sets the quotas of a user: Kafka delays a client above its quota
and never refuses it. Field order is that of Kafka's `AlterUserScramCredentialsRequest.json` and
`AlterClientQuotasRequest.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Array,
    Boolean,
    CompactArray,
    CompactBytes,
    CompactString,
    Float64,
    Int8,
    Int16,
    Int32,
    Schema,
    String,
    TaggedFields,
)

from infra.settings import Settings

SCRAM_SHA_512: Final = 2
API_KEY: Final = 51


class AlterUserScramCredentialsResponse_v0(Response):  # type: ignore[misc]  # noqa: N801 - aiokafka's naming
    API_KEY = API_KEY
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(
                ("user", CompactString("utf-8")),
                ("error_code", Int16),
                ("error_message", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class AlterUserScramCredentialsRequest_v0(RequestStruct):  # type: ignore[misc]  # noqa: N801 - aiokafka's naming
    API_KEY = API_KEY
    API_VERSION = 0
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = AlterUserScramCredentialsResponse_v0
    SCHEMA = Schema(
        (
            "deletions",
            CompactArray(("name", CompactString("utf-8")), ("mechanism", Int8), ("tags", TaggedFields)),
        ),
        (
            "upsertions",
            CompactArray(
                ("name", CompactString("utf-8")),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class AlterUserScramCredentialsRequest(Request[AlterUserScramCredentialsRequest_v0]):  # type: ignore[misc]
    """Sets the salted password (RFC 5802's SaltedPassword) of a user, creating the user if needed, or deletes it."""

    API_KEY = API_KEY

    def __init__(self, *, deleted: tuple[Any, ...] | None = None, upserted: tuple[Any, ...] | None = None) -> None:
        """A row of `deletions`, or one of `upsertions`, without its tags."""
        self._rows = [[] if row is None else [(*row, {})] for row in (deleted, upserted)]

    def build(
        self, request_struct_class: type[AlterUserScramCredentialsRequest_v0]
    ) -> AlterUserScramCredentialsRequest_v0:
        return request_struct_class(*self._rows, {})


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
