"""CloudEvents over HTTP (binding 1.0.2): a request's content mode, and the events of a batch.

Flows in: the headers of a request. Flows out: the headers of a Kafka record for each event, so that HTTP and Kafka get
the same verdict. In binary mode a header `ce-<name>` becomes `ce_<name>`, percent-decoded once.

A batch's events are the elements of a JSON array as their original bytes, which are hashed and stored verbatim.
Validation checks each element. An array that no parser accepts is therefore split too, at the commas outside brackets
and strings, if its brackets match.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from events.errors import Reject
from events.wire.codec import STRUCTURED_HEADERS
from events.wire.kafka_binding import Headers
from infra.http.body import RawHeaders
from infra.http.problems import Problem

BATCH: Final = "application/cloudevents-batch"
SINGLE: Final = "application/cloudevents"
_ATTRIBUTE: Final = b"ce-"
_NOT_UTF8: Final = b"\xff"
_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_QUOTED: Final = re.compile(rb"\\(.)", re.DOTALL)


class Content(NamedTuple):
    """How a request brings its events: as an array or one alone, and the headers that their Kafka records have."""

    batched: bool
    record_headers: Headers


def content_of(headers: RawHeaders) -> Content:
    """The mode by content type, else by the presence of `ce-` headers. Raises `Problem` (415)."""
    content_types = [value for name, value in headers if name == b"content-type"]
    if len(content_types) > 1:
        raise Problem("unsupported-media-type")
    media, charset = _media_type(content_types[0]) if content_types else ("", None)
    if media.startswith(SINGLE):
        if charset not in (None, "utf-8", "utf8") or media not in (f"{BATCH}+json", f"{SINGLE}+json"):
            raise Problem("unsupported-media-type")
        return Content(media == f"{BATCH}+json", STRUCTURED_HEADERS)
    if any(name.startswith(_ATTRIBUTE) for name, _ in headers):
        return Content(False, _binary_headers(headers))
    raise Problem("unsupported-media-type")


def _binary_headers(headers: RawHeaders) -> list[tuple[str, bytes | None]]:
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


_ARRAY: Final = msgspec.json.Decoder(list[msgspec.Raw])
_COMMAS_PER_ELEMENT_MAX: Final = 250
"""An array with more commas may have millions of elements: `split_by_hand` stops after `elements_max`."""
_TOKENS_MAX: Final = 250_000
"""Brackets, strings and commas that `split_by_hand` reads in 30 ms. A thousand events have 80,000."""

_WHITE_SPACE: Final = b" \t\n\r"
_TOKENS: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]|,', re.DOTALL)


class NotAnArray(Reject):
    """The bytes are not one array."""


class TooManyTokens(Reject):
    """The array has too many brackets, strings and commas."""


def split_batch(body: bytes, events_max: int) -> list[bytes]:
    """The events of a batch. Raises `Problem` if it is not an array, or has more than `events_max`."""
    try:
        values = split_array(body, events_max)
    except NotAnArray:
        raise Problem("malformed-request") from None
    except TooManyTokens:
        raise Problem("request-too-large") from None
    if len(values) > events_max:
        raise Problem("too-many-events")
    return values


def split_array(body: bytes, elements_max: int) -> list[bytes]:
    """The elements without surrounding white space. Raises `NotAnArray`, or `TooManyTokens` where no parser splits it.

    With more than `elements_max` elements, at least one more than that is returned.
    """
    if body.count(b",") <= _COMMAS_PER_ELEMENT_MAX * elements_max:
        try:
            return list(map(bytes, _ARRAY.decode(body)))
        except (msgspec.DecodeError, RecursionError):
            pass
    return split_by_hand(body, elements_max)


def split_by_hand(body: bytes, elements_max: int) -> list[bytes]:
    """The same for any array, well-formed or not. `split_array` is the fast way where all elements are JSON."""
    text = body.strip(_WHITE_SPACE)
    if len(text) < 2 or text[:1] != b"[" or text[-1:] != b"]":
        raise NotAnArray
    inner = text[1:-1].strip(_WHITE_SPACE)
    pieces: list[bytes] = []
    start = depth = 0
    for number, token in enumerate(_TOKENS.finditer(inner)):
        if number == _TOKENS_MAX:
            raise TooManyTokens
        mark = inner[token.start()]
        if mark in b"[{":
            depth += 1
        elif mark in b"]}":
            depth -= 1
            if depth < 0:
                raise NotAnArray
        elif mark == 0x2C and depth == 0:
            pieces.append(inner[start : token.start()].strip(_WHITE_SPACE))
            start = token.end()
            if len(pieces) > elements_max:
                return pieces
    if inner:
        pieces.append(inner[start:].strip(_WHITE_SPACE))
    if depth or not all(pieces):
        raise NotAnArray
    return pieces
