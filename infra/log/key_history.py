"""The history of a signing key: each rotation is a note in which the old key names its successor, signed by both.

Flows in: notes, from a file, a table, a mirror or an HTTP answer. Flows out: which keys may sign a checkpoint of which
size. Anyone who knows one key of the history can verify the others, earlier and later ones.

A note's text has the lines kind, old vkey, new vkey, time until which both keys sign, and, for the log's key, the size
and the root of the tree at the rotation. From that size on a checkpoint needs the signature of the new key; the old
one's beside it is for verifiers that do not read this history.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from infra.log.signed_note import (
    Checkpoint,
    InvalidKey,
    InvalidNote,
    PrivateKey,
    Verifier,
    parse_tree,
    parse_vkey,
    read_checkpoint,
    sign_note,
    signers_of,
)

TRANSITION_KIND: Final = "urn:yesser:key-transition:v1"
"""The first line of a transition. No checkpoint has it, because its first line is the log's name."""

Tree = tuple[int, bytes]
"""The size and the root of a tree."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One rotation. `tree` is that of the log at the rotation; None for a key that signs no checkpoints."""

    old: Verifier
    new: Verifier
    overlap_until: str
    tree: Tree | None
    note: str

    @property
    def size(self) -> int:
        """The number of entries from which on the new key must sign."""
        return self.tree[0] if self.tree else 0


@dataclass(frozen=True, slots=True)
class KeyHistory:
    """The public keys of one signer, the first one first. `keys[i + 1]` replaced `keys[i]` by `transitions[i]`."""

    keys: tuple[Verifier, ...]
    transitions: tuple[Transition, ...] = ()

    @classmethod
    def of(cls, known: Verifier, transitions: Sequence[Transition]) -> Self:
        """The history that the `known` key is part of. Raises `InvalidNote` for one that is broken or another's."""
        keys = (transitions[0].old, *(step.new for step in transitions)) if transitions else (known,)
        for number, (step, before) in enumerate(zip(transitions, keys, strict=False), 1):
            if step.old != before:
                raise InvalidNote(f"rotation {number} does not replace the key of the rotation before it")
        sizes = [step.size for step in transitions]
        if sizes != sorted(sizes) or len(set(keys)) != len(keys):
            raise InvalidNote("the rotations are not in the order of the log, or a replaced key is used again")
        return cls(keys, tuple(transitions)).known_by(known)

    def known_by(self, key: Verifier) -> Self:
        """This history. Raises `InvalidNote` where the key is no part of it."""
        if key not in self.keys:
            raise InvalidNote(f"the key {key_name(key)} is not in the history of keys ({_names(self.keys)})")
        return self

    @property
    def current(self) -> Verifier:
        return self.keys[-1]

    @property
    def size(self) -> int:
        """The size of the tree at the last rotation; 0 before it."""
        return self.transitions[-1].size if self.transitions else 0

    def in_force(self, size: int) -> list[Verifier]:
        """The keys that may sign the tree of `size` entries; two at exactly the size of a rotation."""
        ends = [*(step.size for step in self.transitions), None]
        begins = [0, *(step.size for step in self.transitions)]
        return [
            key
            for key, begin, end in zip(self.keys, begins, ends, strict=True)
            if begin <= size and (end is None or size <= end)
        ]

    def signer(self, checkpoint: Checkpoint) -> Verifier:
        """The newest key that signed a verified checkpoint."""
        signers = signers_of(checkpoint.note, self.keys)[1]
        return max(signers, key=self.keys.index)

    def valid_at(self, now: datetime) -> list[Verifier]:
        """The keys that may sign now: the current one, and each one before it whose overlap is not over."""
        overlapping = [step.old for step in self.transitions if now < datetime.fromisoformat(step.overlap_until)]
        return [*overlapping, self.current]

    def parse_checkpoint(self, note: str) -> Checkpoint:
        """Parse a checkpoint that is signed by a key in force at its size."""
        text, signers = signers_of(note, self.keys)
        checkpoint = read_checkpoint(text, self.current.name, note)
        valid = self.in_force(checkpoint.size)
        if not set(signers) & set(valid):
            raise InvalidNote(
                f"the checkpoint of size {checkpoint.size} is signed by {_names(signers)} only, "
                f"but at this size {_names(valid)} is in force"
            )
        return checkpoint

    def continued(self, other: KeyHistory) -> KeyHistory:
        """The longer of two histories of which one continues the other. Raises `InvalidNote` for any others."""
        short, long = sorted((self, other), key=lambda history: len(history.transitions))
        if long.keys[: len(short.keys)] != short.keys:
            raise InvalidNote(f"two histories of keys differ: {_names(short.keys)} and {_names(long.keys)}")
        return long

    def text(self) -> str:
        """The rotations: the notes, with a blank line between them."""
        return "\n".join(step.note for step in self.transitions)

    def document(self) -> str:
        """The published form: the first vkey, and after a blank line the rotations."""
        return "\n".join([f"{self.keys[0].vkey}\n", *(step.note for step in self.transitions)])


def key_name(key: Verifier) -> str:
    """`<name>+<key id>`, the beginning of the vkey."""
    return f"{key.name}+{key.key_id.hex()}"


def sign_transition(old: PrivateKey, new: PrivateKey, overlap_until: datetime, tree: Tree | None) -> Transition:
    """The rotation from the old key to the new one."""
    if old.name != new.name:
        raise InvalidKey(f"the new key's name is {new.name!r}, but that of the old one is {old.name!r}")
    until = overlap_until.isoformat(timespec="seconds").replace("+00:00", "Z")
    lines = [TRANSITION_KIND, old.verifier.vkey, new.verifier.vkey, until]
    if tree is not None:
        lines += [str(tree[0]), base64.b64encode(tree[1]).decode()]
    note = sign_note("".join(f"{line}\n" for line in lines), [old, new])
    return Transition(old.verifier, new.verifier, until, tree, note)


def parse_transition(note: str) -> Transition:
    """Parse a rotation; both of its keys must have signed it."""
    kind, *lines = note.partition("\n\n")[0].split("\n")
    if kind != TRANSITION_KIND or len(lines) not in (3, 5):
        raise InvalidNote("a rotation does not have the lines kind, old key, new key, end of the overlap, size, root")
    try:
        old, new = parse_vkey(lines[0]), parse_vkey(lines[1])
        datetime.fromisoformat(lines[2])
    except (InvalidKey, ValueError) as error:
        raise InvalidNote(f"a rotation cannot be read: {error}") from error
    if old.name != new.name or set(signers_of(note, [old, new])[1]) != {old, new}:
        raise InvalidNote(f"the rotation to {key_name(new)} is not signed by both keys of one name")
    return Transition(old, new, lines[2], parse_tree(*lines[3:]) if lines[3:] else None, note)


def parse_transitions(text: str) -> list[Transition]:
    """Parse the published form of a history."""
    blocks = text.removesuffix("\n").split("\n\n") if text else []
    if len(blocks) % 2:
        raise InvalidNote("the history of keys is not a sequence of notes")
    return [parse_transition(f"{text}\n\n{lines}\n") for text, lines in zip(blocks[::2], blocks[1::2], strict=True)]


def parse_history(document: str, known: Verifier) -> KeyHistory:
    """Parse the published form of the history that the `known` key is part of."""
    first, _, notes = document.partition("\n\n")
    try:
        history = KeyHistory.of(parse_vkey(first.strip()), parse_transitions(notes))
    except InvalidKey as error:
        raise InvalidNote(f"the history of keys does not begin with a vkey: {error}") from error
    return history.known_by(known)


def _names(keys: Sequence[Verifier]) -> str:
    return ", ".join(map(key_name, keys))
