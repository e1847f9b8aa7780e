"""Parameter types of several commands. Each error names the wrong value and its format. A wrong input file is a usage
error, with exit code 2.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from click.shell_completion import CompletionItem

from events.values.fields import CODE_PATTERN
from events.values.periods import period_error
from infra.command_line.completion import agency_codes
from infra.errors import WrongInput

Command = TypeVar("Command", bound=Callable[..., Any])


def gathered(name: str, make: Callable[..., object], *options: Callable[..., Any]) -> Callable[[Command], Command]:
    """Give a command these options as one parameter `name`, which `make` makes of those that its own are called."""
    own = inspect.signature(make).parameters

    def decorate(command: Command) -> Command:
        @wraps(command)
        def with_gathered(*arguments: Any, **given: Any) -> Any:
            made = make(**{parameter: given.pop(parameter) for parameter in own if parameter in given})
            return command(*arguments, **{name: made}, **given)

        decorated: Any = with_gathered
        for option in reversed(options):
            decorated = option(decorated)
        return decorated  # type: ignore[no-any-return]

    return decorate


class AgencyCode(click.ParamType[str]):
    """The code of an agency: its format is checked, not whether it is registered. Completes registered codes."""

    name = "code"

    def convert(self, value: str, parameter: click.Parameter | None, context: click.Context | None) -> str:
        if not re.fullmatch(CODE_PATTERN.strip("^$"), value):
            rule = "write a letter a-z, then 1 to 30 of a-z, 0-9 and -, such as health"
            raise click.BadParameter(f"{value!r} is not an agency code: {rule}.", context, parameter)
        return value

    def shell_complete(
        self, context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return agency_codes(context, parameter, incomplete)


class PeriodLabel(click.ParamType[str]):
    """A contract's period in its form (1426-03, 2005-Q1); whether the contract has it is not looked at."""

    name = "period"

    def convert(self, value: str, parameter: click.Parameter | None, context: click.Context | None) -> str:
        if (fault := period_error(value)) is not None:
            raise click.BadParameter(f"{fault}.", context, parameter)
        return value


class OutputFile(click.Path):
    """A file that the command will write. What would prevent it is wrong use, before anything is done."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, path_type=Path)

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        super().convert(value, param, ctx)
        path = Path(value)
        folder = path.absolute().parent
        if not folder.is_dir():
            self.fail(f"the folder {folder} does not exist: create it, or name another file", param, ctx)
        if not os.access(folder, os.W_OK | os.X_OK):
            self.fail(f"you may not write to the folder {folder}: name a file in another one", param, ctx)
        if path.exists() and not path.is_file():
            self.fail(f"{path} is not a regular file: name another one", param, ctx)
        return path


def date_option(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """A callback: a Gregorian date, `YYYY-MM-DD`."""
    if value is None:
        return None
    try:
        on = date.fromisoformat(value).isoformat()
    except ValueError:
        on = ""
    if on != value:
        raise click.BadParameter(f"{value!r} is not a Gregorian date: write it as 2026-11-25.")
    return on


role_option: Final = click.option(
    "--role", type=click.Choice(["office", "agency"]), default="agency", show_default=True, help="Its role."
)
mapping_option: Final = click.option(
    "--mapping",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="FILE is a table (CSV, XLSX); this TOML or JSON file maps its columns.",
)
index_option: Final = click.option(
    "--as-of-index", type=click.IntRange(min=0), metavar="N", help="State after the first N entries."
)


def time_option(context: click.Context, option: click.Parameter, value: str | None) -> datetime | None:
    """A callback: an RFC 3339 time with offset."""
    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(value.upper())
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):  # the second: in UTC it is in no year from 1 to 9999
        pass
    raise click.BadParameter(f"{value!r} is not a time with offset: write it as 2026-11-25T08:00:00Z or …+03:00.")


@contextmanager
def usage_errors() -> Iterator[None]:
    """Within the block, `WrongInput` becomes a usage error."""
    try:
        yield
    except WrongInput as error:
        raise click.UsageError(str(error)) from error
