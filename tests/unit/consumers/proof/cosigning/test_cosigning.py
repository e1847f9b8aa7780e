"""What the relay keeps and shows of cosigned checkpoints, and which policies it cannot satisfy."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest

from consumers.proof.cosigning.cosigning import Cosigning, witness_policy
from infra.log.signed_note import LogKey
from infra.observability.telemetry import REGISTRY, gauge
from infra.process.leader_election import Term
from infra.settings import Settings
from infra.witnesses.cosignature import cosigner_of
from infra.witnesses.policy import InvalidPolicy, Policy, parse_policy
from tests.every import every
from tests.world.memory_log import KEY, MemoryLog, sample_entries

COURT = f"witness court {cosigner_of(LogKey('court.example/witness', bytes(32))).vkey}"
EPOCH = 3


def policy_of(quorum: str) -> Policy:
    return parse_policy(f"{COURT} https://court.example/\nquorum {quorum}\n")


@every(("quorum", "written", "size"), [("none", [(True, EPOCH, 5), (True, EPOCH, 9)], 9), ("court", [], 0)])
async def test_where_nobody_is_needed_an_older_cosigned_one_is_forgotten_and_the_size_follows(
    quorum: str, written: list[tuple[Any, ...]], size: int, tmp_path: Path
) -> None:
    """The log grows, and no witness answers."""
    gauge("cosigned_size", 0)
    database, policy = AsyncMock(), policy_of(quorum)
    database.fetchval.return_value = 0
    cosigning = Cosigning(Settings(home=tmp_path), policy, Term(EPOCH, asyncio.Event()))
    for newest in (5, 5, 9):
        note = KEY.sign_checkpoint(newest, MemoryLog(sample_entries(newest)).root)
        database.fetchrow.return_value = {"size": newest, "note": note}
        await cosigning.look(database, policy, [])
    executed = [call.args for call in database.execute.mock_calls]
    assert [("DELETE" in sql, *values) for sql, *values in executed] == written
    assert REGISTRY.get_sample_value("yesser_cosigned_size") == size


@every("kept", [0, 700])
async def test_the_cosigned_size_is_exposed_without_a_quorum(kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    policy, database = policy_of("court"), AsyncMock()
    database.fetchval.return_value = kept
    work = Cosigning(Settings(), policy, Term(1, asyncio.Event()))
    monkeypatch.setattr(work, "look", AsyncMock(side_effect=InterruptedError("looked")))
    with pytest.raises(InterruptedError):
        await work._work(database, policy)
    assert REGISTRY.get_sample_value("yesser_cosigned_size") == kept


def test_a_policy_whose_quorum_cannot_be_asked_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "policy"
    bank = cosigner_of(LogKey("bank.example/witness", b"b" * 32)).vkey
    file.write_text(f"{COURT}\nwitness bank {bank}\ngroup g 2 court bank\nquorum g\n")
    with pytest.raises(InvalidPolicy, match="have an address"):
        witness_policy(file)
    assert witness_policy(None) is None
