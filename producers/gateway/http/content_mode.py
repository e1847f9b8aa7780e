"""CloudEvents over HTTP (binding 1.0.2): a request's content mode and its events.

Flows in: the headers and body of a request. Flows out: the value and headers of a Kafka record for each event, so that
HTTP and Kafka get the same verdict. In binary mode a header `ce-<name>` becomes `ce_<name>`, percent-decoded once.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from events.wire.codec import STRUCTURED_HEADERS
from infra.http.body import RawHeaders
from infra.http.problems import Problem
from producers.gateway.http.splitting import NotAnArray, TooManyTokens, split_array

Mode = Literal["structured", "binary", "batch"]

BATCH: Final = "application/cloudevents-batch"
SINGLE: Final = "application/cloudevents"
_ATTRIBUTE: Final = b"ce-"
_NOT_UTF8: Final = b"\xff"
_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_QUOTED: Final = re.compile(rb"\\(.)", re.DOTALL)


class Claims(NamedTuple):
    """A request's events as Kafka records, which all have the same headers."""

    values: list[bytes]
    headers: list[tuple[str, bytes | None]]


_STRUCTURED: Final[list[tuple[str, bytes | None]]] = list(STRUCTURED_HEADERS)


def mode_of(headers: RawHeaders) -> Mode:
    """The mode by content type, else by the presence of `ce-` headers. Raises `Problem` (415)."""
    given = [value for name, value in headers if name == b"content-type"]
    if len(given) > 1:
        raise Problem("unsupported-media-type")
    media, charset = _media_type(given[0]) if given else ("", None)
    if media.startswith(SINGLE):
        if charset not in (None, "utf-8", "utf8"):
            raise Problem("unsupported-media-type")
        if media == f"{BATCH}+json":
            return "batch"
        if media == f"{SINGLE}+json":
            return "structured"
        raise Problem("unsupported-media-type")
    if any(name.startswith(_ATTRIBUTE) for name, _ in headers):
        return "binary"
    raise Problem("unsupported-media-type")


def claims_of(mode: Mode, headers: RawHeaders, body: bytes, events_max: int) -> Claims:
    """The events of a request. Raises `Problem` if a batch is not an array, or has more than `events_max`."""
    if mode != "batch":
        return Claims([body], _STRUCTURED if mode == "structured" else binary_headers(headers))
    try:
        values = split_array(body, events_max)
    except NotAnArray:
        raise Problem("malformed-request") from None
    except TooManyTokens:
        raise Problem("request-too-large") from None
    if len(values) > events_max:
        raise Problem("too-many-events")
    return Claims(values, _STRUCTURED)


def binary_headers(headers: RawHeaders) -> list[tuple[str, bytes | None]]:
    """A binary-mode request's attributes as Kafka headers."""
    result: list[tuple[str, bytes | None]] = []
    for name, value in headers:
        if name == b"content-type":
            result.append(("content-type", value))
        elif name.startswith(_ATTRIBUTE):
            result.append(("ce_" + name[len(_ATTRIBUTE) :].decode("latin-1"), decode_value(value)))
    return result


def decode_value(value: bytes) -> bytes:
    """One round of percent-decoding after un-quoting (HTTP binding §3.1.3.2).

    A malformed escape gives bytes that are not UTF-8, so that validation reports the header.
    """
    if len(value) > 1 and value[:1] == value[-1:] == b'"':
        value = _QUOTED.sub(rb"\1", value[1:-1])
    if b"%" not in value:
        return value
    if _BAD_ESCAPE.search(value):
        return _NOT_UTF8
    return _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()), value)


@lru_cache(maxsize=64)
def _media_type(value: bytes) -> tuple[str, str | None]:
    media, *parameters = value.decode("latin-1").split(";")
    charset = None
    for parameter in parameters:
        name, _, text = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = text.strip().strip('"').lower()
    return media.strip().lower(), charset
