"""Where a policy needs nobody, what was cosigned earlier does not stand in for a newer checkpoint."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from consumers.cosigning.cosigning import Cosigning
from infra.log.signed_note import LogKey
from infra.observability.telemetry import REGISTRY, gauge
from infra.postgres.connection import Connection
from infra.process.leader_election import Term
from infra.settings import Settings
from infra.witnesses.cosignature import cosigner_of
from infra.witnesses.policy import parse_policy
from tests.world.memory_log import KEY, MemoryLog, sample_entries

COURT = f"witness court {cosigner_of(LogKey('court.example/witness', bytes(32))).vkey} https://court.example/\n"
EPOCH = 3


class _Database:
    """Has a newest checkpoint, and keeps what is written."""

    def __init__(self) -> None:
        self.size = 0
        self.written: list[tuple[Any, ...]] = []

    async def fetchrow(self, _: str) -> dict[str, Any]:
        return {"size": self.size, "note": KEY.sign_checkpoint(self.size, MemoryLog(sample_entries(self.size)).root)}

    async def execute(self, sql: str, *values: Any) -> None:
        self.written.append(("DELETE" in sql, *values))


async def looked(quorum: str, folder: Path) -> list[tuple[Any, ...]]:
    """What is written while the log grows and no witness answers."""
    database, policy = _Database(), parse_policy(f"{COURT}quorum {quorum}\n")
    cosigning = Cosigning(Settings(home=folder), policy, Term(EPOCH, asyncio.Event()))
    for size in (5, 5, 9):
        database.size = size
        await cosigning.look(cast(Connection, database), policy, [])
    return database.written


async def test_an_older_one_is_forgotten_once_there_is_a_newer_one_and_nobody_is_needed(tmp_path: Path) -> None:
    assert await looked("none", tmp_path) == [(True, EPOCH, 5), (True, EPOCH, 9)]


async def test_an_older_one_stands_while_a_witness_is_needed(tmp_path: Path) -> None:
    assert await looked("court", tmp_path) == []


@pytest.mark.parametrize(("quorum", "size"), [("none", 9), ("court", 0)])
async def test_the_cosigned_size_follows_what_satisfies_the_policy(quorum: str, size: int, tmp_path: Path) -> None:
    gauge("cosigned_size", 0)
    await looked(quorum, tmp_path)
    assert REGISTRY.get_sample_value("yesser_cosigned_size") == size
