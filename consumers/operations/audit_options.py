"""What the commands of `yesser audit` have in common: which log is read, what it must continue, and which entries.

A log's address or a mirror's folder needs a verifier key and at most a token; the database is used only where no source
is given.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from consumers.audit.kept import KeptCheckpoint, require_continuation, require_rotations, state_folder
from consumers.audit.port import LogPort, read_verifier
from consumers.audit.source import is_address, open_source
from events.wire.entry import Entry
from infra.log.signed_note import Checkpoint, Verifier
from infra.settings import Settings
from infra.witnesses.policy import Policy, read_policy

Command = TypeVar("Command", bound=Callable[..., Any])
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER: Final = click.Path(file_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class AuditSource:
    """A log: at an address, in a folder, or (`place` is None) in the database; and the checkpoints accepted before."""

    place: str | None
    verifier: Verifier
    token: str | None
    kept: KeptCheckpoint | None
    policy: Policy | None = None

    def opened(self) -> AbstractAsyncContextManager[LogPort]:
        """The log for reading."""
        if self.place is not None:
            return open_source(self.place, self.verifier, self.token)
        from consumers.operations.database_log import database_log  # imported here: an auditor has no database

        return database_log(Settings(), self.verifier)

    async def continued(self, port: LogPort) -> tuple[Checkpoint | None, Checkpoint]:
        """The last checkpoint accepted, and the newest one, which continues it. Raises `ForkedLog`, `NotWitnessed`, or
        `WrongTree` for a rotation of the log's key that names another tree."""
        new = await self.witnessed(port)
        history = await port.keys()
        await require_rotations(port, history, new)
        old = None if self.kept is None else self.kept.read(history)
        if self.kept is not None and old is not None:
            await require_continuation(port, old, new, str(self.kept.path))
        return old, new

    async def witnessed(self, port: LogPort) -> Checkpoint:
        """The newest checkpoint. Raises `NotWitnessed`."""
        checkpoint = await port.checkpoint()
        self.require_policy(checkpoint)
        return checkpoint

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
    """Entries from `first` to `end - 1` (None: the last one) of an agency, a type and a subject (None: of all)."""

    first: int = 0
    end: int | None = None
    agency: str | None = None
    type: str | None = None
    subject: str | None = None

    def has(self, entry: Entry) -> bool:
        """An agency's entries are those from its topic, refusals included."""
        return (
            (self.agency is None or entry.address.startswith(f"agency.{self.agency}.events/"))
            and (self.type is None or self.type in (entry.type, entry.full_type))
            and (self.subject is None or self.subject == entry.subject)
        )

    def end_of(self, checkpoint: Checkpoint) -> int:
        """The end under a checkpoint."""
        if self.end is not None and self.end > checkpoint.size:
            raise click.UsageError(
                f"The newest checkpoint has {checkpoint.size} entries: --to {self.end} is beyond it."
            )
        return checkpoint.size if self.end is None else self.end


def source_options(*, required: bool) -> Callable[[Command], Command]:
    """Give a command the argument SOURCE and its options, as the parameter `log` (`AuditSource`)."""

    def decorate(command: Command) -> Command:
        @click.argument("source", metavar="URL-OR-FOLDER" if required else "[URL-OR-FOLDER]", required=required)
        @click.option("--vkey", help="The log's verifier key, from its operator, never from the server.")
        @click.option("--token-file", type=_FILE, help="File with a token that may read entries (scope log:read).")
        @click.option("--state", type=_FOLDER, help="Folder of the checkpoints that you accepted.")
        @policy_option
        @wraps(command)
        def with_source(
            *,
            source: str | None,
            vkey: str | None,
            token_file: Path | None,
            state: Path | None,
            policy: Path | None,
            **others: Any,
        ) -> Any:
            return command(log=audit_source(source, vkey, token_file, state, policy), **others)

        return with_source  # type: ignore[return-value]

    return decorate


def policy_option(command: Command) -> Command:
    """Give a command the option --policy."""
    return click.option(
        "--policy", type=_FILE, help="File that says which witnesses must have cosigned (C2SP tlog-policy)."
    )(command)


def selection_options(command: Command) -> Command:
    """Give a command the options that select entries, as the parameter `selection`."""

    @click.option("--from", "first", type=click.IntRange(min=0), default=0, show_default=True, help="First index.")
    @click.option("--to", "end", type=click.IntRange(min=0), help="End before this index; default: the log's end.")
    @click.option("--agency", help="Only entries from this agency's topic.")
    @click.option("--type", "type_", help="Only events of this type.")
    @click.option("--subject", help="Only events with this subject.")
    @wraps(command)
    def with_selection(
        *, first: int, end: int | None, agency: str | None, type_: str | None, subject: str | None, **others: Any
    ) -> Any:
        return command(selection=Selection(first, end, agency, type_, subject), **others)

    return with_selection  # type: ignore[return-value]


def audit_source(
    source: str | None,
    vkey: str | None = None,
    token_file: Path | None = None,
    state: Path | None = None,
    policy: Path | None = None,
) -> AuditSource:
    """The source of these options."""
    verifier = verifier_of(source, vkey)
    token = None if token_file is None else token_file.read_text(encoding="ascii").strip()
    kept = None if source is None else KeptCheckpoint(state or state_folder(), verifier)
    return AuditSource(source, verifier, token, kept, None if policy is None else read_policy(policy))


def verifier_of(source: str | None, vkey: str | None) -> Verifier:
    """The verifier key given; for a folder, a file or the database by default the one beside the log's key."""
    if vkey is None and source is not None and is_address(source):
        raise click.UsageError("Give the log's verifier key with --vkey: a server cannot vouch for itself.")
    return read_verifier(Settings(), vkey)
