"""Several sources of a recovery are one: each entry comes from the first that has it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from consumers.registrar.recovery.recover import Source, together
from tests.every import every


def having(*indexes: int, name: str = "") -> Source:
    """A source of these entries; it ends where it has a hole."""

    async def entries(first: int) -> AsyncIterator[bytes]:
        while first in indexes:
            yield f"{name}{first}".encode()
            first += 1

    return entries


async def read(source: Source, first: int) -> list[bytes]:
    return [raw async for raw in source(first)]


@every(
    ("sources", "first", "end"),
    [
        ({"mirror": range(7), "topic": range(5, 9)}, 2, 9),
        ({"topic": range(5, 9), "mirror": range(7)}, 2, 9),
        ({"mirror": (*range(4), 6, 7), "topic": (4, 5, 8)}, 0, 9),
        ({"mirror": range(4), "topic": range(6, 9)}, 0, 4),
        ({"mirror": range(4)}, 4, 4),
        ({}, 0, 0),
    ],
)
async def test_they_give_all_up_to_the_first_that_none_has(sources: Mapping[str, range], first: int, end: int) -> None:
    source = together([having(*indexes) for indexes in sources.values()])
    assert await read(source, first) == [str(index).encode() for index in range(first, end)]


async def test_the_first_that_has_an_entry_gives_it() -> None:
    source = together([having(0, 1, 4, name="a"), having(*range(6), name="b")])
    assert await read(source, 0) == [b"a0", b"a1", b"b2", b"b3", b"b4", b"b5"]
