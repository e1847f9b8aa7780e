"""`yesser up`, `yesser down`, `yesser status`: the stack from the command line."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Literal

import click

from events.values.bilingual import Bilingual
from infra.command_line.exit_codes import ExitCode
from infra.command_line.language import print_localized
from infra.command_line.output import json_option, print_confirmation, print_json, print_result
from infra.data_dir import DataDir
from infra.embedded.plan import Wanted
from infra.embedded.processes.signals import NAMES, usual_parts
from infra.embedded.stack import start_stack, stop_stack
from infra.embedded.status import StackStatus, read_answers, read_leases, read_second_person, stack_status
from infra.embedded.supervisor import Supervisor, prepare_database, prepare_kafka, register_first_agencies
from infra.errors import StackError
from infra.observability.logs import configure_logs
from infra.process.tasks import until_one_ends, watch_tasks
from infra.settings import Settings

STOPPED: Final = Bilingual("توقفت.", "Stopped.")
NOTHING_RAN: Final = Bilingual("لم يكن شيء يعمل.", "Nothing was running.")


@click.command("up", short_help="Start Kafka, PostgreSQL and the platform's processes.")
@click.option("--detach", is_flag=True, help="Return when everything is ready; the stack runs in the background.")
@click.option("--only", metavar="PART,…", help=f"Start only these parts: {', '.join(NAMES)}.")
@click.option("--replicas", metavar="NAME=COUNT", multiple=True, help="Run standbys, such as registrar=2.")
@click.option("--brokers", type=click.Choice(["1", "3"]), help="Brokers of Kafka (those of the home, else 1).")
@click.option("--tls", is_flag=True, help="TLS for the gateway and agencies, with a private authority in tls/.")
@click.option("--unprepared", is_flag=True, hidden=True, help="Do not create tables, topics and rights.")
@click.option("--while-pid", type=int, hidden=True, help="Stop when this process has ended.")
@json_option
def up(detach: bool, as_json: bool, **options: Any) -> None:
    """Start the stack of YESSER_HOME and run it until ctrl-C.

    Services of YESSER_KAFKA or YESSER_POSTGRES are used, not started. Data stays between runs. On up to four cores one
    process runs all consumers; with --only or --replicas and the name of a consumer, each has its own.

    With --brokers 3 every topic has three copies, and Kafka goes on without one broker. A home of one broker is changed
    to three, and stays so.

    With --tls the gateway answers HTTPS, and Kafka has a port for agencies with a password and one with a client
    certificate. Clients need the file tls/ca.pem of YESSER_HOME.
    """
    settings = Settings()
    wanted = parse_wanted(settings, **options)
    if detach:
        start_stack(settings, wanted, progress=lambda sentence: click.echo(sentence, err=True))
        found = stack_status(settings)
        _show(found, as_json)
        if not found.ready:
            raise SystemExit(ExitCode.ANSWER_IS_NO)
        return
    configure_logs(settings.log_level, "supervisor")
    asyncio.run(_run(settings, wanted, as_json))


@click.command("prepare", short_help="Create tables, topics and rights on given services.")
@json_option
def prepare(as_json: bool) -> None:
    """Prepare PostgreSQL and Kafka for this version: roles and users, tables, topics, rights, and the log's first two
    entries (the platform and the programme office), which are put into the outbox. Repeating it changes nothing.

    `yesser up` does this automatically. For your own services, run it once per version where the secrets of the
    superuser and of all principals are. Without the superuser's password for PostgreSQL, the roles must exist
    (`yesser migrate --print-roles`); without that for Kafka, set YESSER_KAFKA_USER and YESSER_KAFKA_PASSWORD.
    """
    settings = Settings()
    asyncio.run(_prepare(settings))
    sentence = Bilingual("الجداول والموضوعات والصلاحيات جاهزة.", "Tables, topics and rights are ready.")
    print_confirmation({"prepared": True}, as_json, sentence)


async def _prepare(settings: Settings) -> None:
    DataDir.at(settings.home).create()
    await prepare_database(settings)
    await prepare_kafka(settings)
    await register_first_agencies(settings)


@click.command("down", short_help="Stop the stack; its data stays.")
@json_option
def down(as_json: bool) -> None:
    """Stop the stack of YESSER_HOME, and any process that a killed supervisor left running. Data stays."""
    settings = Settings()
    stopped = stop_stack(settings)
    document = {"home": str(DataDir.at(settings.home).root), "stopped": stopped}
    print_confirmation(document, as_json, STOPPED if stopped else NOTHING_RAN)


@click.command("status", short_help="What runs, and whether it is ready.")
@click.option("--targets", is_flag=True, help="Print the processes' metrics as Prometheus's file_sd_configs read them.")
@json_option
def status(targets: bool, as_json: bool) -> None:
    """Show every part of the stack of YESSER_HOME. Exit code 1 if the stack is not ready.

    Where YESSER_KAFKA and YESSER_POSTGRES are set and no stack was started here, as in a container: the processes that
    have leases in the database, with their machines. Each is active, halted (at moments active, while it tries again),
    or absent.
    """
    settings = Settings()
    found = stack_status(settings)
    if targets:
        print_json(found.targets(), indented=True)
        return
    if found.is_unknown:
        found = found.with_leases(*asyncio.run(read_leases(settings)))
    else:
        found = found.with_answers(asyncio.run(read_answers(found)))
    _show(replace(found, second_person=asyncio.run(read_second_person(settings))), as_json)
    if not found.ready:
        raise SystemExit(ExitCode.ANSWER_IS_NO)


def parse_wanted(
    settings: Settings,
    only: str | None,
    replicas: Sequence[str],
    *,
    brokers: Literal["1", "3"] | None = None,
    tls: bool = False,
    unprepared: bool = False,
    while_pid: int | None = None,
) -> Wanted:
    """The requested parts. Raises StackError for an unknown part or an invalid count."""
    counts = {}
    for text in replicas:
        name, _, count = text.partition("=")
        if not count.isdecimal() or not 1 <= int(count) <= 9:
            raise StackError(f"--replicas {text} is not NAME=COUNT with a count from 1 to 9, such as registrar=2.")
        counts[name] = int(count)
    usual = usual_parts(named=counts) | ({"backup"} if settings.backup else set())
    parts = frozenset(part.strip() for part in only.split(",")) if only else usual
    if brokers is not None and settings.kafka is not None:
        raise StackError("--brokers is for the Kafka that `yesser up` starts; YESSER_KAFKA names another one.")
    return Wanted(parts, counts, not unprepared, while_pid, tls, brokers)


async def _run(settings: Settings, wanted: Wanted, as_json: bool) -> None:
    """Run in the foreground until SIGTERM or ctrl-C, which also interrupt the start."""
    failed = watch_tasks()
    work = asyncio.create_task(_supervise(settings, wanted, as_json, failed))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # Once: a second signal would interrupt stopping and leave services running.
        loop.add_signal_handler(number, lambda: work.cancelling() or work.cancel())
    try:
        await work
    except asyncio.CancelledError:
        print_localized(STOPPED)


async def _supervise(settings: Settings, wanted: Wanted, as_json: bool, failed: asyncio.Future[None]) -> None:
    supervisor = Supervisor(settings, wanted, progress=lambda sentence: click.echo(sentence))
    async with supervisor.running():
        found = await asyncio.to_thread(stack_status, supervisor.settings)
        _show(found, as_json)
        if not as_json:
            state = (
                Bilingual("كل شيء جاهز", "Ready") if found.ready else Bilingual("لم يجهز كل شيء", "Not all is ready")
            )
            ending = Bilingual("{}. أوقفه بـ ctrl-C أو `yesser down`.", "{}. Stop with ctrl-C or `yesser down`.")
            print_localized(ending.format(state))
        await until_one_ends(supervisor.until_needless(), failed)


def _show(found: StackStatus, as_json: bool) -> None:
    from infra.embedded.status_table import print_status

    print_result(found, as_json, lambda: print_status(found))
