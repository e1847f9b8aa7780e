"""`yesser agencies certificate`: an agency's client certificate, of the private authority of `yesser up --tls`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from events.values.bilingual import Bilingual
from infra.command_line.break_glass import break_glass_option
from infra.command_line.completion import agency_codes
from infra.command_line.database import with_database
from infra.command_line.language import print_localized
from infra.command_line.output import json_option, print_confirmation
from infra.command_line.parameters import OutputFile
from infra.data_dir import DataDir
from infra.kafka.rights import agency_user
from infra.keys.second_person import permitted
from infra.postgres.connection import TRANSIENT_ERRORS, NoDatabase, NoPassword
from infra.postgres.sql import queries
from infra.settings import Settings
from producers.agencies.lifecycle import refuse_platform

_SQL: Final = queries("producers.agencies", "register.sql")


@click.command("certificate")
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
