"""The offset of each line, and its row in the report."""

from __future__ import annotations

from infra.event_files.lint import LINE_TOO_LARGE
from infra.postgres.verdicts import Run, offset_of, verdicts_on_entries
from infra.verdicts import Refused, Verdicts
from producers.publisher.report import Report, SentLines
from tests.every import every
from tests.world.documents import as_json


def sent(*parts: tuple[list[int], int]) -> SentLines:
    lines = SentLines()
    for numbers, first_offset in parts:
        lines.add(numbers, first_offset)
    return lines


def error(code: str) -> dict[str, str]:
    return {"code": code, "pointer": "/id", "detail": "why"}


def test_blank_lines_and_other_publishers_make_gaps_and_a_file_without_them_is_one_row() -> None:
    lines = sent(([1, 2, 3], 10), ([4, 5], 13))
    assert (lines.runs(), lines.lines_count, lines.end_offset) == ([[1, 10, 5]], 5, 15)
    assert lines.ranges(0, 100) == [range(10, 15)]
    assert [lines.line_of(offset) for offset in range(10, 15)] == [1, 2, 3, 4, 5]
    lines = sent(([1, 3], 10), ([4], 12), ([5], 20))
    assert lines.ranges(0, 100) == [range(10, 13), range(20, 21)]
    assert [lines.line_of(offset) for offset in (10, 11, 12, 20)] == [1, 3, 4, 5]
    assert (SentLines().ranges(0, 10), SentLines().end_offset) == ([], 0)


@every(
    ("first", "end", "asked"),
    [
        (0, 12, [range(10, 12)]),
        (12, 21, [range(12, 13), range(20, 21)]),
        (21, 23, [range(21, 23)]),
        (23, 23, []),
        (13, 20, []),
    ],
)
def test_only_what_has_a_verdict_is_asked_for(first: int, end: int, asked: list[range]) -> None:
    assert sent(([1, 2, 3], 10), ([4, 5, 6], 20)).ranges(first, end) == asked


def test_an_index_leads_back_to_its_offset() -> None:
    runs = [Run(5, 100, 3), Run(9, 103, 1), Run(10, 200, 2)]
    assert [offset_of(runs, index) for index in (100, 102, 103, 200, 201)] == [5, 7, 9, 10, 11]


def test_what_became_an_entry_and_was_not_refused_was_accepted() -> None:
    runs = [Run(0, 100, 3), Run(5, 110, 2)]
    refusals = [Refused(0, 100, None, [error("not-json")]), Refused(6, 111, None, [error("conflict")])]
    verdicts = verdicts_on_entries(runs, refusals)
    assert (verdicts.accepted, verdicts.first_index, verdicts.last_index) == (3, 101, 110)
    none = verdicts_on_entries([Run(0, 7, 1)], [Refused(0, 7, None, [error("not-json")])])
    assert (none.accepted, none.first_index, none.last_index) == (0, None, None)


def test_the_counts_of_a_report_add_up_and_each_fault_has_a_row() -> None:
    report = Report(lines=6, unsent={2: [LINE_TOO_LARGE]}, sent=sent(([1, 3, 4, 5, 6], 10)), is_final=True)
    report.verdicts = Verdicts(2, 1, 40, 43)
    report.verdicts.refusals = [
        Refused(11, 41, "c", [error("conflict")]),
        Refused(13, 42, "b", [error("missing-field"), error("conflict")]),
    ]
    report.ids = {3: "from-the-file"}
    document = as_json(report.document())
    problems = document.pop("problems")
    assert list(document.items()) == [
        *(("lines", 6), ("accepted", 2), ("duplicates", 1), ("conflicts", 1), ("refused", 2)),
        *(("first_index", 40), ("last_index", 43)),
    ]
    assert [(row["line"], row["id"], row["code"], row["index"]) for row in problems] == [
        (2, None, "too-large", None),
        (3, "from-the-file", "conflict", 41),
        (5, "b", "missing-field", 42),
        (5, "b", "conflict", 42),
    ]
    many = [Refused(11, 7, "a", [error("missing-field")] * 100)]
    report = Report(lines=1, sent=sent(([1], 11)), is_final=True, verdicts=Verdicts(refusals=many, unlisted=80))
    assert (len(report.problems()), report.document().unlisted) == (100, 80), "and those that it does not list"


def test_lines_without_a_verdict_are_counted_and_without_verdicts_their_counts_are_null() -> None:
    document = as_json(Report(lines=2, unsent={2: [LINE_TOO_LARGE]}, sent=sent(([1], 0))).document())
    assert [document[name] for name in ("accepted", "duplicates", "conflicts", "refused")] == [None] * 4
    assert (document["sent"], document["unknown"]) == (1, 1)
    report = Report(lines=9, unsent={9: [LINE_TOO_LARGE]}, sent=sent(([1, 2, 3, 4, 5, 6], 0)))
    report.verdicts = Verdicts(accepted=2, duplicates=1, refusals=[Refused(3, 7, None, [error("conflict")])])
    assert (report.document().unknown, report.document().refused) == (4, 1)
    report.is_final = True
    assert "unknown" not in as_json(report.document())
