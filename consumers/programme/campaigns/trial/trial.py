"""Folds the history twice, with the rules in force and with changed ones, and compares the triggers that they decide.

Both folds go into scratch tables of a transaction that is rolled back: nothing is written, and nothing is published.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from consumers.documents.campaigns.evaluations import Trial, TriedTrigger
from consumers.documents.document import document_of
from consumers.programme.campaigns.consumer import campaigns_consumer
from consumers.programme.campaigns.rules.rule import RuleSet
from consumers.programme.campaigns.rules.rule_file import read_folder, read_rule
from consumers.programme.campaigns.unaired import triggers_until
from consumers.replay.as_of.point_in_time import PointInTime, midnight
from consumers.replay.as_of.view import NoSuchIndex, View, view
from consumers.replay.fold.consumer import Consumer
from events.wire.entry import Entry
from infra.log.reader import entries_recorded_before, log_size
from infra.postgres.connection import connected
from infra.postgres.outbox import OutboxEvent
from infra.postgres.unit_of_work import UnitOfWork
from infra.settings import Settings

Trigger = Mapping[str, Any]
"""The data of a `campaign.triggered`."""
_COMPARED: Final = ("kind", "owner", "channels", "due_on", "brief", "reason")


def changed_rules(rules: RuleSet, path: Path) -> RuleSet:
    """The set with the rule of a file instead of the one of its name, or that of a folder. Raises `InvalidRules`."""
    if path.is_dir():
        return read_folder(path, own=True)
    rule = read_rule(path)
    others = [other for other in rules.rules if other.name != rule.name]
    return RuleSet(tuple(sorted([*others, rule], key=lambda one: one.name)), own=True)


async def try_rules(settings: Settings, rules: RuleSet, changed: RuleSet, since: str, now: datetime) -> Trial:
    """Compare two sets on the history from `since` on: an index, or the Gregorian date in Riyadh of recording.

    Raises `NoSuchIndex`.
    """
    async with connected(settings.acting_as("reader"), "reader") as connection:
        size = await log_size(connection)
        first = int(since) if since.isdecimal() else await entries_recorded_before(connection, midnight(since))
    if first > size:
        raise NoSuchIndex(f"the log has {size} entries, so there is none from {first} on: use 0 … {size}, or a date")
    decided: dict[str, list[OutboxEvent]] = {"now": [], "tried": []}
    sets = {"now": rules, "tried": changed}
    consumers = {name: _collecting(name, sets[name], decided[name]) for name in sets}
    async with view(settings, list(consumers.values()), PointInTime(index=size), from_log=True) as state:
        for name, consumer in consumers.items():
            decided[name] += await triggers_until(await state.use(consumer), sets[name], now)
        in_log = await _in_log(state, consumers["now"])
    before, after = (_triggers(decided[name], first) for name in sets)
    return compare(size, first, before, after, in_log)


def compare(
    size: int, since: int, before: Mapping[str, Trigger], after: Mapping[str, Trigger], in_log: Iterable[str]
) -> Trial:
    """Triggers by id, as decided before and after the change; `in_log` has the ids of those that were published."""
    published = frozenset(in_log)
    common = [name for name in after if name in before]
    differing = {name: [part for part in _COMPARED if before[name][part] != after[name][part]] for name in common}
    return Trial(
        log_index=size,
        since=since,
        fired=tuple(_tried(after[name], published) for name in after if name not in before),
        no_longer=tuple(_tried(before[name], published) for name in before if name not in after),
        changed=tuple(_tried(after[name], published, differs_in=parts) for name, parts in differing.items() if parts),
        unchanged=sum(not parts for parts in differing.values()),
    )


def _collecting(name: str, rules: RuleSet, decided: list[OutboxEvent]) -> Consumer:
    """The consumer with these rules, which keeps what it decides."""
    consumer = campaigns_consumer(lambda: rules)

    def fold(ws: UnitOfWork, entries: Sequence[Entry]) -> list[OutboxEvent]:
        outbox_events = consumer.fold(ws, entries)
        decided.extend(event for event in outbox_events if event.type == "campaign.triggered")
        return outbox_events

    return replace(consumer, name=name, schema=f"campaigns_{name}", fold=fold)


async def _in_log(state: View, consumer: Consumer) -> list[str]:
    connection = await state.use(consumer)
    rows = await connection.fetch("SELECT campaign_id FROM campaign WHERE triggered_index IS NOT NULL")
    return [row["campaign_id"] for row in rows]


def _triggers(events: Iterable[OutboxEvent], since: int) -> dict[str, Trigger]:
    """By campaign, in the order of their causes."""
    triggers = sorted((event.data for event in events), key=lambda data: data["cause_index"])
    return {data["campaign_id"]: data for data in triggers if data["cause_index"] >= since}


def _tried(trigger: Trigger, published: frozenset[str], **differing: list[str]) -> TriedTrigger:
    in_log = trigger["campaign_id"] in published
    return document_of(TriedTrigger, {"service_id": None, **trigger}, in_log=in_log, **differing)
