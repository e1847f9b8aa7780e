"""What the registrar's metrics say of its signatures, and what a slow disk delays."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import AsyncMock

import pytest

from consumers.registrar.guards.continuation import write_checkpoint
from consumers.registrar.signer import Signer
from infra.log.authority import Authority
from infra.log.merkle import TileTree, leaf_hash
from infra.log.signed_note import Checkpoint
from infra.observability.telemetry import REGISTRY
from infra.private_keys.key_files import load_or_create_keys, log_key_files
from infra.settings import Settings
from tests.world.records import NOW


class Journal:
    """A journal whose database takes everything."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.connection = self
        self.transactions = 0
        self.size = 0
        self.tree = TileTree()
        self.authority = Authority()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        self.transactions += 1
        yield self
        self.transactions -= 1

    async def execute(self, *_: object) -> None: ...


async def test_the_checkpoint_of_a_take_over_is_exposed_before_the_first_signature(tmp_path: Path) -> None:
    signer = Signer(cast(Any, Journal()), cast(Any, None), Settings(home=tmp_path), cast(Any, None), cast(Any, None))
    await signer._publish(Checkpoint("log.example", 700, bytes(32), "the note"), "adopt_checkpoint")
    assert REGISTRY.get_sample_value("yesser_checkpoint_size") == 700


async def test_a_slow_disk_keeps_no_loop_and_no_transaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    journal, settings = Journal(), Settings(home=tmp_path)
    journal.size = 1
    journal.tree.append([leaf_hash(b"entry")])
    writes, is_written = threading.Event(), threading.Event()

    def write(folder: Path, note: str) -> None:
        assert threading.current_thread() is not threading.main_thread()
        writes.set()
        is_written.wait()
        write_checkpoint(folder, note)
        steps.append("file")

    async def execute(statement: str, *_: object) -> None:
        assert journal.transactions == 1
        steps.append("database")

    monkeypatch.setattr("consumers.registrar.signer.write_checkpoint", write)
    monkeypatch.setattr(journal, "execute", execute)
    keys = load_or_create_keys(log_key_files(settings))
    clocks = SimpleNamespace(clock=lambda: NOW, require_kafka=lambda *_: None)
    topic: Any = SimpleNamespace(partition=SimpleNamespace(topic="yesser.checkpoints"))
    topic.read = AsyncMock(return_value=[])
    topic.write = AsyncMock(side_effect=lambda *_: steps.append("topic"))
    signer = Signer(cast(Any, journal), keys, settings, topic, cast(Any, clocks))
    signing = asyncio.create_task(signer.sign())
    await asyncio.to_thread(writes.wait)
    assert (journal.transactions, journal.lock.locked()) == (0, False), "batches are committed meanwhile"
    assert steps == []
    is_written.set()
    assert await signing
    assert steps == ["file", "topic", "database", "database"], "nothing is published before it is in the file"
