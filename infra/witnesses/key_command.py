"""`yesser keys witness new`: the key with which an organisation cosigns the log."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import click

from events.errors import YesserError
from events.values.bilingual import Bilingual
from infra.command_line.output import json_option, print_confirmation
from infra.log.signed_note import LogKey
from infra.secret_files import write_private
from infra.witnesses.cosignature import MlDsaKey, WitnessKey, cosigner_of, parse_witness_key


class KeyExists(YesserError):
    """The file exists: name another one. A witness whose key is replaced is another witness."""


@click.group("witness")
def witness_keys() -> None:
    """Make the key of a witness."""


@witness_keys.command("new")
@click.argument("name")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--type",
    "kind",
    type=click.Choice(["ml-dsa-44", "ed25519"]),
    default="ml-dsa-44",
    show_default=True,
    help="ed25519: for verifiers that know no ML-DSA.",
)
@json_option
def new_command(name: str, file: Path, kind: Literal["ml-dsa-44", "ed25519"], as_json: bool) -> None:
    """Write a new private key of the witness NAME to FILE, and print its verifier key.

    NAME is an address without a scheme, such as court.example/witness. Give the verifier key to the log's operator and
    to auditors, who write it into their policies. Keep FILE on the witness's machine alone.
    """
    seed = os.urandom(32)
    key: WitnessKey = LogKey(name, seed) if kind == "ed25519" else MlDsaKey(name, seed)
    parse_witness_key(key.skey)  # a name with a space or a `+` is refused here
    if file.exists():
        raise KeyExists(f"{file}: {KeyExists.__doc__}")
    write_private(file, key.skey + "\n")
    vkey = cosigner_of(key).vkey
    sentence = Bilingual(
        "{}: مفتاح الشاهد الخاص. مفتاح التحقق: {}", "{}: the private key of the witness. Its verifier key: {}"
    ).format(file, vkey)
    print_confirmation({"file": str(file), "name": name, "vkey": vkey}, as_json, sentence)
