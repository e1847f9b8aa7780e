"""What the commands of this room share: their arguments, and how they run a change or a question."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import click

from consumers.delivery.teams.changes import Desk
from consumers.delivery.teams.inputs import ENDPOINT_PATTERN, Input, InvalidInput, validated
from infra.command_line.database import with_database
from infra.command_line.parameters import AgencyCode
from infra.postgres.connection import Connection
from infra.settings import Settings

Answer = TypeVar("Answer")

agency_argument: Final = click.argument("agency", type=AgencyCode())
team_argument: Final = click.argument("team")
_INDEX_DIGITS_MAX: Final = 18


class EndpointId(click.ParamType[str]):
    """A webhook's id, as `yesser webhooks add` showed it."""

    name = "endpoint"

    def convert(self, value: str, parameter: click.Parameter | None, context: click.Context | None) -> str:
        if not re.fullmatch(ENDPOINT_PATTERN.strip("^$"), value):
            raise click.BadParameter(
                f"{value!r} is not a webhook's id: it begins with ep_, as it was shown when the webhook was added.",
                context,
                parameter,
            )
        return value


class Beginning(click.ParamType[dict[str, int | str]]):
    """The index of an entry, or a date; as a member of the document of a subscription."""

    name = "beginning"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        if value.isdecimal() and len(value) <= _INDEX_DIGITS_MAX:
            return {"from_index": int(value)}
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            return {"from_date": value}
        raise click.BadParameter(f"{value!r} is neither an index nor a date such as 2026-11-01.", context, parameter)


@contextmanager
def usage_errors() -> Iterator[None]:
    """Faults of the arguments as `click.UsageError`: nothing was done."""
    try:
        yield
    except InvalidInput as error:
        raise click.UsageError(_with_options(str(error))) from None


def _with_options(sentence: str) -> str:
    """The sentence with the command's options, such as --by-day, where it names members of the document (by_day)."""
    for parameter in click.get_current_context().command.params:
        if "_" in (parameter.name or ""):
            sentence = re.sub(rf"\b{parameter.name}\b", parameter.opts[0], sentence)
    return sentence


def asked(model: type[Input], **arguments: object) -> Input:
    """The arguments of a command as a model. Raises `click.UsageError`."""
    with usage_errors():
        return validated(model, arguments)


def change(work: Callable[[Desk], Awaitable[Answer]]) -> Answer:
    """What `work` returns, as the administrator. Raises `click.UsageError`."""
    with usage_errors():
        settings = Settings().acting_as("administrator")
        return with_database(settings, "teams", lambda connection: work(Desk(connection, settings)))


def query(work: Callable[[Connection], Awaitable[Answer]]) -> Answer:
    """What `work` returns, as the reader. Raises `click.UsageError`."""
    with usage_errors():
        return with_database(Settings(), "teams", work)
