"""`yesser recover`: after a restore from a backup, recovers the entries written since."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from pathlib import Path

import click
from aiokafka.errors import KafkaError, SaslAuthenticationFailed
from asyncpg import InvalidPasswordError
from msgspec import UNSET, Struct

from consumers.proof.commitments.check import acknowledged
from consumers.proof.commitments.trail import LOST, lost_claims
from consumers.registrar.recovery.recover import Recovered, Source, WrongEntries, recover, together, topic_source
from consumers.registrar.recovery.texts import FolderTexts
from events.errors import Retry, Tampered, YesserError
from events.values.bilingual import Bilingual, joined
from infra.command_line.break_glass import break_glass_option
from infra.command_line.database import with_database
from infra.command_line.language import print_localized
from infra.command_line.output import json_option, print_result
from infra.keys.access_changes import Reapplied, reapply
from infra.keys.second_person import Permit, ask
from infra.log.ports.bundle_texts import BundleText
from infra.postgres.connection import TRANSIENT_ERRORS, NoPassword
from infra.settings import Settings


class NoAccessRecord(YesserError):
    """What was revoked and disabled since the copy is not known here: run this where `yesser tokens` and `yesser
    accounts` are run, or put `access/changes` back from its copy (docs/runbook.md, "Backup and restore")."""


class LackingRecords(Struct, frozen=True):
    """What an agency's topic no longer holds: records of entries, and records without an entry."""

    topic: str
    records: int
    duplicates: int


class HaltedTopic(Struct, frozen=True):
    """A topic that lost its last record."""

    topic: str
    reason: str


class Recovery(Struct, frozen=True, kw_only=True):
    """What `yesser recover` did. `lost_texts`: of the whole log.

    None in `access` and `lost_trail_commitments`: not done on this machine.
    """

    size_before: int
    size: int
    root: str
    lacking: list[LackingRecords]
    halted: list[HaltedTopic]
    lost_texts: int
    access: Reapplied | None
    lost_trail_commitments: list[int] | None


@click.command("recover")
@click.option(
    "--from",
    "folders",
    multiple=True,
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Also take entries and their texts from a mirror or an export; may be given several times.",
)
@click.option(
    "--accept-unsigned",
    is_flag=True,
    help="Also take entries after the last signed checkpoint that no agency's topic confirms.",
)
@click.option("--access-only", is_flag=True, help="Only take access again: read and write no entry.")
@break_glass_option
@json_option
def recover_command(
    folders: tuple[Path, ...], accept_unsigned: bool, access_only: bool, break_glass: str | None, as_json: bool
) -> None:
    """Recover missing entries byte for byte, and verify them against the last signed checkpoint.

    First access that was taken after the copy is taken again: revoked tokens, disabled accounts, replaced passwords;
    all sessions of the console end. What was made after the copy, and is lost, is named.

    Each entry is taken from the first source that has it: the folders in their order, then the log's topic. Together
    they must give the signed root. Records that the agencies' topics no longer hold are listed and do not stop the
    recovery. To resume a recovery that was interrupted, run it again. With --accept-unsigned it needs two people, once
    there is a second administrator.
    """
    settings = Settings().acting_as("registrar")
    sources = [*map(folder_source, folders), topic_source(settings)]
    try:
        access = _access_taken(settings)
        if access_only:
            if access is None:
                raise NoAccessRecord
            print_result({"access": access}, as_json, lambda: print_localized(*_access_sentences(access)))
            return
        permit = None
        if accept_unsigned:
            asked = {"accept_unsigned": True, "from": [str(folder) for folder in folders]}
            permit = with_database(
                settings, "recover", lambda connection: ask(connection, settings, "recover", asked, break_glass)
            )
        texts = [partial(folder_texts, folder) for folder in folders]
        result = asyncio.run(recover_from(settings, sources, texts=texts, unsigned=accept_unsigned, permit=permit))
        lost = _trail_acknowledged(settings)
    except (SaslAuthenticationFailed, InvalidPasswordError):
        raise  # the service answers: the command line says which password it refuses
    except (KafkaError, *TRANSIENT_ERRORS) as error:
        raise Retry(
            f"Kafka or PostgreSQL does not answer ({error.__class__.__name__}: {error}). Recovered entries are kept: "
            "when both are ready (`yesser status`), run this again to resume."
        ) from error
    document = _document(result, access, lost)
    sentences = [*_sentences(document), *_access_sentences(access), *_trail_sentences(lost)]
    print_result(document, as_json, lambda: print_localized(*sentences))


def _access_taken(settings: Settings) -> Reapplied | None:
    """Take access again; None where it is not known here what was taken."""
    try:
        return with_database(
            settings.acting_as("administrator"),
            "recover access",
            lambda connection: reapply(connection, settings, end_sessions=True),
        )
    except NoPassword:  # as on the registrar's machine
        return None


def _trail_acknowledged(settings: Settings) -> list[int] | None:
    """The indexes of the commitments to rows of the trail that the copy lacks, now acknowledged; None where this is not
    the operator's machine."""
    try:
        lost = with_database(settings.acting_as("auditor"), "recover trail", lost_claims)
        return [acknowledged(settings, claim.index, LOST).index for claim in lost]
    except NoPassword:
        return None


def _trail_sentences(lost: list[int] | None) -> Iterator[Bilingual]:
    if lost is None:
        yield Bilingual(
            "لم يُقَر هنا بما فُقد من سجل الإجراءات: إن ذكر `yesser audit commitments` بصمات له منشورة بعد النسخة فنفّذ"
            " `yesser audit acknowledge INDEX --reason-ar … --reason-en …` حيث تُنفَّذ أوامر المشغّل.",
            "What the trail lost was not acknowledged here: if `yesser audit commitments` names commitments to it after"
            " the copy, run `yesser audit acknowledge INDEX --reason-ar … --reason-en …` where the operator's"
            " commands are run.",
        )
    elif lost:
        yield Bilingual(
            "فُقدت صفوف سجل الإجراءات التي كُتبت بعد النسخة، وأُقر ببصماتها المنشورة في السجل: {}.",
            "The rows of the trail that were written after the copy are lost; the log acknowledges it for the "
            "commitments at {}.",
        ).format(joined(lost))


def _access_sentences(access: Reapplied | None) -> Iterator[Bilingual]:
    if access is None:
        yield Bilingual(
            "لم يُطبَّق هنا ما أُلغي من رموز الدخول وما عُطّل من الحسابات بعد النسخة: نفّذ `yesser recover --access-only`"
            " حيث تُنفَّذ `yesser tokens`.",
            "What was revoked and disabled after the copy was not applied here: run `yesser recover --access-only` "
            "where `yesser tokens` is run.",
        )
        return
    for what, names in (
        (Bilingual("رموز دخول أُلغيت ثانية", "Tokens revoked again"), access.revoked),
        (Bilingual("حسابات عُطّلت ثانية", "Accounts disabled again"), access.disabled),
        (
            Bilingual("حسابات بلا كلمة مرور حتى تُعطى جديدة", "Accounts without a password until they get one"),
            access.without_password,
        ),
        (
            Bilingual("حسابات تغيّر صفها ولا تُدخل أحدًا", "Accounts whose row was changed, which sign nobody in"),
            access.changed,
        ),
        (Bilingual("فُقد ما أُنشئ بعد النسخة", "Lost, because made after the copy"), access.missing),
        (
            Bilingual("حسابات فُعّلت بعد النسخة وبقيت معطّلة", "Accounts enabled after the copy, still disabled"),
            access.still_disabled,
        ),
        (Bilingual("أسطر لا تُقرأ في سجل التغييرات", "Lines of the record that cannot be read"), access.unreadable),
    ):
        if names:
            yield Bilingual("{}: {}.", "{}: {}.").format(what, joined(names))
    yield Bilingual("جلسات الواجهة المنتهية: {}.", "Sessions of the console ended: {}.").format(access.sessions_ended)


async def recover_from(
    settings: Settings,
    sources: Sequence[Source],
    *,
    texts: Sequence[FolderTexts] = (),
    unsigned: bool,
    permit: Permit | None = None,
) -> Recovered:
    """Recover from all sources together. Where they do not give the root, another of them is believed first."""
    for number in range(len(sources)):
        source = together([*sources[number:], *sources[:number]])
        try:
            return await recover(settings, source, _show_progress, texts=texts, unsigned=unsigned, permit=permit)
        except WrongEntries:
            if number == len(sources) - 1:
                raise
    raise AssertionError("there is always the topic")


def _show_progress(what: str, size: int) -> None:
    click.echo(f"{what}: {size}", err=True)


def _document(result: Recovered, access: Reapplied | None, lost: list[int] | None) -> Recovery:
    return Recovery(
        size_before=result.size_before,
        size=result.size,
        root=result.root.hex(),
        lacking=[LackingRecords(topic, row.records, row.duplicates) for topic, row in sorted(result.lacking.items())],
        halted=[HaltedTopic(topic, reason) for topic, reason in sorted(result.halted.items())],
        lost_texts=result.lost_texts,
        access=access,
        lost_trail_commitments=lost,
    )


def _sentences(found: Recovery) -> Iterator[Bilingual]:
    yield Bilingual(
        "في السجل {:,} من القيود، أُعيد منها {:,}؛ الجذر {}.", "The log has {:,} entries ({:,} were recovered); root {}."
    ).format(found.size, found.size - found.size_before, found.root)
    for lacking in found.lacking:
        yield Bilingual(
            "سجلات لها قيود ولم تعد في {}: {} (فُقد النص الأصلي للمرفوض منها). سجلات بلا قيد لم تعد فيه: {} (مكررات لم"
            " تعد تُحسب).",
            "{} no longer holds {} records of these entries (the raw bytes of refused ones are lost) and {} records"
            " without an entry (duplicates, which are no longer counted).",
        ).format(lacking.topic, lacking.records, lacking.duplicates)
    if found.lost_texts:
        yield Bilingual(
            "نصوص في السجل فُقدت لأنها ليست في أي مصدر: {:,}. وتبقى قيودها وأدلتها صحيحة.",
            "{:,} texts of the log are lost: no source has them. Their entries and proofs stay valid.",
        ).format(found.lost_texts)
    for row in found.halted:
        yield Bilingual("توقفت قراءة {}: {}", "{} is halted: {}").format(row.topic, row.reason)


def folder_source(folder: Path) -> Source:
    """The entries of a mirror or an export; a file that is damaged ends them. Nothing is verified here: the root is."""
    from consumers.proof.audit.mirror import mirror_entries
    from consumers.proof.audit.source import is_export, unproven_entries

    async def entries(first: int) -> AsyncIterator[bytes]:
        try:
            if not is_export(folder):
                async for raw in mirror_entries(folder, first):
                    first += 1
                    yield raw
                return
            for index, raw in unproven_entries(folder):
                if index > first:
                    return
                if index == first:
                    first += 1
                    yield raw
        except Tampered as error:
            sentence = Bilingual("لا يُقرأ {} إلا حتى القيد {}: {}", "{} is read up to entry {} only: {}")
            print_localized(sentence.format(folder, first, error), err=True)

    return entries


def folder_texts(folder: Path, first: int) -> Iterator[BundleText]:
    """The texts of a mirror's or an export's entries from an index on, without those that are withheld. Nothing is
    verified here: they are compared with their entries."""
    from consumers.proof.audit.mirror import text_files
    from consumers.proof.audit.source import is_export, unproven_texts

    for texts in [unproven_texts(folder)] if is_export(folder) else text_files(folder):
        try:
            yield from (text for text in texts if text.index >= first and text.salt is not UNSET)
        except Tampered as error:
            sentence = Bilingual("لا تُقرأ كل نصوص {}: {}", "Not all texts of {} are read: {}")
            print_localized(sentence.format(folder, error), err=True)
