"""`yesser lint FILE --agency CODE`: the registrar's validation without any service, for an agency's own tests.

Exit codes: 0 every line would be accepted, or is a duplicate · 1 some would be refused or conflict.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, cast

import click

from events.validation.verdicts import Agency
from events.values.fields import Role
from infra.command_line.exit_codes import ExitCode
from infra.command_line.language import print_localized
from infra.command_line.output import json_option, print_result
from infra.command_line.parameters import AgencyCode, mapping_option, role_option
from infra.command_line.usage import usage_errors
from infra.event_files.lint import Findings, LineProblem, lint, unlisted_sentences
from infra.event_files.ndjson import Line, read_lines
from infra.event_files.table_lines import mapped_lines
from infra.tables.mapping import read_mapping

_SHOWN_MAX: Final = 50


@click.command("lint")
@click.argument("file", type=click.File("rb"))
@click.option("--agency", required=True, type=AgencyCode(), metavar="CODE", help="The code of the sending agency.")
@role_option
@mapping_option
@json_option
@click.pass_context
def lint_command(
    context: click.Context, file: BinaryIO, agency: str, role: str, mapping: Path | None, as_json: bool
) -> None:
    """Validate every line of FILE (- for standard input) as the registrar will, and compare the lines' ids.

    Nothing is sent and no service needs to run. A line can still conflict with an id that is already in the log.
    Exit code 1: some lines would be refused or conflict.
    """
    with usage_errors():
        findings = lint(_lines(file, mapping), Agency(agency, cast(Role, role)))
    print_result(findings.document(), as_json, lambda: _print(findings))
    context.exit(ExitCode.ANSWER_IS_NO if findings.has_faults else ExitCode.OK)


def _lines(file: BinaryIO, mapping: Path | None) -> Iterator[Line]:
    if mapping is None:
        return read_lines(file)
    return mapped_lines(file, read_mapping(mapping))


def _print(findings: Findings) -> None:
    lines, accepted, duplicates = findings.lines, findings.accepted, len(findings.duplicate_lines)
    conflicts, refused = findings.conflicts, findings.refused
    print_localized(
        f"الأسطر {lines:,}: يُقبل منها {accepted:,}، والمكرر {duplicates:,}، والمتعارض {conflicts:,}،"
        f" ويُرفض {refused:,}.",
        f"{lines:,} lines: {accepted:,} would be accepted, {duplicates:,} are duplicates, {conflicts:,} conflict,"
        f" {refused:,} would be refused.",
    )
    for line, first in findings.duplicate_lines[:_SHOWN_MAX]:
        print_localized(f"  السطر {line} يكرر السطر {first}", f"  line {line} is a duplicate of line {first}")
    for row in findings.problems[:_SHOWN_MAX]:
        _print_problem(row)
    left = max(0, len(findings.problems) - _SHOWN_MAX) + max(0, len(findings.duplicate_lines) - _SHOWN_MAX)
    if left:
        print_localized(f"  … وغيرها {left:,}: استعمل ‎--json‎.", f"  … and {left:,} more: use --json.")
    if findings.unlisted:
        print_localized(*unlisted_sentences(findings.unlisted))


def _print_problem(row: LineProblem) -> None:
    other_ar, other = (
        (f" (والآخر في السطر {row['of_line']})", f" (the other is line {row['of_line']})")
        if "of_line" in row
        else ("", "")
    )
    line, code, pointer = row["line"], row["code"], row["pointer"]
    print_localized(
        f"  السطر {line}: {code} في {pointer or 'الحدث كله'}{other_ar}\n    {row['detail_ar']} {row['remedy']['ar']}",
        f"  line {line}: {code} at {pointer or 'the whole event'}{other}\n    {row['detail']} {row['remedy']['en']}",
    )
