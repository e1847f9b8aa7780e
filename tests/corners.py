"""Databases that are ready before a test asks for one, and are dropped while the next test runs.

A thread with an event loop of its own makes and drops them, and keeps one client of Kafka: a test waits neither for
`CREATE DATABASE` nor for a handshake. Topics are deleted before the next test begins, since names such as
`agency.moh.events` are the same in each.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, TypeVar

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from infra.kafka.admin import admin_client, delete_topics
from infra.settings import Settings

Result = TypeVar("Result")

OURS: Final = ("agency.", "yesser.")
"""Prefixes of the topics that the platform makes."""
READY_MAX: Final = 2
"""Databases made ahead, of some 10 MB each."""
DROP_TRIES_MAX: Final = 50


class Corners:
    """Fresh databases for tests, and a Kafka without any of our topics. `settings` name both services and act as the
    superuser; `made_by` creates the database of the name that it is given."""

    def __init__(self, settings: Settings, postgres: str, *made_by: str) -> None:
        self._settings, self._postgres, self._made_by = settings, postgres, made_by
        self._loop = asyncio.new_event_loop()
        self._ready: asyncio.Queue[str | Exception] = asyncio.Queue(READY_MAX)
        self._dropping: set[asyncio.Task[None]] = set()

    @contextmanager
    def running(self) -> Iterator[Corners]:
        thread = threading.Thread(target=self._loop.run_forever, name="corners", daemon=True)
        thread.start()
        making = self._call(self._make())
        try:
            yield self
        finally:
            making.cancel()
            try:
                self._call(self._clear()).result()
            finally:
                self._loop.call_soon_threadsafe(self._loop.stop)
                thread.join()
                self._loop.close()

    @asynccontextmanager
    async def database(self) -> AsyncIterator[str]:
        """The name of a database for one test. It is dropped afterwards, and the topics of the test are deleted."""
        name = await asyncio.wrap_future(self._call(self._ready.get()))
        if isinstance(name, Exception):
            raise name
        try:
            yield name
        finally:
            await asyncio.wrap_future(self._call(self._give_back(name)))

    def _call(self, work: Coroutine[Any, Any, Result]) -> Future[Result]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _make(self) -> None:
        try:
            async with admin_client(self._settings) as self._admin:
                while True:
                    name = f"yesser_test_{secrets.token_hex(4)}"
                    await execute(self._postgres, *(statement.format(name) for statement in self._made_by))
                    await self._ready.put(name)
        except Exception as error:
            await self._ready.put(error)

    async def _give_back(self, name: str) -> None:
        try:
            await delete_topics(self._admin, await our_topics(self._admin))
        except (KafkaError, OSError, EOFError):  # its session ended, or its broker was away meanwhile
            async with admin_client(self._settings) as fresh:
                await delete_topics(fresh, await our_topics(fresh))
        task = self._loop.create_task(drop_database(self._postgres, name))
        self._dropping.add(task)
        task.add_done_callback(self._dropping.discard)

    async def _clear(self) -> None:
        while not self._ready.empty():
            if isinstance(name := self._ready.get_nowait(), str):
                await drop_database(self._postgres, name)
        await asyncio.gather(*self._dropping)


async def our_topics(admin: AIOKafkaAdminClient) -> list[str]:
    return [name for name in await admin.list_topics() if name.startswith(OURS)]


async def drop_database(postgres: str, database: str) -> None:
    """Drop it and end its connections. Retries while autovacuum, which only a superuser can end, works in it."""
    for _ in range(DROP_TRIES_MAX):
        try:
            await execute(postgres, f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        except asyncpg.InsufficientPrivilegeError:
            await asyncio.sleep(0.1)
        else:
            return
    await execute(postgres, f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


async def execute(postgres: str, *statements: str) -> None:
    connection = await asyncpg.connect(postgres)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
