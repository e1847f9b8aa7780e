"""`yesser keys witness new`: the key with which an organisation cosigns the log."""

from __future__ import annotations

import os
from pathlib import Path

import click

from events.errors import YesserError
from infra.command_line.output import json_option, print_confirmation
from infra.log.signed_note import LogKey, parse_skey
from infra.secret_files import write_private
from infra.witnesses.cosignature import cosigner_of


class KeyExists(YesserError):
    """The file exists: name another one. A witness whose key is replaced is another witness."""


@click.group("witness")
def witness_keys() -> None:
    """Make the key of a witness."""


@witness_keys.command("new")
@click.argument("name")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
def new_command(name: str, file: Path, as_json: bool) -> None:
    """Write a new private key of the witness NAME to FILE, and print its verifier key.

    NAME is an address without a scheme, such as court.example/witness. Give the verifier key to the log's operator and
    to auditors, who write it into their policies. Keep FILE on the witness's machine alone.
    """
    key = LogKey(name, os.urandom(32))
    parse_skey(key.skey)  # a name with a space or a `+` is refused here
    if file.exists():
        raise KeyExists(f"{file}: {KeyExists.__doc__}")
    write_private(file, key.skey + "\n")
    vkey = cosigner_of(key).vkey
    print_confirmation(
        {"file": str(file), "name": name, "vkey": vkey},
        as_json,
        f"{file}: مفتاح الشاهد الخاص. مفتاح التحقق: {vkey}",
        f"{file}: the private key of the witness. Its verifier key: {vkey}",
    )
