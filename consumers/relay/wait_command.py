"""`yesser wait [--index N] [--timeout S]`.

Exit codes: 0 reached · 1 it cannot be reached (something halted) · 75 not within the timeout.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import click
import uvloop
from aiokafka.errors import KafkaError

from consumers.models.registry import CONSUMERS
from consumers.relay.wait import PipelineStatus, read_status
from events.errors import Halt
from events.values.bilingual import Bilingual
from infra.command_line.exit_codes import ExitCode
from infra.command_line.output import json_option, print_confirmation
from infra.errors import WaitTimedOut
from infra.kafka.client_config import bootstrap
from infra.kafka.end_offsets import end_offsets_reader
from infra.observability.logs import configure_logs
from infra.process.retry import PatientConnection
from infra.settings import Settings

_KAFKA_ANSWER_S: Final = 10.0
STOPPED_MAX_S: Final = 10.0
"""A process that halted tries again every two seconds: what is still halted after this long needs an operator."""


class CannotBeReached(Halt):
    """The wait cannot end until this is repaired."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(f"{self.__doc__} {'; '.join(reasons)}")


class Standstill:
    """Raises `CannotBeReached` for reasons that stand for `STOPPED_MAX_S`. Pure: the time comes in by argument."""

    def __init__(self) -> None:
        self._since: float | None = None

    def look(self, reasons: Sequence[str], now: float) -> None:
        if not reasons:
            self._since = None
        elif self._since is None:
            self._since = now
        elif now - self._since > STOPPED_MAX_S:
            raise CannotBeReached(reasons)


@click.command("wait")
@click.option("--index", type=click.IntRange(min=0), help="Wait only until every consumer has applied this entry.")
@click.option("--timeout", "timeout_s", type=float, help="Longest wait in seconds (default: none).")
@json_option
@click.pass_context
def wait(context: click.Context, index: int | None, timeout_s: float | None, as_json: bool) -> None:
    """Wait until everything published has been read, registered, signed and applied, and nothing more follows from it.

    While the log is not signed, or a topic or a process is halted, this does not end well: the message names the cause.
    With --index N: until every consumer has applied entry N (its position is above N). Exit code 1: an operator must
    act first; 75: not within the timeout.
    """
    settings = Settings()
    configure_logs("error", "wait")
    bootstrap(settings)
    try:
        status = uvloop.run(_wait(settings, index, timeout_s))
    except WaitTimedOut as error:
        click.echo(f"yesser: not within {timeout_s:g} s: {error}", err=True)
        context.exit(ExitCode.TRY_AGAIN)
    if index is None:
        words = Bilingual("طُبّقت كل القيود وعددها {:,}.", "All {:,} log entries are applied.").format(status.size)
    else:
        words = Bilingual("طُبّق القيد {:,}.", "Log entry {:,} is applied.").format(index)
    print_confirmation({"size": status.size, "positions": dict(status.positions)}, as_json, words)


async def _wait(settings: Settings, index: int | None, timeout_s: float | None) -> PipelineStatus:
    pending, standstill = ["PostgreSQL has not responded yet"], Standstill()
    async with PatientConnection(settings, "wait", timeout_s) as database:
        while True:
            try:
                status = await database.ask(lambda connection: read_status(connection, CONSUMERS))
                if status.halted:
                    raise CannotBeReached(status.halted)
                if index is not None:
                    pending = [] if status.applied(index) else [f"entry {index} is not applied everywhere"]
                else:
                    pending = status.pending() or await _unread(settings, status)
                if index is None or pending:
                    standing = status.standing(pending)
                    standstill.look(standing, time.monotonic())
                    pending += standing
                if index is None and not pending:
                    pending = status.not_signed()
                if not pending:
                    return status
                await database.pause()
            except WaitTimedOut as error:
                raise WaitTimedOut("; ".join(pending)) from error


async def _unread(settings: Settings, status: PipelineStatus) -> list[str]:
    try:
        async with asyncio.timeout(_KAFKA_ANSWER_S), end_offsets_reader(settings) as end_offsets:
            return status.unread(await end_offsets(sorted(status.next_offsets)))
    except (KafkaError, TimeoutError):
        return ["Kafka does not answer"]
