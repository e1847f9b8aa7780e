"""A proof is under a checkpoint that enough witnesses cosigned, as soon as there is one that covers the entry."""

from __future__ import annotations

from typing import Any, cast

from consumers.api.resources.proofs import signatures_of
from infra.log.reader import checkpoint_over
from infra.witnesses.cosignature import MlDsaKey, WitnessKey, cosign
from tests.world.memory_log import KEY

NEWEST = {"size": 20, "note": "newest"}
COSIGNED = {"size": 10, "note": "cosigned"}


class Database:
    """The two tables of checkpoints."""

    def __init__(self, newest: dict[str, Any] | None, cosigned: dict[str, Any] | None) -> None:
        self._newest = newest
        self._cosigned = cosigned

    async def fetchrow(self, query: str) -> dict[str, Any] | None:
        return self._cosigned if "platform.cosigned_checkpoint" in query else self._newest


async def test_the_cosigned_checkpoint_is_taken_where_it_covers_the_entry_else_the_newest_that_does() -> None:
    for index, cosigned, taken in (
        (9, COSIGNED, COSIGNED),
        (10, COSIGNED, NEWEST),
        (19, COSIGNED, NEWEST),
        (9, None, NEWEST),
    ):
        found = await checkpoint_over(cast(Any, Database(NEWEST, cosigned)), index)
        assert found == (*taken.values(),), (index, cosigned)
    for newest in (None, NEWEST):
        assert await checkpoint_over(cast(Any, Database(newest, None)), 20) is None


def test_a_witness_of_either_type_is_told_from_the_log() -> None:
    text, note = KEY.sign_checkpoint(7, bytes(32)).split("\n\n")
    keys: tuple[WitnessKey, ...] = (KEY, MlDsaKey("court.example/witness", bytes(32)))
    lines = "".join(cosign(key, f"{text}\n", 1_000_000_000) for key in keys)
    log, *witnesses = signatures_of(f"{text}\n\n{note}{lines}")
    assert (log.is_cosignature, log.cosigned) == (False, None)
    assert [(row.is_cosignature, str(row.cosigned)[:10]) for row in witnesses] == [(True, "2001-09-09")] * 2
