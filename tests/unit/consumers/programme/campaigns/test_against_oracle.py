"""Generated histories: whatever the batches and whenever triggers come back, the campaigns are the oracle's."""

from __future__ import annotations

from random import Random

import orjson
import pytest

from consumers.programme.campaigns.consumer import CONSUMER
from consumers.programme.campaigns.rows import AIRING, CAMPAIGN, COVERAGE
from consumers.replay.fold.anomaly import ANOMALY
from infra.postgres.outbox import OutboxEvent, event_bytes
from tests.oracle.entries import log_of, shuffled
from tests.oracle.fold import Oracle
from tests.oracle.history import generate
from tests.oracle.log import EntryDict, JsonObject, make_entry, make_event, recorded_at
from tests.oracle.validation import verdicts
from tests.world.entries import entry_of
from tests.world.memory_store import MemoryStore

SECONDS_BETWEEN = 5 * 3600
CHANNELS = ("tv", "radio", "print")


def shown(store: MemoryStore) -> list[JsonObject]:
    """What `yesser campaigns list` reads off the tables."""
    suspended = {row.service_id for row in store.rows(COVERAGE) if row.suspended_from is not None}
    return [
        {
            **{name: getattr(row, name) for name in ("campaign_id", "rule", "kind", "cause_index", "owner", "due_on")},
            "service_id": row.service_id,
            "channels": row.channels,
            "state": row.state,
            "paused": row.completed_index is None and row.service_id in suspended,
            "escalated": row.escalated,
            "aired": {channel: getattr(row, channel) for channel in CHANNELS},
            "reach": sum(a.reach for a in store.rows(AIRING) if a.campaign_id == row.campaign_id),
        }
        for row in store.rows(CAMPAIGN)
        if row.triggered_index is not None
    ]


class Line:
    """Agencies' lines and the platform's own events become one log, applied in batches of random length."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.store = MemoryStore()
        self.oracle = Oracle()
        self.log: list[EntryDict] = []
        self.applied = 0
        self.outbox: list[OutboxEvent] = []

    def add(self, event: JsonObject) -> None:
        index = len(self.log)
        self.log.append(make_entry(index, event, recorded_at(index, SECONDS_BETWEEN)))
        if self.random.random() < 0.2:
            self.apply(self.random.randint(self.applied, len(self.log)))

    def apply(self, end: int) -> None:
        batch = self.log[self.applied : end]
        self.outbox += self.store.apply(CONSUMER, [entry_of(entry) for entry in batch])
        for entry in batch:
            self.oracle.apply(entry)
        self.applied = end
        campaigns = self.oracle.campaigns
        known = [row for row in campaigns.rows() if campaigns.campaigns[row["campaign_id"]].triggered]
        assert shown(self.store) == known, "a rule of the release has its twin in tests/oracle/campaigns.py"

    def say_some(self, part: float) -> None:
        """Some of what the platform decided comes back, in order."""
        while self.outbox and self.random.random() < part:
            self.add(orjson.loads(event_bytes(self.outbox.pop(0))))

    def settle(self) -> None:
        self.apply(len(self.log))
        while self.outbox:
            self.say_some(1)
            self.apply(len(self.log))


def teams_answer(line: Line) -> None:
    """Acknowledgements, airings and completions, right and wrong, by the owners and by others."""
    for row in line.oracle.campaigns.rows() * 3:
        name, data = line.random.choice(ANSWERS)
        agency = row["owner"] if line.random.random() < 0.9 else "interior"
        campaign_id = row["campaign_id"]
        said = {"campaign_id": campaign_id, "on": "2026-11-02", **data}
        line.add(make_event(f"awareness.{name}", agency, f"campaign/{campaign_id}", said, f"answer-{len(line.log)}"))


OUTLET = {"ar": "القناة", "en": "Channel"}
ANSWERS: list[tuple[str, JsonObject]] = [
    ("campaign-acknowledged", {"by": "desk"}),
    ("campaign-completed", {}),
    ("campaign-airing-corrected", {"airing_id": "A1", "reach": 4, "reason": OUTLET}),
    *(
        ("campaign-aired", {"airing_id": airing, "channel": channel, "outlet": OUTLET, "reach": 7})
        for airing in ("A1", "A2")
        for channel in CHANNELS
    ),
]


@pytest.mark.parametrize("seed", range(4))
def test_every_history_gives_the_oracles_campaigns_and_any_batches_the_same_tables(seed: int) -> None:
    line, history = Line(seed), generate(seed, 400)
    mixed = shuffled(verdicts(history.lines, history.agencies).values(), seed)
    for entry in log_of(history.agencies, mixed):
        line.add(entry["event"])
        line.say_some(0.3)
    line.settle()
    teams_answer(line)
    line.settle()

    awareness = line.oracle.plan()["awareness"]
    coverage = [row for row in line.store.rows(COVERAGE) if row.launched_index is not None]
    assert awareness["launched_services"] == len(coverage)
    assert awareness["aired"] == {channel: sum(getattr(row, channel) > 0 for row in coverage) for channel in CHANNELS}
    found = {(row.index, row.found_index, row.rule) for row in line.store.rows(ANOMALY)}
    assert found == {(a.index, a.found_index, a.rule) for a in line.oracle.anomalies if ".campaign-" in a.type}

    entries = [entry_of(entry) for entry in line.log]
    at_once, one_by_one = MemoryStore(), MemoryStore()
    at_once.apply(CONSUMER, entries)
    for single in entries:
        one_by_one.apply(CONSUMER, [single])
    assert at_once.state() == one_by_one.state() == line.store.state()
