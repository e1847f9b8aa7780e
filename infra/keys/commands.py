"""`yesser keys list | rotate | export | import`: the keys of log, receipts, tokens' hashes and webhooks; `yesser keys
witness new`: the key with which an organisation cosigns the log.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

import click

from events.errors import YesserError
from events.values.bilingual import Bilingual, joined
from infra.clock import utc_now
from infra.command_line.break_glass import break_glass_option
from infra.command_line.display import Column, Grid, show
from infra.command_line.exit_codes import ExitCode
from infra.command_line.language import localized
from infra.command_line.output import json_option, print_confirmation, print_result
from infra.keys.approvals import Act
from infra.keys.hash_keys import accounts_key_files, console_key_files, hash_key_files
from infra.keys.key_export import PURPOSES, ROTATED, CannotOpen, Purpose, Rotated, here, pack, seal, unpack, unseal
from infra.keys.listing import KeyRow, list_keys
from infra.keys.rotation import (
    Rotation,
    prepare_gateway_key,
    prepare_hash_key,
    prepare_log_key,
    register_log_key,
    request_log_rotation,
    rotate_gateway_key,
    rotate_hash_key,
)
from infra.log.signed_note import LogKey
from infra.principals import PRINCIPALS
from infra.private_keys.key_files import gateway_key_files, log_key_files
from infra.private_keys.private_file import read_private
from infra.secret_files import write_private
from infra.settings import Settings
from infra.witnesses.cosignature import MlDsaKey, WitnessKey, cosigner_of, parse_witness_key

OVERLAP_DAYS: Final = 30
OVERLAP_DAYS_MAX: Final = 1_095
STATES: Final = {
    "in use": Bilingual("يُستعمل", "in use"),
    "overlap": Bilingual("صالح حتى نهاية التداخل", "overlap"),
    "replaced": Bilingual("استُبدل: احذف ملفه", "replaced: delete its file"),
    "prepared": Bilingual("مُعدّ", "prepared"),
    "requested": Bilingual("طُلب استعماله", "requested"),
    "wrong": Bilingual("غير سليم", "wrong"),
}
DONE: Final = {
    "registered": Bilingual(
        "المفتاح {new} في الجهاز الأمني هو مفتاح السجل الأول.", "The key {new} in the device is the log's first key."
    ),
    "prepared": Bilingual(
        "المفتاح التالي {new} مُعدّ، ويبقى {old} مستعملًا.", "The next key {new} is prepared; {old} is still in use."
    ),
    "requested": Bilingual(
        "طُلب استبدال {old} بالمفتاح {new}، وينفذه المسجِّل على هذا الجهاز حين يعمل ويزيد السجل.",
        "{old} is to be replaced by {new}: the registrar of this machine does so when it runs and the log has grown.",
    ),
    "rotated": Bilingual("استُبدل {old} بالمفتاح {new}.", "{old} was replaced by {new}."),
}
REPLACED: Final = Bilingual(
    "استُبدلت كلمات المرور. انسخ هذه الملفات إلى كل جهاز آخر يستعملها: إلى ذلك الحين تستمر اتصالاته المفتوحة،"
    " وتُرفض الجديدة وتُعاد محاولتها.",
    "The passwords were replaced. Copy these files to each other machine that uses them: until then its open"
    " connections go on, and new ones are refused and tried again.",
)
overlap_option: Final = click.option(
    "--overlap",
    "overlap_days",
    type=click.IntRange(0, OVERLAP_DAYS_MAX),
    default=OVERLAP_DAYS,
    show_default=True,
    metavar="DAYS",
    help="The key before stays valid for this long; 0: it ends at once.",
)
prepare_option: Final = click.option(
    "--prepare", is_flag=True, help="Only make the next key, so that other machines can import it first."
)
_purpose = click.argument("purpose", type=click.Choice(ROTATED))
_purposes = click.option(
    "--only",
    "purposes",
    type=click.Choice(PURPOSES),
    multiple=True,
    help="Only these keys; default: all that are here.",
)
_passphrase_file = click.option(
    "--passphrase-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read the passphrase from this file, which only its owner may read; default: ask for it.",
)


@click.group()
def keys() -> None:
    """List, rotate, export and import the keys of this machine (docs/keys.md)."""


@keys.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the keys of this machine: in use, in an overlap, prepared. No private key is shown.

    Exit code 1: the files of a key are not in order.
    """
    from infra.keys.database import count_tokens  # imported here: who makes a witness's key has no database

    settings = Settings()
    rows = list_keys(settings, utc_now(), count_tokens(settings))
    print_result(rows, as_json, lambda: show(_table(rows)))
    if faults := [row.fault for row in rows if row.fault]:
        if not as_json:
            click.echo("\n".join(faults), err=True)
        sys.exit(ExitCode.ANSWER_IS_NO)


@keys.command("rotate")
@_purpose
@overlap_option
@prepare_option
@click.option("--file", "in_file", is_flag=True, help="Make the log's next key in a file although it is in a token.")
@click.option("--timeout", "timeout_s", type=float, default=30.0, show_default=True, help="Seconds to wait.")
@break_glass_option
@json_option
def rotate_command(
    purpose: Rotated,
    overlap_days: int,
    prepare: bool,
    in_file: bool,
    timeout_s: float,
    break_glass: str | None,
    as_json: bool,
) -> None:
    """Replace the key PURPOSE by a new one, or by the one that was prepared.

    In the overlap both are valid: both sign checkpoints, receipts of both verify, and so do tokens of both. Needs two
    people, once there is a second administrator.
    """
    settings = Settings()

    def done() -> Rotation:
        return _rotate(settings, purpose, overlap_days, prepare=prepare, in_file=in_file, timeout_s=timeout_s)

    rotate_by(done, settings, purpose, overlap_days, break_glass, as_json, prepare=prepare, in_file=in_file)


@keys.command("register")
@click.argument("uri")
@json_option
def register_command(uri: str, as_json: bool) -> None:
    """Make the key in a PKCS#11 token at URI the log's key: its first one, or else the next one (docs/keys.md).

    URI is an RFC 7512 address: pkcs11:token=LABEL;object=KEY?module-path=/MODULE.so&pin-source=file:/PIN.
    The next key is put in use by `yesser keys rotate log`.
    """
    settings = Settings()
    done = register_log_key(log_key_files(settings), uri)
    _add_to_trail(settings, "register", "log", done.new)
    _print_rotation("log", done, as_json)


def rotate_by(
    rotation: Callable[[], Rotation],
    settings: Settings,
    purpose: Purpose,
    overlap_days: int,
    break_glass: str | None,
    as_json: bool,
    *,
    prepare: bool,
    in_file: bool = False,
) -> None:
    """Replace or prepare a key by `rotation`, once two people agree; add a row to the trail, and print what was done.

    A prepared key is not in use yet, but the gateway's is published. Raises where two people have still to confirm it,
    and where the database, which knows them, cannot be reached.
    """
    if not prepare or purpose == "gateway":
        rows = [row for row in list_keys(settings, utc_now(), None) if row.purpose == purpose]
        keys = {row.state: row.key for row in rows if row.state in ("in use", "prepared")}
        request = {"purpose": purpose, "overlap_days": overlap_days, "prepare": prepare, "file": in_file, "keys": keys}
        _permitted(settings, "keys rotate", request, break_glass)
    done = rotation()
    _add_to_trail(settings, "rotate", purpose, "--prepare" if prepare else f"--overlap {overlap_days}")
    _print_rotation(purpose, done, as_json)


def _print_rotation(purpose: Purpose, done: Rotation, as_json: bool) -> None:
    """Print what was done to the key PURPOSE."""
    document = {"purpose": purpose, "old": done.old, "new": done.new, "state": done.state, "size": done.size}
    print_confirmation(document, as_json, DONE[done.state].format(**document))


@keys.command("rotate-passwords")
@click.option(
    "--principal",
    "principals",
    type=click.Choice(PRINCIPALS),
    multiple=True,
    help="Only this principal's passwords; may be repeated. Default: those of all principals.",
)
@click.option("--end-sessions", is_flag=True, help="End the open connections to PostgreSQL: their processes reconnect.")
@json_option
def rotate_passwords_command(principals: tuple[str, ...], end_sessions: bool, as_json: bool) -> None:
    """Replace the PostgreSQL and Kafka passwords of principals, while their processes run (docs/keys.md).

    Processes of this machine use the new passwords when they connect again. An interrupted command can be repeated.
    """
    # Imported here: who makes a witness's key has no database.
    from infra.keys.passwords import rotate_passwords

    settings = Settings()
    replaced = asyncio.run(rotate_passwords(settings, principals or PRINCIPALS, end_sessions, utc_now))
    _add_to_trail(settings, "rotate-passwords", *principals)
    files = [str(row.file) for row in replaced]
    rows = [{"principal": row.principal, "service": row.service, "file": str(row.file)} for row in replaced]
    print_result({"replaced": rows}, as_json, lambda: click.echo("\n".join([localized(REPLACED, "\n"), *files])))


@keys.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_purposes
@_passphrase_file
@json_option
def export_command(file: Path, purposes: tuple[Purpose, ...], passphrase_file: Path | None, as_json: bool) -> None:
    """Write the keys of this machine to FILE, encrypted with a passphrase.

    Keep FILE and the passphrase in different places. An existing FILE is not overwritten.
    """
    settings = Settings()
    if file.exists():
        raise CannotOpen(f"{file} exists: name another file.")
    packed: Sequence[Purpose] = purposes or here(settings)
    if not packed:
        raise YesserError("there are no keys on this machine: see YESSER_HOME.")
    content = pack(settings, packed)
    write_private(file, seal(content, _passphrase(passphrase_file, confirmed=True)))
    _add_to_trail(settings, "export", *packed)
    sentence = Bilingual("{}: المفاتيح {} مشفرة.", "{}: the keys {}, encrypted.").format(file, joined(packed))
    print_confirmation({"file": str(file), "purposes": [*packed]}, as_json, sentence)


@keys.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", "replace_others", is_flag=True, help="Delete keys of this machine that FILE does not hold.")
@_passphrase_file
@break_glass_option
@json_option
def import_command(
    file: Path, replace_others: bool, passphrase_file: Path | None, break_glass: str | None, as_json: bool
) -> None:
    """Bring the keys of FILE to this machine. Keys that it holds already are kept, or the command refuses.

    After a wrong passphrase, and for a damaged file, nothing is written. With --replace it needs two people, once there
    is a second administrator.
    """
    text = file.read_text(encoding="utf-8", errors="replace")
    content = unseal(text, _passphrase(passphrase_file, confirmed=False))
    settings = Settings()
    if replace_others:
        request = {"replace": True, "content_sha256": sha256(text.encode()).hexdigest()}
        _permitted(settings, "keys import", request, break_glass)
    done = unpack(settings, content, replace_others=replace_others)
    _add_to_trail(settings, "import", *(row.purpose for row in done))
    rows = [{"purpose": row.purpose, "new": [*row.new], "lost": [*row.lost]} for row in done]
    sentence = Bilingual("{}: جديد {}، حُذف {}.", "{}: new {}, deleted {}.")
    lines = [sentence.format(row.purpose, joined(row.new or "—"), joined(row.lost or "—")) for row in done]
    print_result({"keys": rows}, as_json, lambda: click.echo("\n".join(localized(line, "\n") for line in lines)))


def _permitted(settings: Settings, act: Act, asked: Mapping[str, object], break_glass: str | None) -> None:
    # Imported here: who makes a witness's key has no database.
    from infra.keys.database import of_this_machine
    from infra.keys.second_person import permitted

    permitted(of_this_machine(settings), act, asked, break_glass)


def _add_to_trail(settings: Settings, *words: str) -> None:
    """Add a row for the command. A machine that reaches no database has its keys all the same, and a warning."""
    from infra.keys.database import add_command  # imported here: who makes a witness's key has no database

    if (reason := add_command(settings, *words)) is not None:
        click.echo(f"yesser: this is not in the trail, since the database cannot be reached: {reason}", err=True)


def _rotate(
    settings: Settings, purpose: Rotated, overlap_days: int, *, prepare: bool, in_file: bool, timeout_s: float
) -> Rotation:
    now = utc_now()
    match purpose:
        case "log":
            files = log_key_files(settings)
            if prepare:
                return prepare_log_key(files, in_file=in_file)
            return request_log_rotation(files, overlap_days, now, timeout_s, in_file=in_file)
        case "gateway":
            change = prepare_gateway_key if prepare else rotate_gateway_key
            return change(gateway_key_files(settings), overlap_days, now)
        case "tokens" | "console":
            hashes = hash_key_files(settings) if purpose == "tokens" else console_key_files(settings)
            return prepare_hash_key(hashes) if prepare else rotate_hash_key(hashes, overlap_days, now)
        case "accounts":
            if prepare:
                return prepare_hash_key(accounts_key_files(settings))
            from infra.keys.database import rotate_accounts  # imported here: as above

            return rotate_accounts(settings, overlap_days, now)


def _passphrase(file: Path | None, *, confirmed: bool) -> str:
    if file is not None:
        return read_private(file) or ""
    question = localized(Bilingual("عبارة المرور", "Passphrase"), " / ")
    answer: str = click.prompt(question, hide_input=True, confirmation_prompt=confirmed, err=True)
    return answer


def _table(rows: Sequence[KeyRow]) -> Grid:
    columns = [
        Column("الغرض", "Purpose"),
        Column("المفتاح", "Key"),
        Column("الحالة", "State", wraps=True),
        Column("حتى", "Until", drop=1),
        Column("رموز الدخول", "Tokens", drop=2, right=True),
        Column("الملف", "File", drop=3, wraps=True),
    ]
    cells = [
        [
            row.purpose,
            row.key,
            STATES[row.state],
            row.until,
            None if row.tokens is None else f"{row.tokens:,}",
            row.file,
        ]
        for row in rows
    ]
    return Grid(Bilingual("المفاتيح", "Keys"), columns, cells)


class KeyExists(YesserError):
    """The file exists: name another one. A witness whose key is replaced is another witness."""


@keys.group("witness")
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
