"""What the relay keeps and shows of cosigned checkpoints, and which policies it cannot satisfy."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from consumers.cosigning.cosigning import Cosigning, witness_policy
from infra.log.signed_note import LogKey
from infra.observability.telemetry import REGISTRY, gauge
from infra.postgres.connection import Connection
from infra.process.leader_election import Term
from infra.settings import Settings
from infra.witnesses.cosignature import cosigner_of
from infra.witnesses.policy import InvalidPolicy, Policy, parse_policy
from tests.world.memory_log import KEY, MemoryLog, sample_entries

COURT = f"witness court {cosigner_of(LogKey('court.example/witness', bytes(32))).vkey}"
EPOCH = 3


class Database:
    """Has a newest checkpoint and the size of a cosigned one, and keeps what is written."""

    def __init__(self, cosigned: int = 0) -> None:
        self.size = 0
        self.cosigned = cosigned
        self.written: list[tuple[Any, ...]] = []

    async def fetchval(self, _: str) -> int:
        return self.cosigned

    async def fetchrow(self, _: str) -> dict[str, Any]:
        return {"size": self.size, "note": KEY.sign_checkpoint(self.size, MemoryLog(sample_entries(self.size)).root)}

    async def execute(self, sql: str, *values: Any) -> None:
        self.written.append(("DELETE" in sql, *values))


def policy_of(quorum: str) -> Policy:
    return parse_policy(f"{COURT} https://court.example/\nquorum {quorum}\n")


@pytest.mark.parametrize(
    ("quorum", "written", "size"), [("none", [(True, EPOCH, 5), (True, EPOCH, 9)], 9), ("court", [], 0)]
)
async def test_where_nobody_is_needed_an_older_cosigned_one_is_forgotten_and_the_size_follows(
    quorum: str, written: list[tuple[Any, ...]], size: int, tmp_path: Path
) -> None:
    """The log grows, and no witness answers."""
    gauge("cosigned_size", 0)
    database, policy = Database(), policy_of(quorum)
    cosigning = Cosigning(Settings(home=tmp_path), policy, Term(EPOCH, asyncio.Event()))
    for newest in (5, 5, 9):
        database.size = newest
        await cosigning.look(cast(Connection, database), policy, [])
    assert database.written == written
    assert REGISTRY.get_sample_value("yesser_cosigned_size") == size


@pytest.mark.parametrize("kept", [0, 700])
async def test_the_cosigned_size_is_exposed_also_where_the_policy_is_never_satisfied(
    kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look(*_: object) -> None:
        raise InterruptedError("looked")

    policy = policy_of("court")
    work = Cosigning(Settings(), policy, Term(1, asyncio.Event()))
    monkeypatch.setattr(work, "look", look)
    with pytest.raises(InterruptedError):
        await work._work(cast(Any, Database(kept)), policy)
    assert REGISTRY.get_sample_value("yesser_cosigned_size") == kept


def test_a_policy_whose_quorum_cannot_be_asked_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "policy"
    bank = cosigner_of(LogKey("bank.example/witness", b"b" * 32)).vkey
    file.write_text(f"{COURT}\nwitness bank {bank}\ngroup g 2 court bank\nquorum g\n")
    with pytest.raises(InvalidPolicy, match="have an address"):
        witness_policy(file)
    assert witness_policy(None) is None
