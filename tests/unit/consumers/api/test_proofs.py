"""A proof is under a checkpoint that enough witnesses cosigned, as soon as there is one that covers the entry."""

from __future__ import annotations

from typing import Any, cast

from infra.log.reader import checkpoint_over

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
