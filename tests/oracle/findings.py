"""What a fold says about an entry: an anomaly, or a fact that took effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from tests.oracle.log import EntryDict, JsonObject, sender, short_type


@dataclass(frozen=True)
class Anomaly:
    """One contradiction (§3). `found_index` differs from `index` only for a fact that waited."""

    index: int
    found_index: int
    rule: str
    type: str
    subject: str
    agency: str


@dataclass(frozen=True)
class Effect:
    """A fact that was applied, with the index at which it took effect and the owner then."""

    index: int
    found_index: int
    name: str
    recorded: str
    agency: str
    owner: str
    data: JsonObject


Finding: TypeAlias = Anomaly | Effect


def anomaly(entry: EntryDict, rule: str, found_index: int | None = None) -> Anomaly:
    """The anomaly that `entry` is, by `rule`."""
    event = entry["event"]
    found = entry["index"] if found_index is None else found_index
    return Anomaly(entry["index"], found, rule, event["type"], event["subject"], sender(event))


def effect(entry: EntryDict, owner: str, found_index: int | None = None) -> Effect:
    """The effect of `entry`."""
    event = entry["event"]
    found = entry["index"] if found_index is None else found_index
    return Effect(entry["index"], found, short_type(event), entry["recordedtime"], sender(event), owner, event["data"])


def verdict(entry: EntryDict, rule: str | None, owner: str = "", found_index: int | None = None) -> Finding:
    """An anomaly if there is a rule, else the effect."""
    return effect(entry, owner, found_index) if rule is None else anomaly(entry, rule, found_index)
