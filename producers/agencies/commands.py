"""`yesser agencies add CODE …`, `list`, `rotate CODE`, `suspend CODE`, `resume CODE`.

`yesser agencies certificate` writes an agency's client certificate, of the private authority of `yesser up --tls`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
import uvloop

from events.values.bilingual import Bilingual
from infra.command_line.break_glass import break_glass_option
from infra.command_line.completion import agency_codes
from infra.command_line.database import with_database
from infra.command_line.display import Column, Grid, show
from infra.command_line.language import localized, print_localized
from infra.command_line.output import json_option, print_confirmation, print_json, print_result
from infra.command_line.parameters import AgencyCode, OutputFile, gathered
from infra.data_dir import DataDir
from infra.kafka.client_config import agency_topic
from infra.kafka.rights import agency_user
from infra.keys.second_person import ask, permitted
from infra.postgres.connection import TRANSIENT_ERRORS, Connection, NoDatabase, NoPassword
from infra.postgres.sql import queries
from infra.settings import Settings
from producers.agencies.credentials import Credential, Output, hand_over, output_options
from producers.agencies.lifecycle import refuse_platform, require_agency, resume, rotate, suspend
from producers.agencies.register import AgencyRow, NewAgency, add_agencies, is_new, list_agencies, prepare

ROLES: Final = {
    "office": Bilingual("مكتب البرنامج", "office"),
    "agency": Bilingual("جهة", "agency"),
    "platform": Bilingual("المنصة", "platform"),
}
NO_REASON: Final = {"ar": "لم يُذكر سبب.", "en": "No reason was given."}
STATUSES: Final = {"suspended": Bilingual("موقوفة", "suspended"), "active": Bilingual("تعمل", "active")}


@click.group()
def agencies() -> None:
    """Register, list, rotate, suspend and resume agencies."""


@agencies.command("add")
@click.argument("code", type=AgencyCode())
@click.option("--role", type=click.Choice(["office", "agency"]), required=True, help="Which events it may send.")
@click.option("--name-ar", required=True, help="Its name in Arabic.")
@click.option("--name-en", required=True, help="Its name in English.")
@click.option("--timeout", "timeout_s", type=float, default=60.0, show_default=True, help="Seconds to wait.")
@output_options
@break_glass_option
@json_option
def add(
    code: str,
    role: str,
    name_ar: str,
    name_en: str,
    timeout_s: float,
    output: Output,
    break_glass: str | None,
    as_json: bool,
) -> None:
    """Register an agency: its topic, its Kafka user, its log entry. Returns when the registrar reads its topic.

    The Kafka password is shown once. Repeating the command completes what is missing and changes nothing else; for
    another password see `yesser agencies rotate`. The role office needs two people, once there is a second
    administrator.
    """
    settings = Settings().acting_as("administrator")
    agency = NewAgency(code, role, name_ar, name_en)

    async def register(connection: Connection) -> tuple[bool, str | None]:
        if role == "office" and await is_new(connection, code):
            request = {"code": code, "role": role, "name": agency.name}
            await (await ask(connection, settings, "agencies add", request, break_glass)).use(connection)
        new = bool(await add_agencies(connection, settings, [agency], _now, timeout_s))
        return new, await rotate(connection, settings, code) if new else None

    new, secret = with_database(settings, "agencies", register)
    document = Credential(code=code, role=role, name=agency.name, new=new, kafka_user=agency_user(code))
    if as_json:
        if secret is None:
            print_json(document)
        else:
            hand_over(settings, code, secret, output, document)
        return
    state = Bilingual("سُجّلت", "registered") if new else Bilingual("مسجّلة من قبل", "already registered")
    sentence = Bilingual("{}: {}، وموضوعها يُقرأ.", "{}: {}; its topic is being read.").format(code, state)
    print_localized(sentence, err=bool(output.form))
    if secret is not None:
        hand_over(settings, code, secret, output, None)


@agencies.command("genesis", hidden=True)
def genesis() -> None:
    """Register the platform and the programme office. `yesser up` does this automatically."""
    uvloop.run(prepare(Settings()))


@agencies.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the agencies in the order of their registration."""
    rows = with_database(Settings(), "agencies", list_agencies)
    print_result(rows, as_json, lambda: show(agencies_table(rows)))


def agencies_table(rows: Sequence[AgencyRow]) -> Grid:
    columns = [
        Column("الجهة", "Agency", wraps=True),
        Column("الدور", "Role", drop=1),
        Column("قُرئ", "Read up to", drop=2, right=True),
        Column("القراءة", "Topic", wraps=True),
    ]
    cells = [
        [
            f"{localized(Bilingual(**row.name), chr(10))}\n{row.code}",
            localized(ROLES[row.role]),
            f"{row.next_offset:,}",
            _reading(row),
        ]
        for row in rows
    ]
    return Grid(Bilingual("الجهات", "Agencies"), columns, cells)


def _reading(row: AgencyRow) -> str:
    """Whether the agency's topic is read, paused or halted, and why."""
    if row.halted_reason is not None:
        return localized(Bilingual("توقفت: {}", "halted: {}").format(row.halted_reason), "\n")
    if row.paused is not None:
        reason, until = row.paused["reason"], row.paused["until"]
        return localized(Bilingual("بطيئة حتى {}: {}", "paused until {}: {}").format(until, Bilingual(**reason)), "\n")
    return localized(Bilingual("يُقرأ", "read")) if row.is_read else localized(Bilingual("لم يُقرأ بعد", "not read yet"))


@agencies.command("rotate")
@click.argument("code", shell_complete=agency_codes)
@output_options
@break_glass_option
@json_option
def rotate_(code: str, output: Output, break_glass: str | None, as_json: bool) -> None:
    """Give the agency a new Kafka password, which is shown once; the old one is refused from now on.

    To replace a token, run `yesser tokens create`, then `revoke`. Needs two people, once there is a second
    administrator.
    """
    settings = Settings().acting_as("administrator")

    async def rotated(connection: Connection) -> str:
        await require_agency(connection, code)
        await (await ask(connection, settings, "agencies rotate", {"code": code}, break_glass)).use(connection)
        return await rotate(connection, settings, code)

    secret = with_database(settings, "agencies", rotated)
    document = Credential(code=code, topic=agency_topic(code), kafka_user=agency_user(code))
    hand_over(settings, code, secret, output, document if as_json else None)


def _reason(reason_ar: str | None, reason_en: str | None, reason: str | None) -> dict[str, str] | None:
    """The reason in both languages, None if none is given. Raises `UsageError` if one language is missing."""
    ar, en = reason_ar or reason, reason_en or reason
    if ar is None and en is None:
        return None
    if ar is None or en is None:
        raise click.UsageError("Give the reason in both languages: --reason-ar and --reason-en, or --reason for both.")
    return {"ar": ar, "en": en}


_with_reason: Final = gathered(
    "why",
    _reason,
    click.option("--reason-ar", help="The reason in Arabic, published in the log."),
    click.option("--reason-en", help="The reason in English, published in the log."),
    click.option("--reason", help="One text for both languages."),
)


@agencies.command("suspend")
@click.argument("code", shell_complete=agency_codes)
@_with_reason
@break_glass_option
@json_option
def suspend_(code: str, why: dict[str, str] | None, break_glass: str | None, as_json: bool) -> None:
    """Suspend the agency: the gateway refuses its tokens, Kafka its writes, and the log records it with the reason.

    Needs two people, once there is a second administrator.
    """
    settings = Settings().acting_as("administrator")
    if why is None:
        raise click.UsageError("Give the reason: --reason-ar and --reason-en, or --reason for both languages.")
    with_database(settings, "agencies", lambda connection: suspend(connection, settings, code, why, _now, break_glass))
    _print_status(code, "suspended", as_json)


@agencies.command("resume")
@click.argument("code", shell_complete=agency_codes)
@_with_reason
@click.option("--timeout", "timeout_s", type=float, default=30.0, show_default=True, help="Seconds to wait.")
@json_option
def resume_(code: str, why: dict[str, str] | None, timeout_s: float, as_json: bool) -> None:
    """End an agency's suspension. Returns when the log has recorded it."""
    settings, said = Settings().acting_as("administrator"), why or NO_REASON
    with_database(settings, "agencies", lambda connection: resume(connection, settings, code, said, _now, timeout_s))
    _print_status(code, "active", as_json)


def _now() -> datetime:
    return datetime.now(UTC)


def _print_status(code: str, status: str, as_json: bool) -> None:
    sentence = Bilingual("{}: {}.", "{}: {}.").format(code, STATUSES[status])
    print_confirmation({"code": code, "standing": status}, as_json, sentence)


_SQL: Final = queries("producers.agencies", "register.sql")


@agencies.command("certificate")
@click.argument("code", shell_complete=agency_codes)
@click.option("--output", required=True, type=OutputFile(), help="A private file.")
@break_glass_option
@json_option
def certificate(code: str, output: Path, break_glass: str | None, as_json: bool) -> None:
    """Issue a client certificate to agency CODE, by the private authority of `yesser up --tls`.

    The file has certificate and key. It is a credential: Kafka's port for certificates takes it without a password.
    Needs two people, once there is a second administrator.
    """
    # Imported here: without TLS no command needs it.
    from infra.tls.authority import stored_authority

    refuse_platform(code)
    user, settings = agency_user(code), Settings()
    permitted(settings.acting_as("administrator"), "agencies certificate", {"code": code}, break_glass)
    made = stored_authority(DataDir.at(settings.home).tls, datetime.now(UTC)).client(user, output)
    serial, expires_at = f"{made.serial_number:x}", made.not_valid_after_utc
    try:
        with_database(
            settings.acting_as("administrator"),
            "agencies",
            lambda connection: connection.execute(_SQL["issued"], serial, code, expires_at),
        )
    except (NoDatabase, NoPassword, *TRANSIENT_ERRORS):
        warning = Bilingual(
            "لن يُنبَّه مهندسو الجهة قبل انتهائها في {:%Y-%m-%d}: تعذر الوصول إلى قاعدة البيانات.",
            "The agency's engineers are not told before it expires on {:%Y-%m-%d}: the database cannot be reached.",
        )
        print_localized(warning.format(expires_at), err=True)
    sentence = Bilingual("{}: شهادة {} ومفتاحها.", "{}: the certificate of {} with its key.").format(output, user)
    print_confirmation({"code": code, "kafka_user": user, "file": str(output)}, as_json, sentence)
