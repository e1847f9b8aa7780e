"""What the commands of `yesser audit` have in common: which log is read, what it must continue, and which entries.

A log's address or a mirror's folder needs a verifier key and at most a token; the database is used only where no source
is given.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from consumers.proof.audit.authenticated import AuthenticatedLog
from consumers.proof.audit.pinned_checkpoint import (
    KeptCheckpoint,
    OlderCopy,
    OtherKeys,
    require_continuation,
    require_reached,
    require_rotations,
    require_same_root,
    state_folder,
)
from consumers.proof.audit.source import Export, is_address, is_export, open_export, open_source
from consumers.replay.as_of.point_in_time import occurred_on
from events.values.bilingual import Bilingual
from events.wire.entry import Entry, recorded_time
from infra.addresses import NotAnAddress, server_address
from infra.command_line.gateway_options import token_in
from infra.command_line.language import print_localized
from infra.command_line.parameters import Command, date_option, gathered, time_option
from infra.keys.seals import SealKeyFiles
from infra.log.ports.port import LogPort
from infra.log.recorded_times import recorded_by
from infra.log.signed_note import Checkpoint, Verifier
from infra.private_keys.key_files import read_verifier
from infra.settings import Settings
from infra.witnesses.policy import Policy, read_policy

FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER: Final = click.Path(file_okay=False, path_type=Path)
vkey_option: Final = click.option("--vkey", help="The log's verifier key, from its operator, never from the server.")
token_file_option: Final = click.option(
    "--token-file", type=FILE, help="File with a token that may read entries (scope log:read)."
)
state_option: Final = click.option("--state", type=FOLDER, help="Folder of the checkpoints that you accepted.")
policy_option: Final = click.option(
    "--policy", type=FILE, help="File that says which witnesses must have cosigned (C2SP tlog-policy)."
)


@dataclass(frozen=True, slots=True)
class AuditSource:
    """A log: at an address, in a folder, or (`place` is None) in the database; and the checkpoints accepted before."""

    place: str | None
    verifier: Verifier
    token: str | None
    kept: KeptCheckpoint | None
    policy: Policy | None = None

    def opened(self) -> AbstractAsyncContextManager[LogPort]:
        """The log for reading. Raises `click.UsageError` for an export, which has no tree."""
        if self.is_export():
            raise click.UsageError(
                f"{self.place} is an export: verify, replay, explain and completeness read it. Give a log or a mirror."
            )
        if self.place is not None:
            return open_source(self.place, self.verifier, self.token)
        from consumers.proof.commands.database_log import database_log  # imported here: an auditor has no database

        return database_log(Settings(), self.verifier)

    @property
    def reads_texts(self) -> bool:
        """Whether the texts of entries can be read: a server gives them to the holder of a token."""
        return self.token is not None or not is_address(self.place or "")

    def is_export(self) -> bool:
        return self.place is not None and not is_address(self.place) and is_export(Path(self.place))

    def export(self) -> Export | None:
        """The verified export in the folder; None for a log. Raises `ChangedExport`, `NotWitnessed` and `ForkedLog`."""
        export = open_export(self.place, self.verifier)
        if export is not None:
            self.require_policy(export.checkpoint)
            self._compare(export)
        return export

    def whole_export(self, command: str) -> Export | None:
        """As `export`. Raises `click.UsageError` for one that lacks entries of its log."""
        export = self.export()
        if export is not None and not export.is_whole:
            raise click.UsageError(
                f"The export has {export.count} of {export.size} entries; {command} needs all: give a log or a mirror."
            )
        return export

    def _compare(self, export: Export) -> None:
        """Raise `ForkedLog` where the export is of another history than was accepted; say where it cannot show it."""
        if self.kept is None:
            return
        history = export.keys
        try:
            old = self.kept.read(history)
            is_known = old is not None or bool(self.kept.strangers(history))
        except OtherKeys:
            old, is_known = None, True
        root = None if old is None else export.root_at(old.size)
        if old is not None and root is not None:
            require_same_root(root, old, str(self.kept.path))
        elif is_known:
            sentence = Bilingual(
                "لم يثبت أن سجل هذا التصدير ({:,} من القيود) هو السجل الذي قبلته ({}).",
                "Not shown: that the log of this export ({:,} entries) is the one that you accepted ({}).",
            ).format(export.size, self.kept.path)
            print_localized(sentence, err=True)

    @asynccontextmanager
    async def accepting(self) -> AsyncIterator[tuple[LogPort, Checkpoint]]:
        """The log, and its newest checkpoint, which is accepted at the end of the block. Raises what `opened` and
        `continued` raise; then, and where the block raises, nothing is accepted."""
        async with self.opened() as port:
            _, checkpoint = await self.continued(port)
            yield port, checkpoint
        self.keep(checkpoint)

    async def continued(self, port: LogPort) -> tuple[Checkpoint | None, Checkpoint]:
        """The last checkpoint accepted, and the newest one, which continues it.

        Raises `ForkedLog`, `NotWitnessed`, `OlderCopy` for a folder that is behind, and `WrongTree` for a rotation of
        the log's key that names another tree.
        """
        new = await port.checkpoint()
        self.require_policy(new)
        history = await port.keys()
        await require_rotations(port, history, new)
        require_reached(history, self.verifier, new)
        if self.kept is None:
            return None, new
        self.kept.prepare()
        self._require_new(new, self.kept.last())  # an older copy may lack the keys of what was accepted
        old = self.kept.read(history)
        if old is None:
            _tell_of(self.kept.strangers(history))
            return None, new
        self._require_new(new, old)
        await require_continuation(port, old, new, str(self.kept.path))
        return old, new

    def _require_new(self, found: Checkpoint, old: Checkpoint | None) -> None:
        """Raise `OlderCopy` for a folder that is behind; a server that is, is no copy of the auditor's own."""
        if old is not None and found.size < old.size and not is_address(self.place or ""):
            raise OlderCopy(
                f"{self.place} holds {found.size} entries, but you accepted {old.size}: it is an older copy, or its "
                "log lost its tail. Mirror the log again"
            )

    def require_policy(self, checkpoint: Checkpoint) -> None:
        """Raises `NotWitnessed` where the policy asks for more cosignatures than the checkpoint has."""
        if self.policy is not None:
            self.policy.require(checkpoint)

    def keep(self, checkpoint: Checkpoint) -> None:
        """Accept a checkpoint: later ones must continue it."""
        if self.kept is not None:
            self.kept.write(checkpoint)


@dataclass(frozen=True, slots=True)
class Selection:
    """Entries from `first` to `end - 1` (None: the last one) of an agency, a type and a subject (None: of all).

    `until`: only what was recorded by this time. `occurred`: only what had occurred by this date, whenever it was
    recorded.
    """

    first: int = 0
    end: int | None = None
    until: datetime | None = None
    occurred: str | None = None
    agency: str | None = None
    type: str | None = None
    subject: str | None = None

    def has(self, entry: Entry) -> bool:
        """An agency's entries are those from its topic, refusals included."""
        return (
            (self.agency is None or entry.address.startswith(f"agency.{self.agency}.events/"))
            and (self.type is None or self.type in (entry.type, entry.full_type))
            and (self.subject is None or self.subject == entry.subject)
            and (self.until is None or entry.recorded <= recorded_time(self.until))
            and (self.occurred is None or occurred_on(entry) <= self.occurred)
        )

    async def end_in(self, log: AuthenticatedLog) -> int:
        """As `end_of`, and where `until` is reached."""
        end = self.end_of(log.size)
        return end if self.until is None else await recorded_by(self.until, end, lambda index: log.entries(index, 1))

    def end_of(self, size: int) -> int:
        """The end under a checkpoint of this size. Raises `click.UsageError` for an index beyond it, and for an end
        before `first`.

        From the end itself on there is nothing yet, which is no mistake of who asks for what is new.
        """
        end = size if self.end is None else self.end
        for option, index in (("--to", end), ("--from", self.first)):
            if index > size:
                raise click.UsageError(f"The newest checkpoint has {size} entries: {option} {index} is beyond it.")
        if self.first > end:
            raise click.UsageError(f"--to {end} is before --from {self.first}.")
        return end


def source_options(*, required: bool) -> Callable[[Command], Command]:
    """Give a command the argument SOURCE and its options, as the parameter `log` (`AuditSource`)."""
    metavar = "URL-OR-FOLDER" if required else "[URL-OR-FOLDER]"
    return log_options(click.argument("source", metavar=metavar, required=required))


def log_options(source: Callable[..., Any]) -> Callable[[Command], Command]:
    """The same, where `source` says which log."""
    return gathered("log", audit_source, source, vkey_option, token_file_option, state_option, policy_option)


selection_options: Final = gathered(
    "selection",
    Selection,
    click.option("--from", "first", type=click.IntRange(min=0), default=0, show_default=True, help="First index."),
    click.option("--to", "end", type=click.IntRange(min=0), help="End before this index; default: the log's end."),
    click.option("--until", metavar="TIME", callback=time_option, help="Only what was recorded by TIME."),
    click.option(
        "--occurred", metavar="DATE", callback=date_option, help="Only what had occurred by DATE, whenever recorded."
    ),
    click.option("--agency", help="Only entries from this agency's topic."),
    click.option("--type", help="Only events of this type."),
    click.option("--subject", help="Only events with this subject."),
)
seal_key_options: Final = gathered(
    "keys",
    SealKeyFiles,
    click.option(
        "--accounts-key", "accounts", type=FILE, help="Of the database: the key of the accounts' seals (accounts/key)."
    ),
    click.option(
        "--tokens-key", "tokens", type=FILE, help="Of the database: the key of the tokens' seals (tokens/hash-key)."
    ),
    click.option("--teams-key", "teams", type=FILE, help="Of the database: the key of the teams' seals (teams/key)."),
)


def audit_source(
    source: str | None,
    vkey: str | None = None,
    token_file: Path | None = None,
    state: Path | None = None,
    policy: Path | None = None,
) -> AuditSource:
    """The source of these options."""
    verifier = verifier_of(source, vkey)
    if source is not None and is_address(source):
        try:
            server_address(source)
        except NotAnAddress as error:
            raise click.UsageError(str(error)) from None
    token = None if token_file is None else token_in(token_file)
    pinned = None if source is None else KeptCheckpoint(state or state_folder(), verifier)
    return AuditSource(source, verifier, token, pinned, None if policy is None else read_policy(policy))


def _tell_of(strangers: list[Path]) -> None:
    """Say that nothing is compared, though there are checkpoints of this log's name."""
    if strangers:
        files = ", ".join(map(str, strangers))
        sentence = Bilingual(
            "لم تُقارن نقاط تحقق لسجل بهذا الاسم بمفتاح آخر ({}). إن كان السجل نفسه فخادمه يحجب عمليات استبدال مفتاحه.",
            "Not compared: checkpoints of a log of this name with another key ({}). If it is the same log, its "
            "server withholds the rotations of its key.",
        ).format(files)
        print_localized(sentence, err=True)


def verifier_of(source: str | None, vkey: str | None) -> Verifier:
    """The verifier key given; for a folder, a file or the database by default the one beside the log's key."""
    if vkey is None and source is not None and is_address(source):
        raise click.UsageError("Give the log's verifier key with --vkey: a server cannot vouch for itself.")
    return read_verifier(Settings(), vkey)
