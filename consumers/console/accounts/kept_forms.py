"""Keeps what somebody typed into a form while the session ended, until the same account has signed in again.

The page to sign in carries it sealed, so that nothing is stored. Passwords and files are not kept. A form names its
account by its session's secret (`Session.csrf`): what one account typed is never shown to another.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from consumers.console.accounts.sealing import Sealer
from consumers.console.accounts.sessions import username_of
from consumers.console.web.security import CSRF_FIELD

FORM_BYTES_MAX: Final = 192 << 10
"""Of a form that is kept; an event has at most 60 KiB."""
SEALED_LENGTH_MAX: Final = 400_000
KEPT_FOR: Final = timedelta(hours=2)
_NOT_KEPT: Final = (CSRF_FIELD, "password", "secret", "token")
"""A field whose name holds one of these is not kept."""
_HELD_MAX: Final = 32
Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class KeptForm:
    """A form of an account: where it was to go, and its fields in order."""

    username: str
    path: str
    fields: Fields


def kept_fields(given: Iterable[tuple[str, str]]) -> Fields:
    """The fields of a form but its session's secret, passwords and the like."""
    return tuple((name, text) for name, text in given if not any(part in name.lower() for part in _NOT_KEPT))


def is_kept_whole(given: Iterable[tuple[str, str]]) -> bool:
    """Whether `kept_fields` leaves out nothing that somebody typed."""
    typed = tuple(row for row in given if row[0] != CSRF_FIELD)
    return kept_fields(typed) == typed


class KeptForms:
    """Seals and opens forms. `clock` gives the time of day."""

    def __init__(self, sealer: Sealer, clock: Callable[[], datetime]) -> None:
        self._sealer = sealer
        self._clock = clock
        self._held: OrderedDict[str, str] = OrderedDict()

    def seal(self, path: str, fields: Iterable[tuple[str, str]]) -> str | None:
        """The sealed form; None where it names no account, has nothing to keep, or is too large."""
        given = tuple(fields)
        username = next((username_of(text) for name, text in given if name == CSRF_FIELD), None)
        kept = kept_fields(given)
        size = sum(len(name) + len(text.encode("utf-8", "replace")) for name, text in kept)
        if username is None or not kept or size > FORM_BYTES_MAX:
            return None
        return self._sealer.seal([username, path, kept, self._clock().isoformat()])

    def open(self, sealed: str) -> KeptForm | None:
        """The form; None if it was not sealed here, or too long ago."""
        document = self._sealer.open(sealed) if len(sealed) <= SEALED_LENGTH_MAX else None
        if document is None:
            return None
        username, path, fields, at = document
        if self._clock() - datetime.fromisoformat(at) > KEPT_FOR:
            return None
        return KeptForm(username, path, tuple((name, text) for name, text in fields))

    def hold(self, sealed: str) -> str:
        """Keep a sealed form here while its sender is at the identity provider; a handle for it."""
        handle = secrets.token_urlsafe(16)
        self._held[handle] = sealed
        if len(self._held) > _HELD_MAX:
            self._held.popitem(last=False)
        return handle

    def take(self, handle: str) -> str | None:
        return self._held.pop(handle, None)
