"""Batches as agencies send them over HTTP: what is in one, with ids of its own in each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, cycle, islice
from typing import Final

import msgspec

from bench.traffic import Line, mixed, uniform

AGENCY: Final = "health"
BATCH: Final = 100
DRAWN: Final = 200_000
KEPT: Final = 5_000
SEED: Final = 20261126
ID: Final = re.compile(rb'"id": ?"([^"]*)"')
TEN_DIGITS: Final = re.compile(rb'"amount_halalas": ?[12][0-9]{9}\D')
Event = tuple[bytes, bytes]
"""An event before and after the value of its id."""


@dataclass(frozen=True)
class Shape:
    """So many events of `odd` are in the middle of each batch. `query` follows the path of the request."""

    title: str
    events: Sequence[Event]
    odd: Sequence[Event] = ()
    query: str = ""

    def bodies(self, tag: str) -> Iterator[bytes]:
        """Endless batches; ids begin with the tag."""
        events, odd = cycle(self.events), cycle(self.odd)
        for number in count():
            parts = list(islice(events, BATCH - bool(self.odd)))
            if self.odd:
                parts.insert(BATCH // 2, next(odd))
            yield b"[" + b",".join(
                [b"%b%b-%d-%d%b" % (head, tag.encode(), number, n, tail) for n, (head, tail) in enumerate(parts)]
            ) + b"]"  # fmt: skip

    def singles(self, tag: str) -> Iterator[bytes]:
        """Endless events."""
        for number, (head, tail) in enumerate(cycle(self.events)):
            yield b"%b%b-%d%b" % (head, tag.encode(), number, tail)


def make_shapes() -> dict[str, Shape]:
    """All shapes by key. `mixed` is what is accepted of mixed traffic, in its proportions."""
    drawn = [line for line in mixed(SEED, DRAWN, ("interior", AGENCY)) if line[0] == AGENCY]
    plain = [line for line in uniform(SEED, 8 * KEPT) if line[0] == AGENCY]
    accepted, refused = _kept(drawn, lambda _: True), _kept(drawn, _is_json, "refused")
    certificates = _kept(drawn, lambda value: b"training.certified" in value and value.startswith(b'{"specversion":'))
    contracts = _kept(drawn, lambda value: b"partnership.signed" in value)
    return {
        "mixed": Shape("mixed", accepted),
        "uniform": Shape("uniform", _kept(plain, lambda _: True)),
        "one_type": Shape("certificates only", certificates),
        "one_odd": Shape("99 certificates, 1 contract", certificates, contracts),
        "braces": Shape("},{ in every text", _kept(drawn, lambda value: b"},{then" in value)),
        "spaced": Shape("spaces, Arabic as \\u", _kept(drawn, lambda value: value.startswith(b'{"specversion": '))),
        "by_name": Shape("members by name", _kept(drawn, lambda value: value.startswith(b'{"data":'))),
        "amounts": Shape("ten-digit amounts", _kept(drawn, lambda value: TEN_DIGITS.search(value) is not None)),
        "refused": Shape("mixed, 1 refused (partial)", accepted, refused, "?partial=true"),
    }


def _is_json(value: bytes) -> bool:
    """Whether an array may hold it."""
    try:
        msgspec.json.decode(value)
    except msgspec.DecodeError:
        return False
    return True


def _kept(lines: Sequence[Line], wanted: Callable[[bytes], bool], outcome: str = "accepted") -> list[Event]:
    """A part of the lines with that outcome; those without an id of their own are left out."""
    found = []
    for _, value, came in lines:
        if came == outcome and wanted(value) and (id_ := ID.search(value)):
            found.append((value[: id_.start(1)], value[id_.end(1) :]))
            if len(found) == KEPT:
                break
    return found
