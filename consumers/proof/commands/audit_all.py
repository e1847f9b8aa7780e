"""`yesser audit all`: runs every check that there is, each as its own command, and prints one table."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import click
import orjson

from consumers.proof.commands.audit_options import FILE, policy_option, token_file_option, vkey_option
from events.values.bilingual import Bilingual
from infra.command_line.display import NOTHING, Column, Grid, Row, show
from infra.command_line.exit_codes import ExitCode
from infra.command_line.language import print_localized
from infra.command_line.output import json_option, print_result
from infra.process.subprocess_command import subprocess_command

_WORST_FIRST: Final = (
    ExitCode.TAMPERED,
    ExitCode.BUG,
    ExitCode.ANSWER_IS_NO,
    ExitCode.NOT_INSTALLED,
    ExitCode.TRY_AGAIN,
    ExitCode.WRONG_USE,
    ExitCode.OK,
)
_VERDICTS: Final = {
    ExitCode.TAMPERED: Bilingual("مختلف عما وُقّع", "not what was signed"),
    ExitCode.BUG: Bilingual("خلل في الأمر", "a bug of the command"),
    ExitCode.ANSWER_IS_NO: Bilingual("لا", "no"),
    ExitCode.NOT_INSTALLED: Bilingual("لم يُنفَّذ", "not run"),
    ExitCode.TRY_AGAIN: Bilingual("لم يُنفَّذ", "not run"),
    ExitCode.WRONG_USE: Bilingual("لم يُنفَّذ", "not run"),
    ExitCode.OK: Bilingual("سليم", "sound"),
}


@dataclass(frozen=True, slots=True)
class Checked:
    """A check: its command, how it ended, what it said on stderr, and its JSON document."""

    command: str
    exit_code: ExitCode
    said: str
    result: Any


@click.command("all")
@click.argument("source", metavar="[URL-OR-FOLDER]", required=False)
@vkey_option
@token_file_option
@policy_option
@click.option("--accounts-key", type=FILE, help="The key of the accounts' seals (accounts/key).")
@click.option("--tokens-key", type=FILE, help="The key of the tokens' seals (tokens/hash-key).")
@click.option("--teams-key", type=FILE, help="The key of the teams' seals (teams/key).")
@json_option
def all_command(
    source: str | None,
    vkey: str | None,
    token_file: Path | None,
    policy: Path | None,
    accounts_key: Path | None,
    tokens_key: Path | None,
    teams_key: Path | None,
    as_json: bool,
) -> None:
    """Run every check, and print one table: of the database, or of a log at an address, a mirror or an export.

    Of the database: `audit verify --database`, `audit completeness`, `audit replay`, `audit commitments` and `rebuild
    --compare`. Of a log elsewhere: the first three, without the database. `replay` writes a copy of the log to the
    folder for temporary files (TMPDIR), and removes it.

    Exit code: that of the worst check.
    """
    if source is not None and (accounts_key or tokens_key or teams_key):
        raise click.UsageError("The keys of seals are for the database: give no address and no folder.")
    of_log = {"--vkey": vkey, "--token-file": token_file, "--policy": policy}
    of_database = {"--accounts-key": accounts_key, "--tokens-key": tokens_key, "--teams-key": teams_key}
    with tempfile.TemporaryDirectory(prefix="yesser-audit-") as folder:
        checks = list(_run(_commands(source, _options(of_log), _options(of_database), Path(folder) / "replay")))
    worst = min((check.exit_code for check in checks), key=_WORST_FIRST.index)
    document = {"checks": [asdict(check) for check in checks], "ok": worst == ExitCode.OK}
    print_result(document, as_json, lambda: _show(checks), indented=True)
    raise SystemExit(worst)


def _commands(source: str | None, of_log: list[str], of_database: list[str], folder: Path) -> dict[str, list[str]]:
    """Each command by its name."""
    place = [] if source is None else [source]
    verify = ["audit", "verify", *place, *of_log]
    elsewhere = {
        "audit completeness": ["audit", "completeness", *place, *of_log],
        "audit replay": ["audit", "replay", *place, *of_log, "--into", str(folder)],
    }
    if source is not None:
        return {"audit verify": verify, **elsewhere}
    return {
        "audit verify --database": [*verify, "--database", *of_database],
        **elsewhere,
        "audit commitments": ["audit", "commitments"],
        "rebuild --compare": ["rebuild", "--compare"],
    }


def _options(given: Mapping[str, object]) -> list[str]:
    return [word for name, value in given.items() if value is not None for word in (name, str(value))]


def _run(commands: Mapping[str, list[str]]) -> Iterator[Checked]:
    for name, words in commands.items():
        print_localized(Bilingual("يجري التحقق: {}", "Checking: {}").format(name), err=True)
        done = subprocess.run(subprocess_command(*words, "--json"), stdin=subprocess.DEVNULL, capture_output=True)
        code = ExitCode(done.returncode) if done.returncode in _WORST_FIRST else ExitCode.BUG
        yield Checked(name, code, _sentence(done.stderr), _document(done.stdout))


def _sentence(stderr: bytes) -> str:
    """The error that a command ended with."""
    return stderr.decode("utf-8", "replace").rpartition("yesser: ")[2].strip()


def _document(stdout: bytes) -> Any:
    try:
        return orjson.loads(stdout)
    except orjson.JSONDecodeError:
        return None


def _show(found: Sequence[Checked]) -> None:
    columns = [Column("الأمر", "Command"), Column("النتيجة", "Verdict"), Column("السبب", "Reason", wraps=True)]
    rows: list[Row] = [
        [f"yesser {check.command}", _VERDICTS[check.exit_code], check.said or NOTHING] for check in found
    ]
    show(Grid(Bilingual("كل عمليات التحقق", "All checks"), columns, rows))
    if any(check.exit_code != ExitCode.OK for check in found):
        print_localized(Bilingual("يبيّن كل أمر وحده تفاصيله.", "Each command alone shows its details."))
