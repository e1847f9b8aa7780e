"""`yesser agencies certificate CODE`: an agency's client certificate, of the private authority of `yesser up --tls`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from infra.command_line.completion import agency_codes
from infra.command_line.output import json_option, print_confirmation
from infra.command_line.parameters import OutputFile
from infra.data_dir import DataDir
from infra.kafka.rights import agency_user
from infra.settings import Settings
from producers.agencies.lifecycle import refuse_platform


@click.command("certificate")
@click.argument("code", shell_complete=agency_codes)
@click.option("--output", required=True, type=OutputFile(), help="A private file.")
@json_option
def certificate(code: str, output: Path, as_json: bool) -> None:
    """Issue a client certificate to agency CODE, by the private authority of `yesser up --tls`.

    The file has certificate and key. It is a credential: Kafka's port for certificates takes it without a password.
    """
    # Imported here: without TLS no command needs it.
    from infra.tls.authority import stored_authority

    refuse_platform(code)
    user = agency_user(code)
    stored_authority(DataDir.at(Settings().home).tls, datetime.now(UTC)).client(user, output)
    print_confirmation(
        {"code": code, "kafka_user": user, "file": str(output)},
        as_json,
        f"{output}: شهادة {user} ومفتاحها.",
        f"{output}: the certificate of {user} with its key.",
    )
