"""The plan's page over a large log: what a page costs, and how soon a change stands on two hundred open pages."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from unittest.mock import patch

import aiohttp
import httpx
import orjson
import psutil
from yarl import URL

from bench.figures import Figures
from bench.history import bench_agencies, generate_bench
from tests.oracle.history import MIXED, History, generate
from tests.oracle.validation import Agency
from tests.scenarios.load import publish_all, register
from tests.scenarios.system import System, fresh_system
from tests.world.consoles import hidden

PAGES: Final = 200
ROUNDS: Final = 10
LOADS: Final = 200
PAST_LOADS: Final = 20
SEEN_WITHIN_S: Final = 60.0
"""The proof is that all see it; how soon is printed."""
REGISTERED: Final = re.compile(r'infrastructure/registered">.*?(\d+)<')


def many_things(events: int) -> History:
    """Everything grows with the log: 44,000 services, 25,000 projects and 9,000 partnerships of a million events."""
    return generate(31, events, MIXED)


def programme(events: int) -> History:
    """The programme's own size: 152 services and as many projects, 200 partnerships, receipts and certificates."""
    agencies = [Agency("yesser", "office"), *map(Agency, bench_agencies())]
    history = History(31, tuple(agencies), {agency.code: [] for agency in agencies})
    for agency, line in generate_bench(31, events, of_each_max=19):
        history.lines[agency].append(line)
    return history


@contextmanager
def large_system(folder: Path, history: History) -> Iterator[System]:
    """The system after a history. All its open pages are of one account, which may have that many here."""
    of_one = {"YESSER_CONSOLE_LIVE_PAGES_MAX": str(PAGES), "YESSER_CONSOLE_REQUESTS_AT_ONCE_MAX": str(PAGES)}
    of_one["YESSER_CONSOLE_REQUESTS_PER_S"] = "10000"
    with patch.dict(os.environ, of_one), fresh_system() as system:
        register(system, history)
        publish_all(system, history, folder)
        system.settle(timeout_s=1_500)
        yield system


def address(system: System, part: str) -> str:
    return f"http://127.0.0.1:{system.parts()[part]['port']}"


def signed_in(system: System) -> dict[str, str]:
    """The cookies of somebody of the office."""
    password = system.ask("accounts", "add", "office", "--role", "office")["password"]
    with httpx.Client(base_url=address(system, "console")) as client:
        answer = client.post("/sign-in", data={"username": "office", "password": password})
        assert answer.status_code == 303, answer.text
        csrf = hidden(client.get("/account/password").text, "csrf")
        chosen = {"csrf": csrf, "password": password, "new_password": "a password of the office"}
        assert client.post("/account/password", data=chosen).headers["location"] == "/"
        return dict(client.cookies)


async def measure(events: int, figures: Figures) -> None:
    """One run, over a log of the programme's size and over one in which everything grows with it."""
    for name, written in (("programme", programme), ("many things", many_things)):
        await asyncio.to_thread(_measure, written(events), name, figures)


def _measure(history: History, name: str, figures: Figures) -> None:
    """In a thread, since commands have event loops of their own."""
    with TemporaryDirectory(prefix="yesser-bench-") as folder, large_system(Path(folder), history) as system:
        measure_pages(system, name, figures)


def measure_pages(system: System, name: str, figures: Figures) -> None:
    """Of one log."""
    cookies, publisher = signed_in(system), Publisher(system)
    loads = asyncio.run(measure_loads(system, cookies, publisher))
    past_s = asyncio.run(measure_past(system, cookies))
    open_s = asyncio.run(measure_open_pages(system, cookies, publisher))
    for what, seconds in (*loads.items(), ("as of an index", past_s), (f"a change, on {PAGES} open pages", open_s)):
        figures.add(f"{what}, {name}", "p50 ms", 1e3 * statistics.median(seconds))
        figures.add(f"{what}, {name}", "p95 ms", 1e3 * sorted(seconds)[int(0.95 * (len(seconds) - 1))])
        figures.add(f"{what}, {name}", "most ms", 1e3 * max(seconds))
    figures.add(f"the console, {name}", "MiB", psutil.Process(system.pid("console")).memory_info().rss / 2**20)


class Publisher:
    """Registers infrastructure projects of the shown plan, one after another, through the gateway."""

    def __init__(self, system: System) -> None:
        self._plan_id = system.ask("plan")["plan_id"]
        token = system.ask("tokens", "create", "health", "--kind", "agency")["token"]
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/cloudevents+json"}
        self._address = address(system, "gateway")
        self._numbers = itertools.count(1)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """A function that registers the next project."""
        async with httpx.AsyncClient(base_url=self._address, headers=self._headers, timeout=60) as client:
            yield lambda: self._publish(client)

    async def _publish(self, client: httpx.AsyncClient) -> None:
        name = f"PLAN-PAGE-{next(self._numbers)}"
        event = {
            "specversion": "1.0",
            "id": name,
            "source": "urn:yesser:agency:health",
            "type": "sa.gov.yesser.project.registered.v1",
            "subject": f"project/{name}",
            "time": "2006-12-03T09:00:00+03:00",
            "datacontenttype": "application/json",
            "data": {
                "project_id": name,
                "plan_id": self._plan_id,
                "kind": "infrastructure",
                "name": {"ar": "مشروع", "en": "Project"},
                "phases": [{"phase": 1, "name": {"ar": "الأولى", "en": "First"}}],
            },
        }
        answer = await client.post("/v1/events", content=orjson.dumps(event))
        assert answer.status_code in (200, 202), answer.text


class OpenPage:
    """A page in a browser, without the browser: it listens for news and loads itself again."""

    def __init__(self, client: aiohttp.ClientSession) -> None:
        self._client = client
        self.shown = -1
        self.changed = asyncio.Condition()

    async def run(self, opened: asyncio.Queue[None]) -> None:
        async with self._client.get("/live") as news:
            await self._load()
            opened.put_nowait(None)
            async for line in news.content:
                if line.startswith(b"event: position"):
                    await self._load()

    async def _load(self) -> None:
        async with self._client.get("/plan", headers={"X-Live": "1"}) as answer:
            page = await answer.text()
        assert answer.status == 200, page
        found = REGISTERED.search(page)
        assert found is not None, page
        async with self.changed:
            self.shown = int(found.group(1))
            self.changed.notify_all()

    async def until_shown(self, figure: int) -> float:
        """The time at which the page shows at least this figure."""
        async with self.changed:
            await self.changed.wait_for(lambda: self.shown >= figure)
        return time.monotonic()


@asynccontextmanager
async def open_pages(system: System, cookies: dict[str, str]) -> AsyncIterator[list[OpenPage]]:
    connector, wait = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=None)
    jar = aiohttp.CookieJar(unsafe=True)  # of an address without a name
    jar.update_cookies(cookies, URL(address(system, "console")))
    async with aiohttp.ClientSession(
        address(system, "console"), connector=connector, timeout=wait, cookie_jar=jar
    ) as client:
        pages = [OpenPage(client) for _ in range(PAGES)]
        opened: asyncio.Queue[None] = asyncio.Queue()
        running = [asyncio.create_task(page.run(opened)) for page in pages]
        try:
            for _ in pages:
                await asyncio.wait_for(opened.get(), SEEN_WITHIN_S)
            yield pages
        finally:
            for task in running:
                task.cancel()
            ended = await asyncio.gather(*running, return_exceptions=True)
        faults = [error for error in ended if not isinstance(error, asyncio.CancelledError)]
        assert not faults, faults[:3]


async def measure_open_pages(system: System, cookies: dict[str, str], publisher: Publisher) -> list[float]:
    """Seconds from publishing a change to the last page that shows it."""
    seconds: list[float] = []
    async with publisher.connected() as publish, open_pages(system, cookies) as pages:
        for _ in range(ROUNDS):
            figure = pages[0].shown + 1
            started = time.monotonic()
            await publish()
            shown = await asyncio.wait_for(asyncio.gather(*(page.until_shown(figure) for page in pages)), SEEN_WITHIN_S)
            seconds.append(max(shown) - started)
    return seconds


async def measure_loads(system: System, cookies: dict[str, str], publisher: Publisher) -> dict[str, list[float]]:
    """One page after another, first while nothing changes, then while each load meets a log that has moved."""
    async with (
        publisher.connected() as publish,
        httpx.AsyncClient(base_url=address(system, "console"), cookies=cookies) as client,
    ):

        async def load() -> tuple[float, int]:
            started = time.perf_counter()
            answer = await client.get("/plan")
            assert answer.status_code == 200
            return time.perf_counter() - started, index_of(answer.text)

        still = [(await load())[0] for _ in range(LOADS)]
        moving, before = [], (await load())[1]
        for _ in range(LOADS // 4):
            await publish()
            found = await load()
            while found[1] == before:
                await asyncio.sleep(0.02)
                found = await load()
            moving.append(found[0])
            before = found[1]
    return {"unchanged": still, "rendered again": moving}


async def measure_past(system: System, cookies: dict[str, str]) -> list[float]:
    """The plan as of indexes all over the log, each for the first time."""
    seconds: list[float] = []
    async with httpx.AsyncClient(base_url=address(system, "console"), cookies=cookies, timeout=60) as client:
        size = index_of((await client.get("/plan")).text)
        for number in range(PAST_LOADS):
            index = size * (2 * number + 1) // (2 * PAST_LOADS) + number
            started = time.perf_counter()
            answer = await client.get("/plan", params={"as_of_index": index})
            seconds.append(time.perf_counter() - started)
            assert answer.status_code == 200, answer.text
    return seconds


def index_of(page: str) -> int:
    """The number of entries that a page shows."""
    found = re.search(r'id="slider" type="range" min="0" max="(\d+)"', page)
    assert found is not None
    return int(found.group(1))
