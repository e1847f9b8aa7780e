"""`yesser lint FILE --agency CODE`: the registrar's verdict without any service, for an agency's own tests.

Exit codes: 0 everything would be accepted, or is a duplicate · 1 something would be refused or conflicts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import click
import orjson

from events.fields import CODE_PATTERN, Role
from events.verdicts import Agency
from infra.exit_codes import ExitCode
from producers.csv_mapping import read_mapping
from producers.csv_rows import mapped_lines
from producers.lines import Line, read_lines
from producers.lint import Findings, lint

_SHOWN_MAX: Final = 50


@click.command("lint")
@click.argument("file", type=click.File("rb"))
@click.option("--agency", required=True, metavar="CODE", help="The agency that will speak.")
@click.option("--role", type=click.Choice(["office", "agency"]), default="agency", show_default=True, help="Its role.")
@click.option(
    "--mapping",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="FILE is CSV, and this TOML or JSON file says which column goes where.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def lint_command(
    context: click.Context, file: BinaryIO, agency: str, role: str, mapping: Path | None, as_json: bool
) -> None:
    """Say of every line of FILE (- for standard input) what the registrar will say, and compare the lines' ids.

    Nothing is sent and nothing needs to run. Only ids that the log knows already can still conflict later.
    """
    if not re.fullmatch(CODE_PATTERN.strip("^$"), agency):
        raise click.BadParameter("a code is a-z, then 1 to 30 of a-z, 0-9 and -", param_hint="--agency")
    findings = lint(_lines(file, mapping), Agency(agency, cast(Role, role)))
    if as_json:
        click.echo(orjson.dumps(findings.document()))
    else:
        _tell(findings)
    context.exit(ExitCode.SAID_NO if findings.has_faults else ExitCode.OK)


def _lines(file: BinaryIO, mapping: Path | None) -> Iterator[Line]:
    if mapping is None:
        return read_lines(file)
    if not file.seekable():
        raise click.BadParameter("a table is read twice: give a file, not a pipe", param_hint="FILE")
    return mapped_lines(file, read_mapping(mapping))


def _tell(findings: Findings) -> None:
    click.echo(
        f"{findings.lines:,} lines: {findings.accepted:,} would be accepted, {len(findings.duplicate_lines):,} are"
        f" duplicates, {findings.conflicts:,} conflict, {findings.refused:,} would be refused."
    )
    for line, first in findings.duplicate_lines[:_SHOWN_MAX]:
        click.echo(f"  line {line} says the same as line {first}  ·  السطر {line} يكرر السطر {first}")
    for row in findings.problems[:_SHOWN_MAX]:
        _tell_problem(row)
    left = max(0, len(findings.problems) - _SHOWN_MAX) + max(0, len(findings.duplicate_lines) - _SHOWN_MAX)
    if left:
        click.echo(f"  … and {left:,} more: use --json.")


def _tell_problem(row: dict[str, Any]) -> None:
    of_line = f" (the other is line {row['of_line']})" if "of_line" in row else ""
    click.echo(f"  line {row['line']}: {row['code']} at {row['pointer'] or 'the whole'}{of_line}")
    click.echo(f"    {row['detail']} {row['remedy']['en']}")
    click.echo(f"    {row['detail_ar']} {row['remedy']['ar']}")
