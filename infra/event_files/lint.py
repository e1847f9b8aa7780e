"""Validates a file before it is sent: form, authority, and duplicate ids within it.

Flows in: lines, the agency with its role. Flows out: `Findings`, in the shape of `yesser publish`. This is the
registrar's own validation, but without the ids that are already in the log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NotRequired, TypedDict, cast

from events.faults.details import arabic_of
from events.faults.problems import CONFLICT, PROBLEMS, Code, Fault
from events.validation.validate import validate
from events.validation.verdicts import Accepted, Agency
from events.values.bilingual import Bilingual
from events.wire.codec import STRUCTURED_HEADERS
from infra.event_files.ndjson import TOO_LARGE, TOO_LARGE_DETAIL, Defaults, Line, shown_id
from infra.tables.mapping import MappingDocument
from infra.tables.workbook import day_of_serial

LINE_TOO_LARGE: Final = Fault(pointer="", code=TOO_LARGE, detail=TOO_LARGE_DETAIL.en)

SHOWN_MAX: Final = 50
"""Faults that people are shown at once."""
MORE: Final = Bilingual("  … وغيرها {:,}: استعمل --json.", "  … and {:,} more: use --json.")
_FROM_A_SPREADSHEET: Final = Bilingual(
    "هو رقم اليوم {} في برنامج الجداول: نسّق العمود بالصيغة YYYY-MM-DD واحفظ الملف من جديد.",
    "It is a spreadsheet's number of {}: format the column as YYYY-MM-DD and save the file again.",
)
_SERIAL: Final = re.compile(r'"([1-6][0-9]{4})" is not a date;')
THE_EVENT: Final = Bilingual("الحدث كله", "the whole event")
"""Where a fault without a pointer is."""
_IN_RIYALS: Final = Bilingual(
    "في عمود نوعه riyals اكتب ريالات مثل 1250.50، دون عملة أخرى ولا فاصلة للآلاف، وبمنزلتين عشريتين على الأكثر.",
    "In a column of the type riyals write riyals like 1250.50: no other currency, no commas, at most two decimals.",
)


class Remedy(TypedDict):
    """What to do, in both languages."""

    ar: str
    en: str


class LineProblem(TypedDict):
    """One fault of one line, with its meaning and remedy. `of_line`: the line with which it conflicts; `column`: the
    table's, which fills the pointer."""

    line: int
    id: str | None
    code: str
    pointer: str
    detail: str
    detail_ar: str
    remedy: Remedy
    of_line: NotRequired[int]
    column: NotRequired[str]


class DuplicateLine(TypedDict):
    """A line with the event of an earlier one."""

    line: int
    of_line: int


class AheadLine(TypedDict):
    """A line whose event's `time` is two days or more ahead: it is accepted all the same."""

    line: int
    time: str


class LintReport(TypedDict):
    """The answer of `yesser lint --json`."""

    lines: int
    accepted: int
    duplicates: int
    conflicts: int
    refused: int
    duplicate_lines: list[DuplicateLine]
    problems: list[LineProblem]
    unlisted: NotRequired[int]
    ahead: NotRequired[list[AheadLine]]


@dataclass(slots=True)
class Findings:
    """The faults in a file. `duplicate_lines` are (line, the earlier line with the same event).

    Of `problems_count` faults the first `problems_max` are `problems` (None: all). `faulty` are the numbers of the
    lines with a fault. `unlisted` is the number of faults beyond the first hundred of a line, which are not counted.
    """

    lines: int = 0
    accepted: int = 0
    conflicts: int = 0
    refused: int = 0
    duplicate_lines: list[tuple[int, int]] = field(default_factory=list)
    problems: list[LineProblem] = field(default_factory=list)
    unlisted: int = 0
    ahead: list[AheadLine] = field(default_factory=list)
    problems_max: int | None = None
    mapping: MappingDocument | None = None
    problems_count: int = 0
    faulty: set[int] = field(default_factory=set)

    @property
    def has_faults(self) -> bool:
        """Whether any line would be refused or conflict; a duplicate is harmless."""
        return bool(self.conflicts or self.refused)

    def add(self, line: Line, faults: Iterable[Fault], of_line: int | None = None) -> None:
        """Add the faults of a line."""
        self.faulty.add(line.number)
        for fault in faults:
            self.problems_count += 1
            if self.problems_max is None or len(self.problems) < self.problems_max:
                column = None if self.mapping is None else self.mapping.column_of(fault.pointer)
                found = _problem(line, fault, column)
                if of_line is not None:
                    found["of_line"] = of_line
                if column:
                    found["column"] = column
                self.problems.append(found)

    def document(self) -> LintReport:
        report: LintReport = {
            "lines": self.lines,
            "accepted": self.accepted,
            "duplicates": len(self.duplicate_lines),
            "conflicts": self.conflicts,
            "refused": self.refused,
            "duplicate_lines": [{"line": line, "of_line": first} for line, first in self.duplicate_lines],
            "problems": self.problems,
        }
        if self.unlisted:
            report["unlisted"] = self.unlisted
        if self.ahead:
            report["ahead"] = self.ahead
        return report


def lint(
    lines: Iterable[Line],
    agency: Agency,
    first_day: str,
    problems_max: int | None = None,
    mapping: MappingDocument | None = None,
) -> Findings:
    """The verdict that the registrar would give each line if the log were empty. `mapping` is that of their table,
    `first_day` that of `first_day_ahead`."""
    findings = Findings(problems_max=problems_max, mapping=mapping)
    filling = Defaults(agency.code)
    seen: dict[bytes, tuple[bytes, int]] = {}
    for line in lines:
        findings.lines += 1
        if line.text is None:
            findings.refused += 1
            findings.add(line, [LINE_TOO_LARGE])
            continue
        verdict = validate(filling.fill(line.text), STRUCTURED_HEADERS, agency)
        if isinstance(verdict, Accepted):
            _compare(line, verdict, seen, findings)
            if verdict.time >= first_day:
                findings.ahead.append({"line": line.number, "time": verdict.time})
        else:
            findings.refused += 1
            findings.unlisted += verdict.unlisted
            findings.add(line, verdict.faults)
    return findings


def _problem(line: Line, found: Fault, column: str | None) -> LineProblem:
    remedy = remedy_of(found.code, found.pointer, found.detail, column)
    return {
        "line": line.number,
        "id": None if line.text is None else shown_id(line.text),
        "code": found.code,
        "pointer": found.pointer,
        "detail": found.detail,
        "detail_ar": sentence_of(found.detail).ar,
        "remedy": {"ar": remedy.ar, "en": remedy.en},
    }


def remedy_of(code: str, pointer: str, detail: str, column: str | None) -> Bilingual:
    """What to do about a fault of a line.

    The fault's sentence speaks of the event; in a table an amount is in riyals mostly, and a day may be the number by
    which a spreadsheet counts it.
    """
    if column and code == "invalid-value" and pointer.endswith("_halalas"):
        return _IN_RIYALS
    if serial := _SERIAL.match(detail):
        return _FROM_A_SPREADSHEET.format(day_of_serial(serial[1]))
    return PROBLEMS[cast(Code, code)].remedy


def _compare(line: Line, verdict: Accepted, seen: dict[bytes, tuple[bytes, int]], findings: Findings) -> None:
    """Compare a line with the earlier one of the same source and id: a duplicate or a conflict."""
    identity, first = seen.setdefault(verdict.claim, (verdict.identity, line.number))
    if first == line.number:
        findings.accepted += 1
    elif identity == verdict.identity:
        findings.duplicate_lines.append((line.number, first))
    else:
        findings.conflicts += 1
        findings.add(line, [CONFLICT], of_line=first)


def fault_sentence(code: str, pointer: str, detail: str, column: str | None = None) -> Bilingual:
    """One fault: its code, where it is, and what is wrong."""
    where: Bilingual | str = pointer or THE_EVENT
    if column is not None:
        where = Bilingual("العمود «{}» ({})", 'column "{}" ({})').format(column, where)
    sentence = Bilingual("{} في {}: {}", "{} at {}: {}")
    return sentence.format(code, where, sentence_of(detail))


def sentence_of(detail: str) -> Bilingual:
    """A fault's sentence in both languages; that of a line that is too long is no fault of an event."""
    return TOO_LARGE_DETAIL if detail == TOO_LARGE_DETAIL.en else Bilingual(arabic_of(detail), detail)


def line_sentence(
    line: int, code: str, pointer: str, detail: str, column: str | None = None, of_line: int | None = None
) -> Bilingual:
    """A fault of a line and its remedy, as `lint` and `publish` print it. `of_line` is the line it conflicts with."""
    fault = fault_sentence(code, pointer, detail, column)
    if of_line is not None:
        fault = Bilingual("{} (والآخر في السطر {})", "{} (the other is line {})").format(fault, of_line)
    remedy = remedy_of(code, pointer, detail, column)
    return Bilingual("  السطر {}: {}\n    {}", "  line {}: {}\n    {}").format(line, fault, remedy)


def ahead_sentences(ahead: Sequence[AheadLine]) -> Iterator[Bilingual]:
    """The first lines ahead, as `lint` and `publish` print them."""
    for row in ahead[:SHOWN_MAX]:
        yield Bilingual(
            "  السطر {line}: وقته {time} بعد الآن بيومين أو أكثر. هو مقبول، لكن تحقق من السنة.",
            "  line {line}: its time {time} is two days or more ahead. It is accepted, but look for a wrong year.",
        ).format(**row)
    if (more := len(ahead) - SHOWN_MAX) > 0:
        yield MORE.format(more)


def unlisted_sentence(count: int) -> Bilingual:
    """Faults beyond those that a refusal lists."""
    return Bilingual(
        "  … وأخطاء أخرى عددها {:,} لا تُذكر: تظهر بعد تصحيح هذه.",
        "  … and {:,} more faults that are not listed: they show once these are corrected.",
    ).format(count)
