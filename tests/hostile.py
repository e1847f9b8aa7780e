"""Records that are made to cost much: every list, object and text filled, and floods of every kind."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from events.validation.verdicts import Agency
from events.wire.codec import STRUCTURED_HEADERS
from events.wire.envelope import RECORD_BYTES_MAX
from events.wire.kafka_binding import Headers
from tests.world.events import changed, golden, sender_of

SIZE_MAX: Final = 61_440
BODY_MAX: Final = 4 << 20
"""Most bytes that the gateway unpacks."""
_HERE: Final = "fill here"

ITEMS: Final[Mapping[str, str]] = {
    "empty objects": "{}",
    "empty lists": "[]",
    "zeros": "0",
    "empty texts": '""',
    "nulls": "null",
    "fractions": "1.5",
    "huge integers": "9007199254740992",
    "NULs": r'"\u0000"',
    "half surrogates": r'"\ud800"',
    "national ids": '"1064971268"',
    "Arabic national ids": '"١٠٦٤٩٧١٢٦٨"',
    "escaped national ids": r'"\u0031064971268"',
    "ten digits": '"1064971269"',
    "numbers of ten digits": "1064971268",
    "nested lists": "[[[[]]]]",
    "small objects": '{"a":0}',
    "odd names": '{"a-b":0}',
    "names with NUL": r'{"\u0000":0}',
    "personal names": '{"1064971268":0}',
    "texts of L": '{"ar":"","en":0}',
    "objects of 60 members": "{" + ",".join(f'"m{number}":0' for number in range(60)) + "}",
    "objects of 70 members": "{" + ",".join(f'"m{number}":0' for number in range(70)) + "}",
}
MEMBERS: Final[Mapping[str, str]] = {
    "unknown members": '"m{n}":0',
    "unknown objects": '"m{n}":{{}}',
    "members with odd names": '"m-{n}":0',
    "members with NUL": r'"m{n}":"\u0000"',
    "members with national ids": '"m{n}":"1064971268"',
    "members with personal names": '"{n} 1064971268":0',
    "escaped members": r'"\u006d{n}":0',
    "members twice": '"m":0',
}
FLOODS: Final[Mapping[str, tuple[str, str, str]]] = {
    "white space": ("", " \n\t\r", ""),
    "white space and a fault": ('"x":', " ", "1,"),
    "open brackets": ('"x":', "[", ""),
    "brackets": ('"x":[', "[],", "0],"),
    "brackets in a text": ('"x":"', "[{", '",'),
    "quotes": ("", '"', ""),
    "escaped quotes and colons": ('"x":"', r"\":", '",'),
    "backslashes": ('"x":"', r"\\", '",'),
    "letters": ('"x":"', "a", '",'),
    "Arabic letters": ('"x":"', "س", '",'),
    "emoji": ('"x":"', "🇸", '",'),
    "escaped letters": ('"x":"', r"\u0633", '",'),
    "escaped surrogates": ('"x":"', r"\ud800", '",'),
    "control characters": ('"x":"', r"\u0001", '",'),
    "digits": ('"x":"', "1", '",'),
    "runs of ten digits": ('"x":"', "1064971269 ", '",'),
    "runs of ten Arabic digits": ('"x":"', "١٠٦٤٩٧١٢٦٩ ", '",'),
    "national ids": ('"x":"', "1064971268 ", '",'),
    "a huge integer": ('"x":', "9", ","),
    "a long fraction": ('"x":0.', "9", ","),
    "a long exponent": ('"x":1e', "9", ","),
    "a long name": ('"', "n", '":0,'),
    "a long name of digits": ('"', "1064971269 ", '":0,'),
    "commas": ("", ",", ""),
    "bytes that are not UTF-8": ('"x":"', "\ufffd", '",'),
}
"""What comes before, is repeated, and comes after, at the beginning of the event."""

TEXTS: Final[Mapping[str, str]] = {
    "ten digits": "1064971269 ",
    "ten Arabic digits": "١٠٦٤٩٧١٢٦٩ ",
    "national ids": "1064971268 ",
    "escaped letters": r"\u0633",
    "colons": r"\":",
    "control characters": r"\u0001",
    "spaces": " ",
    "quotes": r"\"",
}


class Case(NamedTuple):
    """A hostile record in the topic of `agency`."""

    name: str
    value: bytes
    headers: Headers
    agency: Agency


def cases(size: int, *, types: frozenset[str] | None = None) -> Iterator[Case]:
    """Every case with about `size` bytes; of these types only, by short name, if given."""
    for path, _ in golden():
        if types is None or path.stem in types:
            for case in cases_of_type(path.stem, size):
                yield from _in_both_modes(case.name, case.value, case.agency)
    event = json.loads(next(raw for path, raw in golden() if path.stem == "awareness.initiative-announced"))
    agency, text = sender_of(event), json.dumps(event, ensure_ascii=False)
    for name, (before, repeated, after) in FLOODS.items():
        flood = before + _repeated(repeated, size - len(text.encode())) + after
        value = ("{" + flood + text[1:]).encode().replace("\ufffd".encode(), b"\xff")
        yield from _in_both_modes(name, value, agency)
    yield from _headers(text, event, agency, size)


def cases_of_type(name: str, size: int) -> Iterator[Case]:
    """Each list, object and text of a type's example filled in each way, in structured mode."""
    (event,) = (json.loads(raw) for path, raw in golden() if path.stem == name)
    for filling, value in _of_an_event(event, size):
        yield Case(f"{name}: {filling}", value, STRUCTURED_HEADERS, sender_of(event))


def oversized() -> Iterator[Case]:
    """Every flood as long as the longest record of a topic, and as the longest body of a request."""
    agency = sender_of(json.loads(next(golden())[1]))
    for size in (RECORD_BYTES_MAX, BODY_MAX):
        for name, (before, repeated, after) in FLOODS.items():
            start, end = "{" + before, after + '"y":1}'
            value = start + _repeated(repeated, size - len((start + end).encode())) + end
            raw = value.encode().replace("\ufffd".encode(), b"\xff")
            yield Case(f"{name}, {size:,} bytes", raw, STRUCTURED_HEADERS, agency)


def _of_an_event(event: dict[str, Any], size: int) -> Iterator[tuple[str, bytes]]:
    """Each list, object and text of an event filled in each way."""
    for pointer, value in _places(event):
        room = size - len(json.dumps(changed(event, pointer, _HERE), ensure_ascii=False).encode())
        if isinstance(value, str):
            fillings = {name: f'"{_repeated(text, room)}"' for name, text in TEXTS.items()}
        else:
            fillings = {name: f"[{_items(item, room)}]" for name, item in ITEMS.items()}
            fillings |= {name: f"{{{_members(member, room)}}}" for name, member in MEMBERS.items()}
        if isinstance(value, dict):
            kept = json.dumps(value, ensure_ascii=False)[1:-1]
            fillings |= {f"more {name}": f"{{{kept},{_members(member, room)}}}" for name, member in MEMBERS.items()}
        text = json.dumps(changed(event, pointer, _HERE), ensure_ascii=False)
        for name, filling in fillings.items():
            yield f"{pointer} with {name}", text.replace(f'"{_HERE}"', filling).encode()


def _places(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Each list and object below an event, one item of each list, and one text of each object."""
    if pointer and isinstance(value, (dict, list)):
        yield pointer, value
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _places(item, f"{pointer}/{name}")
        texts = [name for name, item in value.items() if isinstance(item, str)]
        yield from ((f"{pointer}/{name}", value[name]) for name in texts[-1:])
    elif isinstance(value, list) and value:
        yield from _places(value[0], f"{pointer}/0")


def _repeated(text: str, room: int) -> str:
    written = text.encode("utf-8", "surrogatepass")
    return text * max(0, room // len(written))


def _items(item: str, room: int) -> str:
    return ",".join([item] * max(1, room // (len(item.encode()) + 1)))


def _members(member: str, room: int) -> str:
    return ",".join(member.format(n=number) for number in range(max(1, room // (len(member.encode()) + 4))))


def _in_both_modes(name: str, value: bytes, agency: Agency) -> Iterator[Case]:
    yield Case(name, value, STRUCTURED_HEADERS, agency)
    try:
        event = json.loads(value)
    except (ValueError, RecursionError):
        return
    start = value.find(b'"data": ')
    attributes = {key: item for key, item in event.items() if isinstance(item, str)}
    if start < 0 or "\ufffd" in attributes.values():
        return
    headers = [(f"ce_{key}", item.encode("utf-8", "surrogatepass")) for key, item in attributes.items()]
    yield Case(f"{name}, binary", value[start + 8 : -1], headers, agency)


def _headers(text: str, event: dict[str, Any], agency: Agency, size: int) -> Iterator[Case]:
    """Floods of headers. The broker bounds them with the record."""
    data = json.dumps(event["data"]).encode()
    usual = [(f"ce_{name}", value.encode()) for name, value in event.items() if isinstance(value, str)]
    for name, header, value in (
        ("attributes", "ce_a{n}", b"x"),
        ("attributes that are not UTF-8", "ce_a{n}", b"\xff"),
        ("attributes with national ids", "ce_a{n}", b"1064971268"),
        ("ignored headers", "x{n}", b""),
        ("ignored headers with ten digits", "x{n}", b"1064971269"),
        ("one attribute again and again", "ce_x", b"1"),
    ):
        many = [(header.format(n=number), value) for number in range(size // (len(header) + len(value) + 4))]
        yield Case(f"{name}, binary", data, [*usual, *many], agency)
        yield Case(name, text.encode(), [*STRUCTURED_HEADERS, *many], agency)
