"""Derives authority from the log's own entries, so that no table needs to be trusted for it.

Reading every entry at each take-over would take too long. So the registrar keeps, with its first checkpoint and then
every `KEPT_EVERY` entries, what the log said so far in a note signed by the log's key, with the size and root of the
tree: only the entries after the newest such note are read again. They must give the tree, and the signed root in it.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Final

import msgspec

from events.errors import Tampered
from infra.json_documents import to_json
from infra.log.authority import Authority, changes_in
from infra.log.key_history import KeyHistory
from infra.log.merkle import EMPTY_ROOT, TileTree, leaf_hash
from infra.log.reader import entry_batches, read_tree
from infra.log.signed_note import Checkpoint, InvalidNote, PrivateKey, sign_note, signers_of
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

KEPT_EVERY: Final = 65_536
"""Entries between two notes: less than a second of reading."""
_HEADER: Final = "yesser authority"
"""No origin of a log has a space, so no such note is a checkpoint."""
_SQL: Final = queries("infra.log", "reader.sql")


class EntriesDiffer(Tampered):
    """The entries in the database do not give the log's tree: see `yesser audit verify` and the runbook."""


@dataclass(slots=True)
class KeptAuthority:
    """What the first `size` entries say, with their root."""

    size: int = 0
    root: bytes = EMPTY_ROOT
    authority: Authority = field(default_factory=Authority)

    def note(self, key: PrivateKey) -> str:
        """The signed note, a row of `log.authority`."""
        document = to_json(self.authority).decode()
        lines = [_HEADER, key.name, str(self.size), base64.b64encode(self.root).decode(), document]
        return sign_note("\n".join(lines) + "\n", [key])


def parse_kept(note: str, history: KeyHistory) -> KeptAuthority:
    """Raises `InvalidNote` for a note that no key of this log signed that was in force at its size."""
    text, signers = signers_of(note, history.keys)
    lines = text.split("\n")
    if lines[:2] != [_HEADER, history.current.name]:
        raise InvalidNote("the note is not about authority in this log")
    authority = KeptAuthority(int(lines[2]), base64.b64decode(lines[3]), msgspec.json.decode(lines[4], type=Authority))
    if not set(signers) & set(history.in_force(authority.size)):
        raise InvalidNote("the note is signed by a key that was not in force at its size")
    return authority


async def derive_authority(
    connection: Connection, history: KeyHistory, tree: TileTree, last: Checkpoint | None
) -> tuple[Authority, int]:
    """What the entries of `tree` say, and the size of the note from which they were read.

    Raises `Tampered` where the entries do not give the tree, or the root of `last` in it.
    """
    newest = await _newest(connection, history, tree.size)
    derived = await read_tree(connection, newest.size)
    if derived.root() != newest.root:
        raise EntriesDiffer(
            f"the first {newest.size} entries are not those that were signed: see `yesser audit verify`"
        )
    authority = newest.authority
    async for first, entries in entry_batches(connection, newest.size, tree.size):
        authority.apply(changes_in(first, entries))
        _append(derived, entries, last)
    if (derived.size, derived.root()) != (tree.size, tree.root()):
        raise EntriesDiffer(
            f"the entries from {newest.size} to {tree.size - 1} do not give the log's tree: see `yesser audit verify`"
        )
    return authority, newest.size


def _append(tree: TileTree, entries: list[bytes], last: Checkpoint | None) -> None:
    """Append the entries; where the last checkpoint is among them, compare its root."""
    signed = 0 if last is None else max(0, last.size - tree.size)
    tree.append([leaf_hash(entry) for entry in entries[:signed]])
    if last is not None and tree.size == last.size and tree.root() != last.root:
        raise EntriesDiffer(f"the first {last.size} entries do not give the root that was signed: see the runbook")
    tree.append([leaf_hash(entry) for entry in entries[signed:]])


async def _newest(connection: Connection, history: KeyHistory, size: int) -> KeptAuthority:
    """The newest note that the key signed, of at most `size` entries; without one, the empty log."""
    for row in await connection.fetch(_SQL["authority_notes"], size):
        try:
            return parse_kept(row["note"], history)
        except (InvalidNote, ValueError, LookupError, TypeError):
            continue
    return KeptAuthority()
