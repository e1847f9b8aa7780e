"""Sessions with PKCS#11 tokens. They stay open, so that a signature is one call of the device.

After an error of the module everything is opened once more from the beginning, since many modules find a device again
only then. What fails again is an outage, `TokenUnavailable`: callers try later.

A module is used by one thread at a time. A PIN that a token refused is not sent again until its file has another one:
a token locks itself after a few.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Final, TypeVar

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.exceptions import (
    NoSuchKey,
    NoSuchToken,
    PinExpired,
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PinLocked,
    PKCS11Error,
    TokenNotPresent,
    UserAlreadyLoggedIn,
)

from events.errors import Halt
from infra.log.signed_note import InvalidKey
from infra.private_keys.private_file import read_private
from infra.private_keys.token_address import TokenAddress

T = TypeVar("T")
_PIN_REFUSED: Final = (PinExpired, PinIncorrect, PinInvalid, PinLenRange, PinLocked)
_POINT_BYTES: Final = 32


class TokenUnavailable(Halt):
    """The token that holds the key cannot be used: nothing is signed until it can."""


def sign(address: TokenAddress, message: bytes) -> bytes:
    """The Ed25519 signature (`CKM_EDDSA`) over the message. Raises `TokenUnavailable`."""
    return _module(address.module).use(
        address, lambda session: bytes(_key(session, address).sign(message, mechanism=Mechanism.EDDSA))
    )


def require_key(address: TokenAddress) -> None:
    """Raises `TokenUnavailable` unless the token answers and has the key."""
    _module(address.module).use(address, lambda session: _key(session, address))


def public_key(address: TokenAddress) -> bytes:
    """The 32 bytes of the public key that the token has beside the private one. Raises `TokenUnavailable`."""
    point = _module(address.module).use(
        address, lambda session: bytes(_key(session, address, ObjectClass.PUBLIC_KEY)[Attribute.EC_POINT])
    )
    # DER of an OCTET STRING; some modules give the 32 bytes alone.
    if len(point) not in (_POINT_BYTES, _POINT_BYTES + 2):
        raise InvalidKey(f"the key {address.key} in {address} is not an Ed25519 key: make one (docs/keys.md)")
    return point[-_POINT_BYTES:]


class _Module:
    """A module, with its open sessions by token."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = Lock()
        self._sessions: dict[tuple[str | None, str | None], Any] = {}
        self._refused: dict[tuple[str | None, str | None], str] = {}

    def use(self, address: TokenAddress, work: Callable[[Any], T]) -> T:
        """What `work` returns, given the session with the token of this address."""
        with self._lock:
            try:
                try:
                    return work(self._session(address))
                except PKCS11Error:
                    self._begin_anew()
                    return work(self._session(address))
            except PKCS11Error as error:
                raise TokenUnavailable(f"{_fault(address, error)}; signing goes on when it answers") from error

    def _session(self, address: TokenAddress) -> Any:
        place = (address.token, address.serial)
        if place in self._sessions:
            return self._sessions[place]
        pin = read_private(Path(address.pin_file))
        if not pin:
            raise InvalidKey(f"{address.pin_file} holds no PIN of {address}: write it there, with the mode 600")
        if self._refused.get(place) == pin:
            raise _pin_refused(address, "not sent")
        serial = None if address.serial is None else address.serial.encode()
        token = pkcs11.lib(self._path).get_token(token_label=address.token, token_serial=serial)
        try:
            self._sessions[place] = token.open(user_pin=pin)
        except UserAlreadyLoggedIn:
            self._sessions[place] = token.open()  # this process is, by another name of the token
        except _PIN_REFUSED as error:
            if not isinstance(error, PinLocked):  # a locked token counts no more: it is asked again once it is unlocked
                self._refused[place] = pin
            raise _pin_refused(address, type(error).__name__) from error
        return self._sessions[place]

    def _begin_anew(self) -> None:
        self._sessions.clear()
        with suppress(PKCS11Error):
            pkcs11.lib(self._path).finalize()


@cache
def _module(path: str) -> _Module:
    return _Module(path)


def _key(session: Any, address: TokenAddress, kind: ObjectClass = ObjectClass.PRIVATE_KEY) -> Any:
    return session.get_key(object_class=kind, key_type=KeyType.EC_EDWARDS, label=address.label, id=address.id)


def _pin_refused(address: TokenAddress, reason: str) -> TokenUnavailable:
    return TokenUnavailable(
        f"{address} refuses the PIN in {address.pin_file} ({reason}): correct the file. The same PIN is not sent "
        "again, since a token locks itself after a few"
    )


def _fault(address: TokenAddress, error: PKCS11Error) -> str:
    match error:
        case NoSuchToken() | TokenNotPresent():
            return f"{address} is not there: connect the device, or correct the address"
        case NoSuchKey():
            return f"{address} has no Ed25519 key {address.key}: restore it in the token, or correct the address"
    reason = " ".join(filter(None, [type(error).__name__, str(error)]))
    return f"{address} cannot be used ({reason}): check the device and its module"
