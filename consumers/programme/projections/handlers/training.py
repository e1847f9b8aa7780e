"""Training (events.md §3): quotas, certificates per certifying agency, and counts per calendar, year and track.

A certificate counts in both calendars at once, so that a quota set later includes it. Certificates are very frequent:
those of a batch are applied together (`certified_keys`, `certify` for each, `count_certified` at the end), the other
types by `required_keys`, `dependent_keys` and `apply`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from consumers.programme.projections.handlers.outcome import Outcome, applied
from consumers.replay.fold.anomaly import Anomaly, anomaly
from events.values.calendar import year_of
from events.wire.entry import Entry
from infra.postgres.unit_of_work import Need, Table, UnitOfWork


@dataclass(slots=True)
class Quota:
    """Seats of a track in a year of a calendar; setting it again replaces it."""

    calendar: str
    year: int
    track: str
    seats: int
    first_index: int
    last_index: int
    count: int


@dataclass(slots=True)
class Certificate:
    """`agency` is the certifying one; ids are unique per agency."""

    agency: str
    certificate_id: str
    trainee: str
    track: str
    certified_on: str
    first_index: int
    revoked_index: int | None


@dataclass(slots=True)
class TrainingCount:
    """Certificates of a track whose date lies in a year of a calendar. `certified` is gross."""

    calendar: str
    year: int
    track: str
    certified: int
    revoked: int
    first_index: int
    last_index: int


@dataclass(slots=True)
class Tally:
    """Certificates of one date and track that are not yet counted, with the first and last entry of them."""

    number: int
    first_index: int
    last_index: int


Tallies = dict[tuple[str, str], Tally]
CounterKey = tuple[str, int, str]

QUOTA: Final = Table("quota", Quota, key=("calendar", "year", "track"))
CERTIFICATE: Final = Table("certificate", Certificate, key=("agency", "certificate_id"))
TRAINING_COUNT: Final = Table("training_count", TrainingCount, key=("calendar", "year", "track"))
TABLES: Final[tuple[Table[Any], ...]] = (QUOTA, CERTIFICATE, TRAINING_COUNT)
SQL_FILES: Final = (("consumers.programme.projections.handlers", "training.sql"),)
TYPES: Final = frozenset({"training.quota-set", "training.certified", "training.revoked"})


@lru_cache(maxsize=65_536)
def counters_of(certified_on: str, track: str) -> tuple[CounterKey, CounterKey]:
    """The counters of a certificate of this date and track, one per calendar."""
    return (
        ("gregorian", year_of(certified_on, "gregorian"), track),
        ("umm-al-qura", year_of(certified_on, "umm-al-qura"), track),
    )


@lru_cache(maxsize=65_536)
def counter_keys(certified_on: str, track: str) -> tuple[Need, Need]:
    """The keys of these counters."""
    gregorian, hijri = counters_of(certified_on, track)
    return (TRAINING_COUNT, gregorian), (TRAINING_COUNT, hijri)


def required_keys(entry: Entry) -> Iterator[Need]:
    """First round: the certificate that is revoked, or the quota and the counter that the entry names."""
    data = entry.data
    if entry.type == "training.revoked":
        yield CERTIFICATE, (entry.agency, data["certificate_id"])
    else:
        key = (data["calendar"], data["year"], data["track"])
        yield QUOTA, key
        yield TRAINING_COUNT, key


def certified_keys(certified: Iterable[Entry]) -> set[Need]:
    """The certificates of a batch, and their counters."""
    wanted: set[Need] = set()
    moved = set()
    for entry in certified:
        data = entry.data
        wanted.add((CERTIFICATE, (entry.agency, data["certificate_id"])))
        moved.add((data["on"], data["track"]))
    for on, track in moved:
        wanted.update(counter_keys(on, track))
    return wanted


def dependent_keys(ws: UnitOfWork, entry: Entry) -> Iterator[Need]:
    """Second round: the counters of a revoked certificate."""
    certificate = ws.get(CERTIFICATE, entry.agency, entry.data["certificate_id"])
    if certificate is not None:
        yield from counter_keys(certificate.certified_on, certificate.track)


def apply(ws: UnitOfWork, entry: Entry) -> list[Outcome]:
    """Apply a revocation or a quota."""
    return [_revoke(ws, entry) if entry.type == "training.revoked" else _set_quota(ws, entry)]


def certify(ws: UnitOfWork, entry: Entry, tallies: Tallies) -> Anomaly | None:
    """Store the certificate and tally it; returns the anomaly if this agency used its id before."""
    agency, index, data = entry.agency, entry.index, entry.data
    known = ws.get(CERTIFICATE, agency, data["certificate_id"])
    if known is not None:
        seen = {"certified_index": known.first_index, "revoked_index": known.revoked_index}
        return anomaly(entry, "already-certified", seen)
    on, track = data["on"], data["track"]
    ws.put(CERTIFICATE, Certificate(agency, data["certificate_id"], data["trainee"], track, on, index, None))
    tally = tallies.setdefault((on, track), Tally(0, index, index))
    tally.number += 1
    tally.last_index = index
    return None


def count_certified(ws: UnitOfWork, tallies: Tallies) -> None:
    """Add the tallies to the counts of both calendars. The order within a batch does not matter."""
    for (on, track), tally in tallies.items():
        for key in counters_of(on, track):
            counter = counted(ws, key, tally.first_index)
            counter.certified += tally.number
            counter.first_index = min(counter.first_index, tally.first_index)
            counter.last_index = max(counter.last_index, tally.last_index)
            ws.put(TRAINING_COUNT, counter)


def counted(ws: UnitOfWork, key: CounterKey, index: int) -> TrainingCount:
    """The counts of these certificates; none from entry `index` on, where there is no row."""
    return ws.get(TRAINING_COUNT, *key) or TrainingCount(*key, 0, 0, index, index)


def _revoke(ws: UnitOfWork, entry: Entry) -> Outcome:
    certificate = ws.get(CERTIFICATE, entry.agency, entry.data["certificate_id"])
    if certificate is None:
        return anomaly(entry, "unknown-certificate", {})
    if certificate.revoked_index is not None:
        return anomaly(entry, "already-revoked", {"revoked_index": certificate.revoked_index})
    if certificate.trainee != entry.data["trainee"]:
        return anomaly(entry, "not-allowed-now", {"trainee": certificate.trainee})
    certificate.revoked_index = entry.index
    ws.put(CERTIFICATE, certificate)
    for key in counters_of(certificate.certified_on, certificate.track):
        counter = counted(ws, key, entry.index)
        counter.revoked += 1
        counter.last_index = max(counter.last_index, entry.index)
        ws.put(TRAINING_COUNT, counter)
    return applied(entry)


def _set_quota(ws: UnitOfWork, entry: Entry) -> Outcome:
    data, index = entry.data, entry.index
    key = (data["calendar"], data["year"], data["track"])
    quota = ws.get(QUOTA, *key) or Quota(*key, 0, index, index, 0)
    quota.seats = data["seats"]
    quota.last_index = index
    quota.count += 1
    ws.put(QUOTA, quota)
    return applied(entry)
