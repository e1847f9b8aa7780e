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

from consumers.documents.log.commitments import NO_COMMITMENT
from consumers.proof.commands.audit_options import policy_option, seal_key_options, token_file_option, vkey_option
from events.values.bilingual import Bilingual, joined
from infra.command_line.display import NOTHING, Column, Grid, Row, show
from infra.command_line.exit_codes import ExitCode
from infra.command_line.language import localized, print_localized
from infra.command_line.output import json_option, print_result
from infra.keys.seals import SealKeyFiles
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
_NOTHING: Final = Bilingual("لا شيء يُقارن به", "nothing to compare with")
_NOT_RUN: Final = Bilingual("لم يُنفَّذ", "not run")
_VERDICTS: Final = {
    ExitCode.TAMPERED: Bilingual("مختلف عما وُقّع", "not what was signed"),
    ExitCode.BUG: Bilingual("خلل في الأمر", "a bug of the command"),
    ExitCode.ANSWER_IS_NO: Bilingual("لا", "no"),
    ExitCode.OK: Bilingual("سليم", "sound"),
}
_COMPARED: Final = {
    "audit verify": (
        Bilingual("كل قيد وبصمته", "Every entry and its hash"),
        Bilingual("الجذر الموقَّع، وما قبلته من قبل", "the signed root, and what you accepted before"),
    ),
    "audit verify --database": (
        Bilingual("القيود، وجداول المسجِّل، والصلاحيات، وسجل الإجراءات", "Entries, registrar's tables, rights, trail"),
        Bilingual("الجذر الموقَّع، وعمليات الترحيل", "the signed root, the migrations"),
    ),
    "audit completeness": (
        Bilingual("أرقام الأحداث لكل جهة وشهر", "Numbers of each agency's events"),
        Bilingual("القيود", "the entries"),
    ),
    "audit replay": (
        Bilingual("نماذج القراءة محسوبة من القيود", "Read models, computed from the entries"),
        Bilingual("آخر بصمات منشورة في السجل", "the last commitments in the log"),
    ),
    "audit commitments": (
        Bilingual("كل بصمة منشورة في السجل", "Every commitment in the log"),
        Bilingual("نماذج القراءة محسوبة من القيود", "read models, computed from the entries"),
    ),
    "rebuild --compare": (
        Bilingual("صفوف نماذج القراءة الآن", "Rows of the read models now"),
        Bilingual("الصفوف محسوبة من القيود", "rows computed from the entries"),
    ),
}
"""By command: what it compares, and with what."""
_NEVER: Final = Bilingual("هل وقعت الأحداث، وهل أُرسلت كلها", "whether the events happened, whether all were sent")
_ELSEWHERE: Final = Bilingual(
    "قاعدة بيانات المشغّل (شغّل الأمر عنده دون عنوان)", "the operator's database (run it there, without an address)"
)
_IN_DATABASE: Final = Bilingual("الفهارس، والنسخ خارج هذا الجهاز", "indexes, copies outside this machine")


@dataclass(frozen=True, slots=True)
class Checked:
    """A check: its command, how it ended, what it said on stderr, and its JSON document."""

    command: str
    exit_code: ExitCode
    said: str
    result: Any
    compared: Bilingual
    compared_with: Bilingual


@click.command("all")
@click.argument("source", metavar="[URL-OR-FOLDER]", required=False)
@vkey_option
@token_file_option
@policy_option
@seal_key_options
@json_option
def all_command(
    source: str | None,
    vkey: str | None,
    token_file: Path | None,
    policy: Path | None,
    keys: SealKeyFiles,
    as_json: bool,
) -> None:
    """Run every check, and print one table: of the database, or of a log at an address, a mirror or an export.

    Of the database: `audit verify --database`, `audit completeness`, `audit replay`, `audit commitments` and `rebuild
    --compare`. Of a log elsewhere: the first three, without the database. `replay` writes a copy of the log to the
    folder for temporary files (TMPDIR), and removes it.

    Exit code: that of the worst check.
    """
    if source is not None and keys.any:
        raise click.UsageError("The keys of seals are for the database: give no address and no folder.")
    of_log = {"--vkey": vkey, "--token-file": token_file, "--policy": policy}
    of_database = {"--accounts-key": keys.accounts, "--tokens-key": keys.tokens, "--teams-key": keys.teams}
    with tempfile.TemporaryDirectory(prefix="yesser-audit-") as folder:
        checks = list(_run(_commands(source, _options(of_log), _options(of_database), Path(folder) / "replay")))
    worst = min((check.exit_code for check in checks), key=_WORST_FIRST.index)
    left = [_NEVER, *_left_out(source, checks)]
    document = {"checks": [asdict(check) for check in checks], "not_compared": left, "ok": worst == ExitCode.OK}
    print_result(document, as_json, lambda: _show(checks, left), indented=True)
    raise SystemExit(worst)


def _left_out(source: str | None, found: Sequence[Checked]) -> list[Bilingual]:
    """What none of these checks compares."""
    if source is not None:
        return [_ELSEWHERE]
    database = (found[0].result or {}).get("database", {})
    return [_IN_DATABASE, *(Bilingual(table, table) for table in database.get("not_compared", ()))]


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
        yield Checked(name, code, _sentence(done.stderr), _document(done.stdout), *_COMPARED[name])


def _sentence(stderr: bytes) -> str:
    """The error that a command ended with."""
    return stderr.decode("utf-8", "replace").rpartition("yesser: ")[2].strip()


def _document(stdout: bytes) -> Any:
    try:
        return orjson.loads(stdout)
    except orjson.JSONDecodeError:
        return None


def has_no_commitment(result: Any) -> bool:
    """Whether a check that compares with commitments found none in the log."""
    if not isinstance(result, dict):
        return False
    committed = [row["committed"] for row in result.get("read_models", []) if "committed" in row]
    return result.get("commitments") == [] or (bool(committed) and not any(committed))


def _show(found: Sequence[Checked], left: Sequence[Bilingual]) -> None:
    columns = [
        Column("ما قورن", "Compared", wraps=True),
        Column("بماذا", "With", wraps=True),
        Column("النتيجة", "Verdict"),
        Column("السبب", "Reason", wraps=True),
        Column("الأمر", "Command", drop=1),
    ]
    rows: list[Row] = []
    for check in found:
        verdict, reason = _VERDICTS.get(check.exit_code, _NOT_RUN), check.said or NOTHING
        if check.exit_code == ExitCode.OK and has_no_commitment(check.result):
            verdict, reason = _NOTHING, localized(NO_COMMITMENT, "\n")
        rows.append([check.compared, check.compared_with, verdict, reason, f"yesser {check.command}"])
    show(Grid(Bilingual("كل عمليات التحقق", "All checks"), columns, rows))
    print_localized(Bilingual("لم يُقارن: {}.", "Not compared: {}.").format(joined(left)))
    if any(check.exit_code != ExitCode.OK for check in found):
        print_localized(Bilingual("يبيّن كل أمر وحده تفاصيله.", "Each command alone shows its details."))
