"""`yesser registrar unpause CODE | unhalt CODE | acknowledge INDEX`: what only a person may decide."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import click
import orjson
import uvloop

from consumers.registrar.topic_admin import Halted, acknowledge, lift_halt, look_at, unpause_topic
from infra.command_line.completion import agency_codes
from infra.command_line.exit_codes import ExitCode
from infra.command_line.language import say
from infra.observability.logs import configure_logs
from infra.postgres.connection import Connection, connect
from infra.settings import Settings

Answer = TypeVar("Answer")


@click.group()
def registrar() -> None:
    """Let the registrar go on where it waits for a person."""


@registrar.command("unpause")
@click.argument("code", shell_complete=agency_codes)
@click.option("--timeout", "timeout_s", type=float, default=30.0, show_default=True, help="Seconds to wait.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def unpause(code: str, timeout_s: float, as_json: bool) -> None:
    """Read an agency's paused topic at full speed up to where it ends now, whatever stands there.

    Each bad record there becomes a refusal in the log. What is written later may pause the topic again.
    """
    settings = Settings()
    waiting = _run(settings, lambda connection: unpause_topic(connection, settings, code, timeout_s))
    if as_json:
        click.echo(orjson.dumps({"code": code, "records": waiting}))
    else:
        say(f"{code}: تُقرأ كل السجلات الموجودة ({waiting:,}).", f"{code}: {waiting:,} records are let through.")


@registrar.command("unhalt")
@click.argument("code", shell_complete=agency_codes)
@click.option("--yes", is_flag=True, help="Do it; without this option it is only said what would be done.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def unhalt(context: click.Context, code: str, yes: bool, as_json: bool) -> None:
    """Read an agency's halted topic again, and say first what that means. Exit code 1: nothing was done."""
    settings = Settings()
    found = _run(settings, lambda connection: look_at(connection, settings, code))
    if not as_json:
        _show(found)
    if yes:
        _run(settings, lambda connection: lift_halt(connection, settings, code, found))
    if as_json:
        click.echo(orjson.dumps({**found.document(), "lifted": yes}))
    elif yes:
        say("رُفع التوقف.", "The halt is lifted.")
    else:
        say("لم يُفعل شيء: أضف ‎--yes‎.", "Nothing was done: add --yes.")
    context.exit(ExitCode.OK if yes else ExitCode.ANSWER_IS_NO)


@registrar.command("acknowledge")
@click.argument("index", type=click.IntRange(min=0))
@click.option("--note", required=True, help="What was the cause, and what was done; kept with it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def acknowledge_(index: int, note: str, as_json: bool) -> None:
    """Take note of a refused event of the platform itself, which ends its alarm."""
    settings = Settings()
    _run(settings, lambda connection: acknowledge(connection, index, note))
    if as_json:
        click.echo(orjson.dumps({"index": index, "note": note}))
    else:
        say(f"أُخذ العلم بالرفض في القيد {index}.", f"The refusal at log entry {index} is acknowledged.")


def _show(found: Halted) -> None:
    say(f"توقفت قراءة {found.topic}: {found.reason}", f"{found.topic} halted: {found.reason}")
    words = found.words()
    say("\n".join(words["ar"]), "\n".join(words["en"]))


def _run(settings: Settings, work: Callable[[Connection], Awaitable[Answer]]) -> Answer:
    async def run() -> Answer:
        connection = await connect(settings, "registrar tool")
        try:
            return await work(connection)
        finally:
            await connection.close()

    configure_logs("error", "registrar")
    return uvloop.run(run())
