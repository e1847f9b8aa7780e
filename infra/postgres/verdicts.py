"""The registrar's verdicts by address.

Every record that the registrar has read has one verdict, which never changes. An offset below the topic's `next_offset`
without one is that of a record that was removed, or replaced, before it was read. Look-ups take ranges of offsets.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypedDict

from events.validation.texts import is_same
from events.validation.verdicts import Accepted
from events.wire.texts import Kept
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.verdicts import Refused, Verdicts

_SQL: Final = queries("infra.postgres", "verdicts.sql")

Known = dict[bytes, tuple[bytes, int]]
"""Claim → (identity, index) of events in the log."""


@dataclass(frozen=True, slots=True)
class KnownEvents:
    """Events in the log by their claims, and what is kept of their texts: index → member → it."""

    claims: Known = field(default_factory=dict)
    texts: dict[int, dict[str, Kept]] = field(default_factory=dict)

    def index_of(self, event: Accepted) -> int | None:
        """The entry that has the event's id; None if it is new."""
        known = self.claims.get(event.claim)
        return None if known is None else known[1]

    def repeats(self, event: Accepted) -> bool:
        """Whether the entry that has its id is of the same event."""
        known = self.claims.get(event.claim)
        return known is not None and is_same(event, known[0], self.texts.get(known[1]))


async def known_events(connection: Connection, claims: Sequence[bytes]) -> KnownEvents:
    """The events of the log that have one of these claims."""
    known = KnownEvents()
    for row in await connection.fetch(_SQL["known"], claims) if claims else ():
        known.claims[row["claim"]] = row["identity"], row["index"]
        if row["member"] is not None:
            known.texts.setdefault(row["index"], {})[row["member"]] = Kept(row["sha256"], row["salt"])
    return known


class PauseDocument(TypedDict):
    """What the agency is shown of its topic's pause."""

    until: str
    reason: dict[str, str]


@dataclass(frozen=True, slots=True)
class Paused:
    """A paused topic: almost all of its last records were refused, conflicts or duplicates. It is not read until
    `until`, then one record at a time. Nothing is skipped. `reason` is in Arabic and English."""

    until: datetime
    reason: dict[str, str]

    def document(self) -> PauseDocument:
        return {"until": self.until.astimezone(UTC).isoformat(timespec="seconds"), "reason": self.reason}


def paused_of(row: Any) -> Paused | None:
    """The pause in a row with `paused_until` and `paused_reason`."""
    return None if row["paused_until"] is None else Paused(row["paused_until"], row["paused_reason"])


@dataclass(frozen=True, slots=True)
class TopicState:
    """The registrar's position in a topic, the reason if it halted there, and the pause if there is one."""

    next_offset: int
    halted_reason: str | None
    paused: Paused | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive offsets that became consecutive indexes."""

    first_offset: int
    first_index: int
    entries_count: int


async def read_topic_state(connection: Connection, topic: str) -> TopicState:
    """The registrar's position in `topic`; 0 for an unknown topic."""
    row = await connection.fetchrow(_SQL["topic_state"], topic)
    return TopicState(0, None) if row is None else TopicState(row["next_offset"], row["halted_reason"], paused_of(row))


async def read_verdicts(connection: Connection, topic: str, sent: Sequence[range]) -> Verdicts:
    """The verdicts on ascending ranges of offsets, all below the topic's `next_offset`; lost records have none."""
    bounds = [r.start for r in sent], [r.stop for r in sent]
    runs = [Run(*row) for row in await connection.fetch(_SQL["runs"], topic, *bounds)]
    counted = [run.first_index for run in runs], [run.entries_count for run in runs]
    rows = await connection.fetch(_SQL["refusals"], *counted)
    refusals = [Refused(offset_of(runs, row["index"]), row["index"], row["claimed_id"], row["errors"]) for row in rows]
    verdicts = verdicts_on_entries(runs, refusals)
    same = await connection.fetchrow(_SQL["duplicates"], topic, *bounds)
    assert same is not None
    verdicts.duplicates = same["duplicates_count"]
    verdicts.span(same["first_index"], same["last_index"])
    return verdicts


async def next_sequence(connection: Connection, agency: str) -> int:
    """The `sequence` after the highest that the registrar has read of this agency."""
    return int(await connection.fetchval(_SQL["sequence_after"], agency) or 1)


def offset_of(runs: Sequence[Run], index: int) -> int:
    """The offset of the record that became entry `index`; runs of one topic ascend in both."""
    run = runs[bisect_right(runs, index, key=lambda run: run.first_index) - 1]
    return run.first_offset + index - run.first_index


def verdicts_on_entries(runs: Sequence[Run], refusals: Sequence[Refused]) -> Verdicts:
    """The verdicts on records that became entries: all but the refusals were accepted."""
    refused = {refusal.index for refusal in refusals}
    verdicts = Verdicts(sum(run.entries_count for run in runs) - len(refused), refusals=list(refusals))
    if verdicts.accepted:
        verdicts.span(_first(runs, refused, 1), _first(runs, refused, -1))
    return verdicts


def _first(runs: Sequence[Run], refused: set[int], step: int) -> int | None:
    """The first accepted index from the left (`step` 1) or the right (-1)."""
    for run in runs[::step]:
        for index in range(run.first_index, run.first_index + run.entries_count)[::step]:
            if index not in refused:
                return index
    return None
