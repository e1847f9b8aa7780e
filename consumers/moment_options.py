"""`--as-of-index`, `--as-of-recorded` and `--as-of-occurred`: how a command is asked for a state of the past."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import click

from consumers.moments import Moment

Command = TypeVar("Command", bound=Callable[..., Any])


def recorded_option(context: click.Context, option: click.Parameter, value: str | None) -> datetime | None:
    """An RFC 3339 time with offset."""
    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(value.upper())
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise click.BadParameter(f"{value!r} is no time with offset: write it as 2026-11-25T08:00:00Z or …+03:00.")
    return instant.astimezone(UTC)


def occurred_option(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """A Gregorian date, `YYYY-MM-DD`."""
    if value is None:
        return None
    try:
        on = date.fromisoformat(value).isoformat()
    except ValueError:
        on = ""
    if on != value:
        raise click.BadParameter(f"{value!r} is no date of the Gregorian calendar: write it as 2026-11-25.")
    return on


def moment_options(command: Command) -> Command:
    """`--as-of-index`, `--as-of-recorded`, `--as-of-occurred`; the command passes them on to `chosen`."""
    options = (
        click.option("--as-of-index", type=click.IntRange(min=0), metavar="N", help="As it stood after N entries."),
        click.option(
            "--as-of-recorded",
            metavar="TIME",
            callback=recorded_option,
            help="As the log stood at TIME, like 2026-11-25T08:00:00+03:00.",
        ),
        click.option(
            "--as-of-occurred",
            metavar="DATE",
            callback=occurred_option,
            help="Only what had occurred by DATE, like 2026-11-25, whenever it was recorded.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def chosen(as_of_index: int | None, as_of_recorded: datetime | None, as_of_occurred: str | None) -> Moment:
    """The moment that the options name."""
    if sum(option is not None for option in (as_of_index, as_of_recorded, as_of_occurred)) > 1:
        raise click.UsageError("Give only one of --as-of-index, --as-of-recorded and --as-of-occurred.")
    return Moment(as_of_index, as_of_recorded, as_of_occurred)
