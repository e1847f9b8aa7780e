"""`yesser withheld propose | list | show | check | purge`: free texts of entries that the law asks to delete."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

import click
from msgspec import Struct
from msgspec.structs import asdict

from consumers.documents.document import Name
from consumers.documents.log.withheld import FREE_TEXTS, WITHHELD_TEXTS, WithheldText
from consumers.documents.tables import grid
from consumers.proof.audit.texts import TextsReport
from consumers.proof.commands.audit_options import AuditSource, source_options
from consumers.proof.commands.outside_commands import proven
from consumers.proof.personal_texts.purge import TABLES, Purged, purge
from consumers.proof.personal_texts.withheld import texts_of, withheld_texts
from consumers.proof.personal_texts.withholding import Withholdable, look_up, propose
from events.values.bilingual import Bilingual, in_lines, joined
from events.values.data import Data
from infra.clock import utc_now
from infra.command_line.break_glass import break_glass_option
from infra.command_line.database import with_database
from infra.command_line.display import show, time_text
from infra.command_line.exit_codes import ExitCode
from infra.command_line.language import print_localized
from infra.command_line.output import NOTHING_DONE, json_option, print_confirmation, print_result
from infra.command_line.parameters import gathered
from infra.log.refusals.kept import strings_in
from infra.postgres.connection import Connection, connected
from infra.settings import Settings

_entry: Final = click.argument("entry", type=click.IntRange(min=0))
_UNKNOWN: Final = "-"
_NOTHING: Final = Bilingual("لم يُحجب نص.", "No text is withheld.")


class Withholding(Struct, frozen=True, kw_only=True):
    """A text of an entry: what it is (None once it is withheld), the entry that withholds it (None before), the refused
    records that are deleted with it, by the entries that refuse them, and the commands that delete what else has it."""

    entry: int
    pointer: str
    type: str
    agency: str
    text: Any
    refused_records: list[int]
    withheld_by: int | None
    further: list[str]


class Withheld(Struct, frozen=True, kw_only=True):
    """How many texts one operator withheld on one basis, and the two people who confirmed it."""

    count: int
    operator: str | None
    confirmed_by: tuple[str, ...]
    legal_basis: Name


class TextsCheck(TextsReport, frozen=True):
    """`ok`: nothing is missing but what was withheld, and nothing of that is left. `by`: who withheld how many; None of
    a log elsewhere, which does not say who."""

    by: list[Withheld] | None
    ok: bool


@click.group()
def withheld() -> None:
    """Withhold free texts of entries, list what was withheld, and check that nothing else is missing
    (docs/privacy.md)."""


def _why(reason_ar: str, reason_en: str, legal_basis_ar: str, legal_basis_en: str) -> Data:
    reason, legal_basis = {"ar": reason_ar, "en": reason_en}, {"ar": legal_basis_ar, "en": legal_basis_en}
    return {"reason": reason, "legal_basis": legal_basis}


@withheld.command("propose")
@_entry
@click.argument("pointer")
@gathered(
    "why",
    _why,
    click.option("--reason-ar", required=True, help="The reason in Arabic, published in the log: without the name."),
    click.option("--reason-en", required=True, help="The reason in English, published in the log: without the name."),
    click.option("--legal-basis-ar", required=True, help="The law that asks for it, in Arabic."),
    click.option("--legal-basis-en", required=True, help="The law that asks for it, in English."),
)
@click.option("--yes", is_flag=True, help="Withhold it; without this option, only show what would be deleted.")
@click.option("--timeout", "timeout_s", type=float, default=30.0, show_default=True, help="Seconds to wait.")
@break_glass_option
@json_option
@click.pass_context
def propose_command(
    context: click.Context,
    entry: int,
    pointer: str,
    why: Data,
    yes: bool,
    timeout_s: float,
    break_glass: str | None,
    as_json: bool,
) -> None:
    """Withhold the free text at POINTER of the event in ENTRY, such as `/data/reason`. It cannot be undone.

    Its text and its salt are deleted when the log has registered it; the entry and every proof stay. Refused records
    of the agency that hold the same text are deleted too. Without --yes, only show what would be deleted. Needs two
    people, once there is a second administrator. Returns when the text is withheld, and prints what else deletes it.
    Exit code 1: nothing was done.
    """
    settings = Settings().acting_as("administrator")
    found = with_database(settings, "withheld", lambda connection: look_up(connection, entry, pointer))
    if not yes:
        if not as_json:
            print_localized(in_lines(_before(found)))
        print_confirmation(_document(found, None, settings), as_json, NOTHING_DONE)
        context.exit(ExitCode.ANSWER_IS_NO)

    async def withhold(connection: Connection) -> int:
        return await propose(connection, settings, found, why, utc_now, break_glass, timeout_s)

    by = with_database(settings, "withheld", withhold)
    done = Bilingual(
        "حُجب {} من القيد {} بالقيد {}. وهذه الأوامر تحذف ما بقي فيه:",
        "{} of entry {} is withheld by entry {}. These commands delete what else has it:",
    ).format(found.pointer, entry, by)
    document = _document(found, by, settings)
    commands = (Bilingual(command, command) for command in document.further)
    print_confirmation(document, as_json, in_lines([done, *commands]))


def _before(found: Withholdable) -> list[Bilingual]:
    entry = found.entry
    texts = joined(strings_in(found.text), "\n", "\n")
    return [
        Bilingual("القيد {} من {}: {} في {}", "Entry {} of {}: {} at {}").format(
            entry.index, entry.agency, found.pointer, entry.type
        ),
        texts,
        Bilingual("السجلات المرفوضة التي تُحذف معه: {:,}.", "Refused records that are deleted with it: {:,}.").format(
            len(found.refused_records)
        ),
    ]


def _document(found: Withholdable, by: int | None, settings: Settings) -> Withholding:
    return Withholding(
        entry=found.entry.index,
        pointer=found.pointer,
        type=found.entry.full_type,
        agency=found.entry.agency,
        text=found.text if by is None else None,
        refused_records=found.refused_records,
        withheld_by=by,
        further=found.further(settings),
    )


@withheld.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List what was withheld, by whom and on what basis, in the order of the log."""
    found = with_database(Settings().acting_as("auditor"), "withheld", withheld_texts)
    print_result(found, as_json, lambda: show(grid(WITHHELD_TEXTS, found)) if found else print_localized(_NOTHING))


@withheld.command("show")
@_entry
@json_option
def show_command(entry: int, as_json: bool) -> None:
    """Show which free texts the event in ENTRY has, and of each that is withheld by whom, why, and on what basis."""
    found = with_database(Settings().acting_as("auditor"), "withheld", lambda connection: texts_of(connection, entry))
    print_result(found, as_json, lambda: _show(found))


def _show(found: list[Any]) -> None:
    show(grid(FREE_TEXTS, found))
    for text in found:
        if isinstance(text, WithheldText):
            reason = Bilingual("{}: {} ({})", "{}: {} ({})").format(text.pointer, text.reason, text.legal_basis)
            print_localized(reason)


@withheld.command("check")
@source_options(required=False)
@json_option
@click.pass_context
def check_command(context: click.Context, log: AuditSource, as_json: bool) -> None:
    """Prove that nothing is missing but what was withheld: of the log at an address, of a mirror, or, without
    URL-OR-FOLDER, of the database; of this also count what was withheld by whom and on what basis.

    Every entry is proven, and each text beside one gives the hash in it, or an entry of the log withholds it. An export
    is checked with `yesser audit verify`.
    Exit code 1: a text is missing, or one that is withheld is still there; 76: a text or the log is not what it was.
    """
    _, texts = asyncio.run(proven(log))
    found = texts or TextsReport(0, 0, 0, [])
    is_whole = not found.lacking and not found.held
    by = with_database(Settings().acting_as("auditor"), "withheld", withheld_texts) if log.place is None else None
    document = TextsCheck(**asdict(found), by=None if by is None else _counted(by), ok=is_whole)
    print_result(document, as_json, lambda: print_localized(in_lines(_checked(document))))
    context.exit(ExitCode.OK if is_whole else ExitCode.ANSWER_IS_NO)


def _counted(texts: Iterable[WithheldText]) -> list[Withheld]:
    counts = Counter((text.operator, text.confirmed_by, text.legal_basis) for text in texts)
    return [
        Withheld(count=count, operator=operator, confirmed_by=confirmed_by, legal_basis=legal_basis)
        for (operator, confirmed_by, legal_basis), count in counts.items()
    ]


def _checked(found: TextsCheck) -> Iterator[Bilingual]:
    yield Bilingual(
        "تطابق بصماتها: {:,} من النصوص؛ محجوبة: {:,}؛ ناقصة: {:,}.",
        "Texts that give their hashes: {:,}; withheld: {:,}; missing: {:,}.",
    ).format(found.count, found.withheld, found.lacking)
    for one in found.by or ():
        yield Bilingual(
            "عدد ما حجبه {}: {:,}؛ أكّده: {}؛ السند النظامي: {}.", "{} withheld {:,}; confirmed by: {}; legal basis: {}."
        ).format(one.operator or _UNKNOWN, one.count, joined(one.confirmed_by or (_UNKNOWN,)), one.legal_basis)
    for text in found.held:
        yield Bilingual(
            "{} من القيد {} ما زال في {}، وقد حجبه القيد {}.",
            "{} of entry {} is still in {}, and entry {} withholds it.",
        ).format(text.pointer, text.index, text.file, text.withheld_by)


@withheld.command("purge")
@json_option
def purge_command(as_json: bool) -> None:
    """Rewrite the tables that held withheld texts, so that no file of them has their bytes.

    Nobody reads or writes a table while it is rewritten: the registrar waits, and goes on. It works as the migrator.
    Prints which files of WAL and which backups are older, and hold what they held.
    """
    settings = Settings().acting_as("migrator")

    async def rewrite() -> Purged:
        async with connected(settings, "withheld", batch=True) as connection:
            return await purge(connection, settings, utc_now())

    done = asyncio.run(rewrite())
    print_result(done, as_json, lambda: print_localized(in_lines(_after(done))))


def _after(done: Purged) -> list[Bilingual]:
    sentences = [
        Bilingual("كُتبت من جديد: {}.", "Rewritten: {}.").format(", ".join(TABLES)),
        Bilingual(
            "ملفات WAL التي قبل {} كُتبت قبل {}، وتبقى فيها النصوص حتى يكتب PostgreSQL فوقها أو يحذفها.",
            "Files of WAL before {} were written before {}, and hold the texts until PostgreSQL overwrites or deletes"
            " them.",
        ).format(done.wal_file, time_text(done.at)),
    ]
    if done.backups_until is not None:
        sentences.append(
            Bilingual(
                "وتبقى في النسخ الاحتياطية: {}. لا يبقى منها شيء بعد {}، أو احذفها.",
                "Backups hold them too: {}. None of these is left after {}; or delete them.",
            ).format(", ".join(done.backups), time_text(done.backups_until))
        )
    return sentences
