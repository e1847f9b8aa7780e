"""`yesser registrar unpause CODE | unhalt CODE | acknowledge INDEX…`: decisions of an operator."""

from __future__ import annotations

import click
from msgspec import Struct

from consumers.registrar.topics.topic_admin import Halted, acknowledge, lift_halt, look_at, unpause_topic
from events.values.bilingual import Bilingual, in_lines
from infra.command_line.break_glass import break_glass_option
from infra.command_line.completion import agency_codes
from infra.command_line.database import with_database
from infra.command_line.exit_codes import ExitCode
from infra.command_line.language import print_localized
from infra.command_line.output import NOTHING_DONE, json_option, print_confirmation
from infra.keys.second_person import permitted
from infra.observability.logs import configure_logs
from infra.settings import Settings


class HaltReport(Struct, frozen=True, kw_only=True):
    """A halted topic, what lifting its halt does, and whether it was lifted. Ranges of offsets are [first, last]."""

    topic: str
    reason: str
    read_up_to: int
    end_offset: int | None
    is_restored: bool
    missing: list[int] | None
    to_be_sent_again: list[int] | None
    deleted_unread: list[int] | None
    lifted: bool


@click.group()
def registrar() -> None:
    """Resume reading where the registrar waits for an operator."""
    configure_logs("error", "registrar")


@registrar.command("unpause")
@click.argument("code", shell_complete=agency_codes)
@click.option("--timeout", "timeout_s", type=float, default=30.0, show_default=True, help="Seconds to wait.")
@json_option
def unpause(code: str, timeout_s: float, as_json: bool) -> None:
    """End the pause of an agency's topic, and read it without pauses up to its current end.

    Each invalid record up to there becomes a refusal in the log. Later records can pause the topic again.
    """
    settings = Settings().acting_as("operator")
    waiting = with_database(
        settings, "registrar tool", lambda connection: unpause_topic(connection, settings, code, timeout_s)
    )
    sentence = Bilingual("{}: تُقرأ كل السجلات الموجودة ({:,}).", "{}: reading {:,} records without pauses.")
    print_confirmation({"code": code, "records": waiting}, as_json, sentence.format(code, waiting))


@registrar.command("unhalt")
@click.argument("code", shell_complete=agency_codes)
@click.option("--yes", is_flag=True, help="Lift the halt; without this option, only show what would be done.")
@break_glass_option
@json_option
@click.pass_context
def unhalt(context: click.Context, code: str, yes: bool, break_glass: str | None, as_json: bool) -> None:
    """Show what lifting the halt of an agency's topic does; with --yes, lift it. Exit code 1: nothing was done.

    Needs two people, once there is a second administrator.
    """
    settings = Settings().acting_as("operator")
    halted = with_database(settings, "registrar tool", lambda connection: look_at(connection, settings, code))
    if not as_json:
        _show(halted)
    if yes:
        request = {"code": code, "reason": halted.reason, "read_up_to": halted.next_offset}
        permitted(settings, "registrar unhalt", request, break_glass)
        with_database(settings, "registrar tool", lambda connection: lift_halt(connection, settings, code, halted))
    lifted = Bilingual("رُفع التوقف.", "The halt is lifted.")
    print_confirmation(_document(halted, lifted=yes), as_json, lifted if yes else NOTHING_DONE)
    context.exit(ExitCode.OK if yes else ExitCode.ANSWER_IS_NO)


@registrar.command("acknowledge")
@click.argument("indexes", metavar="[INDEX]...", nargs=-1, type=click.IntRange(min=0))
@click.option("--all", "are_all", is_flag=True, help="All that were refused so far and are not acknowledged.")
@click.option("--note", required=True, help="The cause and the action taken, stored with each acknowledgement.")
@json_option
def acknowledge_(indexes: tuple[int, ...], are_all: bool, note: str, as_json: bool) -> None:
    """Acknowledge refused events of the platform, which ends their alarms."""
    if bool(indexes) == are_all:
        raise click.UsageError("Give the index of each refusal, or --all.")
    settings, chosen = Settings().acting_as("operator"), None if are_all else indexes
    acknowledged = with_database(settings, "registrar tool", lambda connection: acknowledge(connection, chosen, note))
    sentence = Bilingual("عدد حالات الرفض التي أُخذ العلم بها: {:,}.", "{:,} refusals are acknowledged.")
    print_confirmation({"indexes": acknowledged, "note": note}, as_json, sentence.format(len(acknowledged)))


def _document(found: Halted, *, lifted: bool) -> HaltReport:
    return HaltReport(
        topic=found.topic,
        reason=found.reason,
        read_up_to=found.next_offset,
        end_offset=found.end_offset,
        is_restored=found.is_restored,
        missing=_inclusive(found.missing),
        to_be_sent_again=_inclusive(found.unread),
        deleted_unread=_inclusive(found.deleted_unread),
        lifted=lifted,
    )


def _inclusive(offsets: range) -> list[int] | None:
    return [offsets.start, offsets.stop - 1] if offsets else None


def _show(found: Halted) -> None:
    print_localized(Bilingual("توقفت قراءة {}: {}", "{} halted: {}").format(found.topic, found.reason))
    print_localized(in_lines(found.sentences()))
