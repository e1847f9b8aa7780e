"""Lines that cannot be read at all: one fault for the whole, beside personal data in the bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

from tests.oracle.faulty import ExpectedFault, Spoiler
from tests.oracle.words import personal_number

LARGE = 61_441
TOO_LARGE_TO_SEND = 130_001


def good_line(random: Random, agency: str, event_id: str) -> bytes:
    """A good event, now and then with a national id in its text."""
    spoiler = Spoiler(random, agency, {"id": event_id})
    spoiler.start("awareness.initiative-announced")
    if random.random() < 0.3:
        spoiler.data["aim"]["en"] = personal_number(random)
    return json.dumps(spoiler.event, ensure_ascii=False).encode()


def cut_short(line: bytes) -> bytes:
    return line[:-1]


def in_a_list(line: bytes) -> bytes:
    return b"[" + line + b"]"


def with_bom(line: bytes) -> bytes:
    return b"\xef\xbb\xbf" + line


def with_nan(line: bytes) -> bytes:
    return b'{"nan": NaN, ' + line[1:]


def with_raw_nul(line: bytes) -> bytes:
    return b'{"nul": "\x00", ' + line[1:]


def not_utf8(line: bytes) -> bytes:
    return b'{"bad": "\xff", ' + line[1:]


def repeated_name(line: bytes) -> bytes:
    return line.replace(b'"data": {', b'"data": {"\\u006fn": "2005-05-05", ')


def too_deep(line: bytes) -> bytes:
    return line.replace(b'"data": {', b'"data": {"deep": ' + b"[" * 15 + b"]" * 15 + b", ")


def bottomless(line: bytes) -> bytes:
    return line.replace(b'"data": {', b'"data": {"deep": ' + b"[" * 5_000 + b"]" * 5_000 + b", ")


def too_large(line: bytes) -> bytes:
    return b"{" + b" " * (LARGE - len(line)) + line[1:]


LIGHT: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("not-json", cut_short),
    ("not-json", in_a_list),
    ("not-json", with_bom),
    ("not-json", with_nan),
    ("not-json", with_raw_nul),
    ("not-utf8", not_utf8),
    ("duplicate-name", repeated_name),
    ("too-deep", too_deep),
]
HEAVY: list[tuple[str, Callable[[bytes], bytes]]] = [("too-deep", bottomless), ("too-large", too_large)]


def unreadable_line(random: Random, agency: str, event_id: str) -> tuple[bytes, list[ExpectedFault]]:
    """A line and its faults; the heavy kinds are rare, so that a long history stays small."""
    code, spoil = random.choice(HEAVY if random.random() < 0.03 else LIGHT)
    line = good_line(random, agency, event_id)
    personal = b'"aim": ' in line and _has_number(line)
    faults: list[ExpectedFault] = [(code, "")]
    return spoil(line), [*faults, ("personal-data", "")] if personal else faults


def _has_number(line: bytes) -> bool:
    en = str(json.loads(line)["data"]["aim"]["en"])
    return len(en) == 10 and en.isdigit()


def unsendable_line(agency: str, event_id: str) -> tuple[bytes, list[ExpectedFault]]:
    """A line that the topic cannot hold: the command refuses it without sending."""
    line = json.dumps({"id": event_id, "source": f"urn:yesser:agency:{agency}"}).encode()
    return b"{" + b" " * (TOO_LARGE_TO_SEND - len(line)) + line[1:], [("too-large", "")]
