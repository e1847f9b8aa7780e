"""Compares a partner's or a bank's table with the log: matched, different, missing on either side, each with a reason.

Flows in: the rows of a table, mapped as for `yesser publish`, and the partnership's entries. Flows out: findings. Rows
with an id are matched by it; rows without one by date and amount, with entries that no row names, each once, and first
with those that count. Nothing is written.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from consumers.documents.document import Name
from consumers.documents.ledger.ledger import Finding, FindingKind
from consumers.documents.log.explanations import FIELDS, record_of
from consumers.explain.ledger.what_if import NothingSigned, folded
from consumers.replay.fold.anomaly import ANOMALY
from events.types.contradictions import RULES
from events.values.calendar import DateOutOfRange, ordinal_of
from events.values.money import riyals_text
from events.wire.entry import TYPE_PREFIX, Entry, parse_entry
from infra.errors import WrongInput
from infra.tables.mapping import is_riyal

SHOWN_MAX: Final = 200
"""Findings in a terminal or on a page: a table of 200,000 lines takes minutes to draw."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row of the table, with what its mapping gave. `line` is where it begins."""

    line: int
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Fact:
    """An entry of the wanted type. `rule` is that of its anomaly, if it does not count."""

    index: int
    id: str
    dated_on: str
    amount_halalas: int
    rule: str | None


def type_of(document: Mapping[str, Any]) -> str:
    """The type that a mapped row names. Raises `WrongInput`."""
    full = document.get("type")
    name = str(full).removeprefix(TYPE_PREFIX).rpartition(".")[0]
    if name not in FIELDS:
        known = ", ".join(f"{TYPE_PREFIX}{kind}.v1" for kind in FIELDS)
        raise WrongInput(f'the mapping must have the constant "/type" with one of {known}, and not {full!r}')
    return name


def reconcile(kind: str, rows: Sequence[FileRow], entries: Sequence[tuple[int, bytes]]) -> list[Finding]:
    """The findings: rows in the order of the file, then entries that are missing in it.

    Only entries with a date between the first and the last of the file are missed in it. Raises `NothingSigned`.
    """
    parsed = [parse_entry(index, raw) for index, raw in entries]
    if all(entry.type != "partnership.signed" for entry in parsed):
        raise NothingSigned(NothingSigned.__doc__)
    facts = _facts(kind, parsed)
    compared = _Comparison(kind, rows, facts)
    findings = [compared.row(row) for row in rows]
    dates = [row.data.get(FIELDS[kind][1]) for row in rows]
    return [*findings, *_missing_in_file(facts, compared.seen, dates)]


class _Comparison:
    """The rows of one file, in order, and the entries that they found so far."""

    def __init__(self, kind: str, rows: Iterable[FileRow], facts: Sequence[_Fact]) -> None:
        self.seen: set[int] = set()
        self._id_name, self._date_name = FIELDS[kind]
        self._by_id = _by_id(facts)
        self._by_sum: defaultdict[tuple[Any, Any], list[_Fact]] = defaultdict(list)
        named = {row_id for row in rows if isinstance(row_id := row.data.get(self._id_name), str)}
        # Taken from the end: entries that count before those that do not, each in log order.
        for fact in sorted(facts, key=lambda fact: (fact.rule is None, -fact.index)):
            if fact.id not in named:
                self._by_sum[fact.dated_on, fact.amount_halalas].append(fact)
        self._line_of_id: dict[str, int] = {}
        self._line_of_sum: dict[tuple[Any, Any], int] = {}

    def row(self, row: FileRow) -> Finding:
        """What a row is."""
        row_id, on = row.data.get(self._id_name), row.data.get(self._date_name)
        amount, fault = halalas_in(row.data), _fault(row.data, on)
        found: _Fact | None = None
        if isinstance(row_id, str):
            if row_id in self._line_of_id:
                return _doubled(row.line, row_id, on, amount, _SAME_ID.format(self._line_of_id[row_id]))
            self._line_of_id[row_id] = row.line
            found = self._by_id.get(row_id)
        elif fault is None:
            alike = self._by_sum[on, amount]
            if not alike and (on, amount) in self._line_of_sum:
                return _doubled(row.line, None, on, amount, _SAME_SUM.format(self._line_of_sum[on, amount]))
            found = alike.pop() if alike else None
        if found is not None:
            self.seen.add(found.index)
        finding = _compared(row.line, row_id, on, amount, found, fault)
        if finding.kind == FindingKind.MATCHED:
            self._line_of_sum.setdefault((on, amount), row.line)
        return finding


def unreadable(kind: str, rows: Iterable[FileRow]) -> list[Finding]:
    """The rows that cannot be compared, each with its reason."""
    id_name, date_name = FIELDS[kind]
    read = ((row, row.data.get(date_name)) for row in rows)
    faulty = ((row, on, fault) for row, on in read if (fault := _fault(row.data, on)) is not None)
    return [
        _compared(row.line, row.data.get(id_name), on, halalas_in(row.data), None, fault) for row, on, fault in faulty
    ]


def totals(findings: Iterable[Finding]) -> dict[FindingKind, int]:
    """How many there are of each kind."""
    counted = Counter(finding.kind for finding in findings)
    return {kind: counted[kind] for kind in FindingKind}


def _facts(kind: str, entries: Sequence[Entry]) -> list[_Fact]:
    rules = {row.index: row.rule for row in folded(entries).rows(ANOMALY)}
    records = [(entry.index, record_of(kind, entry.data)) for entry in entries if entry.type == kind]
    return [_Fact(at, one.id, one.dated_on, one.amount_halalas, rules.get(at)) for at, one in records if one]


def _by_id(facts: Iterable[_Fact]) -> dict[str, _Fact]:
    """The entry that counts under each id; the last one where none does."""
    found: dict[str, _Fact] = {}
    for fact in facts:
        known = found.get(fact.id)
        if known is None or known.rule is not None:
            found[fact.id] = fact
    return found


def _doubled(line: int, row_id: str | None, on: Any, amount: int | None, reason: Name) -> Finding:
    return Finding(FindingKind.DOUBLED, line, None, row_id, _text(on), amount, None, reason)


def _compared(line: int, row_id: Any, on: Any, amount: int | None, found: _Fact | None, fault: Name | None) -> Finding:
    kind, reason = _verdict(on, amount, found, fault)
    index, log_halalas = (None, None) if found is None else (found.index, found.amount_halalas)
    own_id = found.id if found is not None and row_id is None else _text(row_id)
    return Finding(kind, line, index, own_id, _text(on), amount, log_halalas, reason)


def _verdict(on: Any, amount: int | None, found: _Fact | None, fault: Name | None) -> tuple[FindingKind, Name | None]:
    if fault is not None:
        return FindingKind.UNREADABLE, fault
    if found is None:
        return FindingKind.MISSING_IN_LOG, _NOT_IN_LOG
    if found.rule is not None:
        rule = RULES[found.rule]
        return FindingKind.DIFFERENT, Name("القيد {} لا يُحسب. {}", "Entry {} does not count. {}").format(
            found.index, rule
        )
    if found.amount_halalas != amount:
        assert amount is not None, "a row without a fault has one"
        theirs, ours = riyals_text(amount), riyals_text(found.amount_halalas)
        return FindingKind.DIFFERENT, Name(
            "المبلغ في الملف {} وفي السجل {}.", "The amount is {} in the file and {} in the log."
        ).format(theirs, ours)
    if found.dated_on != on:
        return FindingKind.DIFFERENT, Name(
            "التاريخ في الملف {} وفي السجل {}.",
            "The date is {} in the file and {} in the log.",
        ).format(on, found.dated_on)
    return FindingKind.MATCHED, None


_SAME_ID: Final = Name("السطر {} له المعرّف نفسه.", "Line {} has the same id.")
# Two equal payments of a day are possible, so that both causes are named.
_SAME_SUM: Final = Name(
    "السطر {} له التاريخ والمبلغ نفسهما، ولا قيد آخر لهما في السجل: السطر مكرر، أو لم يُرسل قيده.",
    "Line {} has the same date and amount, and the log has no other entry of them: the line is doubled, or its"
    " entry was not sent.",
)
_NOT_IN_LOG: Final = Name(
    "لا قيد له في السجل: لم يُرسل، أو رُفض.", "The log has no entry of it: it was not sent, or it was refused."
)
_NOT_IN_FILE: Final = Name("ليس في الملف.", "It is not in the file.")


def _fault(data: Mapping[str, Any], on: Any) -> Name | None:
    """What of a row cannot be compared."""
    amount, currency = data.get("amount_halalas"), data.get("currency")
    if not _is_riyal(currency):
        return Name(
            "العملة {} ليست من أسماء الريال السعودي المعروفة: لا يُقارن إلا الريال، ويُكتب SAR.",
            "The currency {} is not a known name of the Saudi riyal: only riyals are compared, written SAR.",
        ).format(currency)
    if amount is None:
        return Name("لا مبلغ في السطر.", "The row has no amount.")
    if isinstance(amount, bool) or not isinstance(amount, int):
        return Name(
            "المبلغ {!r} لا يُقرأ: يُكتب مثل 1250.00.", "The amount {!r} cannot be read: write it like 1250.00."
        ).format(amount)
    if on is None:
        return Name("لا تاريخ في السطر: احذفه إن كان مجموعًا.", "The row has no date: delete it if it is a total.")
    if not _is_date(on):
        example = "2005-01-10"
        return Name(
            "التاريخ {!r} لا يُقرأ: يُكتب مثل {}.",
            "The date {!r} cannot be read: write it like {}.",
        ).format(on, example)
    return None


def _is_riyal(currency: Any) -> bool:
    """Whether an amount is in riyals, as it also is where no currency is named."""
    return currency is None or (isinstance(currency, str) and is_riyal(currency))


def _is_date(on: Any) -> bool:
    """Whether it is a day that an entry can have."""
    try:
        return isinstance(on, str) and ordinal_of(on) > 0
    except DateOutOfRange:
        return False


def _missing_in_file(facts: Iterable[_Fact], seen: set[int], dates: Iterable[Any]) -> Iterator[Finding]:
    days = sorted(day for day in dates if _is_date(day))
    for fact in facts:
        if fact.rule is None and fact.index not in seen and days and days[0] <= fact.dated_on <= days[-1]:
            own = fact.index, fact.id, fact.dated_on
            yield Finding(FindingKind.MISSING_IN_FILE, None, *own, None, fact.amount_halalas, _NOT_IN_FILE)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def halalas_in(data: Mapping[str, Any]) -> int | None:
    """None also for an amount of another currency: its hundredths are no halalas."""
    amount = data.get("amount_halalas")
    is_whole = isinstance(amount, int) and not isinstance(amount, bool)
    return amount if is_whole and _is_riyal(data.get("currency")) else None
