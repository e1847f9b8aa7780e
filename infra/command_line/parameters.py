"""Kinds of values that several commands take: each names the wrong value and how it is written."""

from __future__ import annotations

import re

import click
from click.shell_completion import CompletionItem

from events.values.fields import CODE_PATTERN
from events.values.periods import why_no_period
from infra.command_line.completion import agency_codes


class AgencyCode(click.ParamType[str]):
    """The code of an agency, in its form; whether it is registered is not looked at. Completed from those that are."""

    name = "code"

    def convert(self, value: str, parameter: click.Parameter | None, context: click.Context | None) -> str:
        if not re.fullmatch(CODE_PATTERN.strip("^$"), value):
            rule = "write a letter a-z, then 1 to 30 of a-z, 0-9 and -, such as health"
            raise click.BadParameter(f"{value!r} is no agency code: {rule}.", context, parameter)
        return value

    def shell_complete(
        self, context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return agency_codes(context, parameter, incomplete)


class PeriodLabel(click.ParamType[str]):
    """A contract's period in its form (1426-03, 2005-Q1); whether the contract has it is not looked at."""

    name = "period"

    def convert(self, value: str, parameter: click.Parameter | None, context: click.Context | None) -> str:
        if (fault := why_no_period(value)) is not None:
            raise click.BadParameter(f"{fault}.", context, parameter)
        return value
