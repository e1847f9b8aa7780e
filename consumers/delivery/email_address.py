"""The form of an e-mail address: the same for what a team enters and for what is sent. Pure."""

from __future__ import annotations

import re
from typing import Final, Literal

from events.errors import YesserError

ADDRESS_LENGTH_MAX: Final = 254
LOCAL_LENGTH_MAX: Final = 64
LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_DOMAIN: Final = rf"(?:{LABEL}\.)+[A-Za-z](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])"
DOMAIN_PATTERN: Final = rf"^{_DOMAIN}$"
ADDRESS_PATTERN: Final = rf"^{_ATOM}+(?:\.{_ATOM}+)*@{_DOMAIN}$"
_ADDRESS: Final = re.compile(ADDRESS_PATTERN.strip("^$"))

Fault = Literal["not-an-address", "address-too-long", "encoded-word"]


class BadAddress(YesserError, ValueError):
    """An e-mail address has another form than name@domain in ASCII: correct it."""

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self.fault: Fault = fault


def checked_address(address: str) -> str:
    """The address itself. Raises `BadAddress` for anything that is not one plain ASCII address."""
    if len(address) > ADDRESS_LENGTH_MAX or not _ADDRESS.fullmatch(address):
        raise BadAddress("not-an-address")
    if len(address.rpartition("@")[0]) > LOCAL_LENGTH_MAX:
        raise BadAddress("address-too-long")
    if "=?" in address:  # an encoded word (RFC 2047), which the library decodes, and fails where it cannot
        raise BadAddress("encoded-word")
    return address
