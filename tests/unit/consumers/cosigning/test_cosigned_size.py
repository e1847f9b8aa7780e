"""What the relay's metrics say of the witnesses before they are asked."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from consumers.cosigning.cosigning import Cosigning
from infra.log.signed_note import LogKey
from infra.observability.telemetry import REGISTRY
from infra.process.leader_election import Term
from infra.settings import Settings
from infra.witnesses.cosignature import cosigner_of
from infra.witnesses.policy import parse_policy

COURT = cosigner_of(LogKey("court.example/witness", bytes(32)))
POLICY = parse_policy(f"witness court {COURT.vkey} http://127.0.0.1:9/\nquorum court\n")


class Database:
    """One that has kept a cosigned checkpoint of this size, and no newer one to ask for."""

    def __init__(self, size: int) -> None:
        self._size = size

    async def fetchval(self, _: str) -> int:
        return self._size


@pytest.mark.parametrize("kept", [0, 700])
async def test_the_cosigned_size_is_exposed_also_where_the_policy_is_never_satisfied(
    kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look(*_: object) -> None:
        raise InterruptedError("looked")

    work = Cosigning(Settings(), POLICY, Term(1, asyncio.Event()))
    monkeypatch.setattr(work, "look", look)
    with pytest.raises(InterruptedError):
        await work._work(cast(Any, Database(kept)), POLICY)
    assert REGISTRY.get_sample_value("yesser_cosigned_size") == kept
