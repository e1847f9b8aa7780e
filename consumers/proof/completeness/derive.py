"""Sequence numbers by agency and month, from the entries alone.

The numbers of a month are those above the highest number that the log had before it, up to the highest at its end;
months are those of the recorded time in Riyadh. A number that comes late fills its hole in the month where it was due.
A refused record has no number in its entry, so its number is missing until the corrected event has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from consumers.documents.document import Name
from consumers.documents.log.entries import CompletenessStatus, MonthRow
from consumers.documents.names import Code
from consumers.proof.audit.derived import RANGES_MAX, Numbers, Ranges, agency_of
from events.validation.refusal import PLATFORM, REFUSED
from events.values.completeness import completeness_status
from events.values.working_days import riyadh_date
from events.wire.entry import NotAnEntry, parse_entry
from events.wire.envelope import full_type

REGISTERED: Final = full_type("registry.agency-registered")
_REFUSED: Final = full_type(REFUSED)


@dataclass(slots=True)
class _Month:
    entries: int = 0
    numbered: int = 0
    refused: int = 0
    highest: int = 0
    """The highest number in the log at the end of the month."""


@dataclass(slots=True)
class _Agency:
    since: str
    months: dict[str, _Month] = field(default_factory=dict)
    numbers: Numbers = field(default_factory=Numbers)
    highest: int = 0
    overflowed_index: int | None = None


class _Event(msgspec.Struct, gc=False):
    type: str
    sequence: str | None = None


class _Document(msgspec.Struct, gc=False):
    recordedtime: str
    event: _Event
    address: str = msgspec.field(name="from")


_read: Final = msgspec.json.Decoder(_Document).decode


class Completeness:
    """Takes entries in log order. The platform's own events carry no numbers and are left out."""

    def __init__(self, ranges_max: int = RANGES_MAX) -> None:
        self._ranges_max = ranges_max
        self._agencies: dict[str, _Agency] = {}
        self._recorded = ""
        self._month = ""
        self.names: dict[Code, Name] = {}
        """Of the agencies, as they were registered."""
        self.size = 0

    def add(self, first: int, entries: Sequence[bytes]) -> None:
        """The entries from index `first` on. Raises `NotAnEntry`."""
        for index, raw in enumerate(entries, first):
            try:
                self._add(index, raw)
            except msgspec.MsgspecError as error:
                raise NotAnEntry(f"the bytes at index {index} are not an entry of the log: {error}") from error
        self.size = first + len(entries)

    def rows(self, agency: str | None = None, month: str | None = None) -> Iterator[MonthRow]:
        """By agency and month: every month from the agency's registration to that of the last entry."""
        for code in sorted(self._agencies) if agency is None else [agency]:
            derived = self._agencies.get(code)
            if derived is None:
                continue
            before = 0
            for label in _months(derived.since, self._month):
                own = derived.months.get(label, _Month(highest=before))
                if month is None or label == month:
                    yield _row(code, label, derived, own, before)
                before = own.highest

    def agencies(self) -> list[str]:
        """The codes of all agencies that are registered or have entries."""
        return sorted(self._agencies)

    def numbers(self) -> dict[str, Numbers]:
        """By agency, of those with numbers that are not too scattered."""
        kept = {code: agency for code, agency in self._agencies.items() if agency.overflowed_index is None}
        return {code: agency.numbers for code, agency in kept.items() if agency.highest}

    def overflowed(self) -> set[str]:
        """The agencies whose numbers are too scattered to say what is missing, see `RANGES_MAX`."""
        return {code for code, found in self._agencies.items() if found.overflowed_index is not None}

    def _add(self, index: int, raw: bytes) -> None:
        document = _read(raw)
        if document.recordedtime != self._recorded:
            self._recorded = document.recordedtime
            self._month = riyadh_date(document.recordedtime)[: len("YYYY-MM")]
        event = document.event
        if event.type == REGISTERED:
            data = parse_entry(index, raw).data
            self._agency(data["code"])
            self.names["agency", data["code"]] = msgspec.convert(data["name"], Name)
        code = agency_of(document.address.partition("/")[0])
        if code == PLATFORM:
            return
        agency = self._agency(code)
        month = agency.months.get(self._month)
        if month is None:
            month = agency.months[self._month] = _Month(highest=agency.highest)
        if event.type == _REFUSED:
            month.refused += 1
            return
        month.entries += 1
        if event.sequence is not None:
            month.numbered += 1
            self._take(agency, int(event.sequence), index)
            month.highest = agency.highest

    def _agency(self, code: str) -> _Agency:
        derived = self._agencies.get(code)
        if derived is None and code != PLATFORM:
            derived = self._agencies[code] = _Agency(self._month)
        return derived or _Agency(self._month)

    def _take(self, agency: _Agency, number: int, index: int) -> None:
        agency.highest = max(agency.highest, number)
        if agency.overflowed_index is not None:
            return
        numbers = agency.numbers
        numbers.add(number)
        if len(numbers.accepted) + len(numbers.repeated) > self._ranges_max:
            agency.overflowed_index = index


def _row(code: str, label: str, agency: _Agency, month: _Month, before: int) -> MonthRow:
    first, last, missing_count = before + 1, month.highest, None
    in_log, missing, repeated = list[list[int]](), list[list[int]](), list[list[int]]()
    if first <= last and agency.overflowed_index is None:
        in_log = _within(agency.numbers.accepted, first, last)
        repeated = _within(agency.numbers.repeated, first, last)
        missing = _gaps(in_log, first, last)
        missing_count = sum(end - start + 1 for start, end in missing)
    status = _status(month, agency, missing_count)
    counts = month.entries, month.numbered, month.refused
    start, end = (None, None) if first > last else (first, last)
    return MonthRow(code, label, status, *counts, start, end, missing_count, in_log, missing, repeated)


def _status(month: _Month, agency: _Agency, missing_count: int | None) -> CompletenessStatus:
    if not month.entries and not month.refused:
        return CompletenessStatus.NOTHING_SENT
    if not month.numbered:
        return CompletenessStatus.NO_NUMBERS_IN_LOG if month.refused else CompletenessStatus.NO_NUMBERS_SENT
    status = completeness_status(missing_count, is_overflowed=agency.overflowed_index is not None)
    return msgspec.convert(status, CompletenessStatus)


def _within(ranges: Ranges, first: int, last: int) -> list[list[int]]:
    """The part from `first` to `last`, as inclusive ranges."""
    return [[max(start, first), min(end - 1, last)] for start, end in ranges.pairs() if start <= last and end > first]


def _gaps(ranges: Sequence[Sequence[int]], first: int, last: int) -> list[list[int]]:
    """What inclusive ranges leave out from `first` to `last`."""
    gaps, due = [], first
    for start, end in ranges:
        if start > due:
            gaps.append([due, start - 1])
        due = end + 1
    return gaps if due > last else [*gaps, [due, last]]


def _months(first: str, last: str) -> Iterator[str]:
    year, month = int(first[:4]), int(first[5:])
    while (label := f"{year:04d}-{month:02d}") <= last:
        yield label
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
