"""The read port of a whole log: a checkpoint, hashes, entries. A reader never depends on a writer.

A mirror folder, a log over HTTP (`consumers.proof.audit`) and the log in PostgreSQL (`postgres_port`) give the same
answers for the same log.
"""

from __future__ import annotations

from typing import Protocol

from events.errors import Tampered, YesserError
from infra.log.key_history import KeyHistory
from infra.log.ports.bundle_texts import BundleText
from infra.log.proofs import HashPort
from infra.log.signed_note import Checkpoint


class NotThere(YesserError):
    """There is no log, or it has no checkpoint yet."""


class MissingPart(NotThere, Tampered):
    """A part of what was signed is missing: keep what is there, and mirror the log again to another folder."""


class LogPort(HashPort, Protocol):
    """A source of a whole log."""

    async def checkpoint(self) -> Checkpoint:
        """The newest checkpoint, signed by a key that was in force at its size."""

    async def keys(self) -> KeyHistory:
        """The history of the log's keys; once a checkpoint was read, the one that verified it, whatever comes now."""

    async def entries(self, first: int, count: int) -> list[bytes]:
        """The entries `first … first + count - 1`, or fewer where they are large, but at least those of one bundle.
        Raises `MissingPart`."""

    async def texts(self, number: int) -> list[BundleText]:
        """The texts beside a bundle of entries, as far as the source has them. They are compared with nothing, and may
        be of more entries than the checkpoint has."""


def whole(found: list[bytes], count: int, what: str, first: int) -> list[bytes]:
    """What was found. Raises `MissingPart` where some of it is missing."""
    if len(found) != count:
        raise MissingPart(f"{what} from {first}: expected {count}, found {len(found)}")
    return found
