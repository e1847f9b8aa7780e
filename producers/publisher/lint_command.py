"""`yesser lint FILE --agency CODE`: the registrar's validation without any service, for an agency's own tests.

Exit codes: 0 every line would be accepted, or is a duplicate · 1 some would be refused or conflict.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

import click

from events.validation.verdicts import Agency, first_day_ahead
from events.values.bilingual import Bilingual
from events.values.fields import Role
from infra.command_line.exit_codes import ExitCode
from infra.command_line.language import print_localized
from infra.command_line.output import json_option, print_result
from infra.command_line.parameters import AgencyCode, mapping_option, role_option, usage_errors
from infra.event_files.lint import MORE, SHOWN_MAX, Findings, ahead_sentences, line_sentence, lint, unlisted_sentence
from infra.event_files.ndjson import Line, read_lines, read_opening
from infra.event_files.table_lines import mapped_lines
from infra.tables.mapping import MappingDocument, read_mapping


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
        table = None if mapping is None else read_mapping(mapping)
        first_day = first_day_ahead(datetime.now(UTC))
        findings = lint(_lines(file, table), Agency(agency, cast(Role, role)), first_day, mapping=table)
    print_result(findings.document(), as_json, lambda: print_localized(*_sentences(findings)))
    context.exit(ExitCode.ANSWER_IS_NO if findings.has_faults else ExitCode.OK)


def _lines(file: BinaryIO, mapping: MappingDocument | None) -> Iterator[Line]:
    """Raises `WrongInput` where `publish` takes no file."""
    if mapping is not None:
        return mapped_lines(file, mapping)
    opening = read_opening(file)
    opening.require_events(getattr(file, "name", "<stdin>"))
    return chain(opening.lines, read_lines(file, opening.splitter))


def _sentences(findings: Findings) -> Iterator[Bilingual]:
    yield Bilingual(
        "الأسطر {lines:,}: يُقبل منها {accepted:,}، والمكرر {duplicates:,}، والمتعارض {conflicts:,}، ويُرفض {refused:,}.",
        "{lines:,} lines: {accepted:,} would be accepted, {duplicates:,} are duplicates, {conflicts:,} conflict,"
        " {refused:,} would be refused.",
    ).format(
        lines=findings.lines,
        accepted=findings.accepted,
        duplicates=len(findings.duplicate_lines),
        conflicts=findings.conflicts,
        refused=findings.refused,
    )
    for line, first in findings.duplicate_lines[:SHOWN_MAX]:
        yield Bilingual("  السطر {} يكرر السطر {}", "  line {} is a duplicate of line {}").format(line, first)
    for row in findings.problems[:SHOWN_MAX]:
        places = (row.get("column"), row.get("of_line"))
        yield line_sentence(row["line"], row["code"], row["pointer"], row["detail"], *places)
    left = max(0, len(findings.problems) - SHOWN_MAX) + max(0, len(findings.duplicate_lines) - SHOWN_MAX)
    if left:
        yield MORE.format(left)
    if findings.unlisted:
        yield unlisted_sentence(findings.unlisted)
    yield from ahead_sentences(findings.ahead)
