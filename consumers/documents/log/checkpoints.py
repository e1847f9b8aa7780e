"""The log's checkpoints: its size, who signed it, and that it only grew."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from consumers.documents.document import Count, Instant


class Signature(Struct, frozen=True, kw_only=True):
    """As the lines of a note say: nothing is verified. A witness's has its time."""

    name: str
    key_id: str
    is_cosignature: bool
    cosigned: Instant | None


class SignedCheckpoint(Struct, frozen=True, kw_only=True):
    size: Count
    note: Annotated[str, Meta(description="A C2SP signed note.")]
    signed: Annotated[Instant | None, Meta(description="When it was stored, by the database's clock.")]
    signatures: tuple[Signature, ...]


class LogState(Struct, frozen=True, kw_only=True):
    """The newest checkpoint, and the newest that enough witnesses cosigned."""

    size: Count
    recorded: Instant | None
    checkpoint: SignedCheckpoint | None
    cosigned: SignedCheckpoint | None
    rotations: tuple[str, ...]


class Consistency(Struct, frozen=True, kw_only=True):
    old_size: Count
    new_size: Count
    path: tuple[str, ...]
