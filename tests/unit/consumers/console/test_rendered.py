"""Rendered parts: one rendering for all who look, nothing older than the question, and what stands when the database
is away."""

from __future__ import annotations

import asyncio
import gzip
from datetime import UTC, datetime, timedelta

import pytest
from markupsafe import Markup

from consumers.console.web.rendered import NextRead, Part, Positions, Rendered, rendered_part
from infra.http.problems import Problem
from tests.every import every
from tests.virtual_time import virtual


class Source:
    """Positions and renderings that can be held, counted, and away."""

    def __init__(self) -> None:
        self.position = 1
        self.error: Exception | None = None
        self.reads = 0
        self.renderings = 0
        self.begun, self.go = asyncio.Event(), asyncio.Event()
        self.go.set()
        self.now = datetime(2026, 11, 26, tzinfo=UTC)

    async def positions(self) -> Positions:
        self.reads += 1
        self.begun.set()
        found = (("projections", self.position),)
        await self.go.wait()
        if self.error is not None:
            raise self.error
        return found

    async def render(self) -> Part:
        self.renderings += 1
        await asyncio.sleep(0)
        return Part(Markup(f"<p>{self.position}</p>"))

    def clock(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def kept(self, **limits: int) -> Rendered:
        return Rendered(self.positions, self.clock, **limits)


@virtual
async def test_two_hundred_who_look_cost_one_read_and_one_rendering() -> None:
    source = Source()
    kept = source.kept()
    parts = await asyncio.gather(*(kept.part("plan", source.render) for _ in range(200)))
    assert {part.html for part in parts} == {"<p>1</p>"}
    assert (source.reads, source.renderings) == (1, 1)
    await kept.part("plan", source.render)
    assert source.renderings == 1
    source.position = 2
    assert (await kept.part("plan", source.render)).html == "<p>2</p>"
    assert source.renderings == 2
    await kept.part("another", source.render)
    assert source.renderings == 3


@virtual
async def test_what_was_read_before_a_question_does_not_answer_it() -> None:
    source = Source()
    source.go.clear()
    reads = NextRead(source.positions)
    first = asyncio.create_task(reads.get())
    await source.begun.wait()
    source.position = 2
    later = [asyncio.create_task(reads.get()) for _ in range(50)]
    await asyncio.sleep(0)
    source.go.set()
    assert await first == (("projections", 1),)
    assert {await task for task in later} == {(("projections", 2),)}
    assert source.reads == 2


@virtual
async def test_somebody_who_leaves_takes_nothing_from_the_others() -> None:
    source = Source()
    kept = source.kept()
    source.go.clear()
    leaving, staying = (asyncio.create_task(kept.part("plan", source.render)) for _ in range(2))
    await source.begun.wait()
    leaving.cancel()
    source.go.set()
    assert (await staying).html == "<p>1</p>"


@every("error", [ConnectionRefusedError(), TimeoutError(), Problem("database-away")])
@virtual
async def test_where_the_database_is_away_the_last_part_stands_with_its_time(error: Exception) -> None:
    source = Source()
    kept = source.kept()
    source.error = error
    with pytest.raises(type(error)):
        await kept.part("plan", source.render)
    source.error = None
    for _ in range(2):
        await kept.part("plan", source.render)
    confirmed, source.error = source.now, error
    part = await kept.part("plan", source.render)
    assert (part.html, part.since) == ("<p>1</p>", confirmed)
    with pytest.raises(type(error)):
        await kept.part("never seen", source.render)
    source.error = None
    assert (await kept.part("plan", source.render)).since is None
    source.position = 2

    async def gone() -> Part:
        raise Problem("not-found")

    with pytest.raises(Problem, match="not-found"):  # an answer that is no outage is not hidden
        await kept.part("plan", gone)


@virtual
async def test_what_is_kept_is_bounded() -> None:
    source = Source()
    kept = source.kept(bytes_max=20_000)
    for key in range(10):
        await kept.part(key, source.render)
    await kept.part(9, source.render)
    assert source.renderings == 10, "the last one is kept"
    await kept.part(0, source.render)
    assert source.renderings == 11, "the first one is not"

    async def large() -> Part:
        return Part(Markup("x" * 15_000))

    async def too_large() -> Part:
        return Part(Markup("x" * 20_000))

    assert len((await kept.part("too large", too_large)).html) == 20_000
    await kept.part(0, source.render)
    assert source.renderings == 11, "one that is too large takes no place"
    await kept.part("large", large)
    await kept.part(0, source.render)
    assert source.renderings == 12, "a large one takes the place of the others"


def test_an_open_page_gets_its_main_part_alone_and_compressed() -> None:
    part = rendered_part(Markup("<p>قيد</p>"), 422)
    assert gzip.decompress(part.packed).decode() == '<main id="main"><p>قيد</p></main>'
    assert (part.html, part.status, part.since) == ("<p>قيد</p>", 422, None)
