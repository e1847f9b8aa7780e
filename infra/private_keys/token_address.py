"""Where a token has a key: an RFC 7512 address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, unquote_to_bytes

from infra.log.signed_note import InvalidKey

SCHEME: Final = "pkcs11:"
_PATH: Final = frozenset({"token", "serial", "object", "id", "type"})
_QUERY: Final = frozenset({"module-path", "pin-source"})


@dataclass(frozen=True, slots=True)
class TokenAddress:
    """Where a key is: the module's file, the token by label or serial number, the key by label or id, the PIN."""

    module: str
    token: str | None
    serial: str | None
    label: str | None
    id: bytes | None
    pin_file: str

    def __str__(self) -> str:
        return f"the token {self.token or self.serial} of {self.module}"

    @property
    def key(self) -> str:
        return self.label or (self.id or b"").hex()


def parse_address(uri: str) -> TokenAddress:
    """Raises `InvalidKey` for an address that leaves open which key is meant, or that holds a PIN."""
    if not uri.startswith(SCHEME) or any(c.isspace() for c in uri):
        raise InvalidKey(f"the address of a key in a token begins with {SCHEME} and has no spaces (write %20)")
    path, _, query = uri.removeprefix(SCHEME).partition("?")
    attributes = _attributes(path, ";", _PATH) | _attributes(query, "&", _QUERY)
    pin_file = unquote(attributes.get("pin-source", "")).removeprefix("file:")
    pin_file = pin_file.removeprefix("//") if pin_file.startswith("///") else pin_file
    module = unquote(attributes.get("module-path", ""))
    if attributes.get("type", "private") != "private":
        raise InvalidKey("the address of a key in a token: `type` is not private")
    if not (
        module.startswith("/") and pin_file.startswith("/") and attributes.get("pin-source", "").startswith("file:")
    ):
        raise InvalidKey(
            "the address of a key in a token has no `module-path=/…` or no `pin-source=file:/…`: give both, with paths "
            "from the root"
        )
    if not (attributes.get("token") or attributes.get("serial")) or not (
        attributes.get("object") or attributes.get("id")
    ):
        raise InvalidKey(
            "the address of a key in a token names no token (`token` or `serial`) or no key (`object` or `id`)"
        )
    texts = {name: unquote(value) for name, value in attributes.items() if value}
    id_ = unquote_to_bytes(attributes["id"]) if attributes.get("id") else None
    return TokenAddress(module, texts.get("token"), texts.get("serial"), texts.get("object"), id_, pin_file)


def _attributes(text: str, separator: str, known: frozenset[str]) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for part in filter(None, text.split(separator)):
        name, _, value = part.partition("=")
        if name == "pin-value":
            raise InvalidKey("the address of a key in a token holds its PIN: write it to a file, `pin-source=file:/…`")
        if name not in known or name in attributes:
            raise InvalidKey(f"the address of a key in a token: `{name}` is not used here, or is there twice")
        attributes[name] = value
    return attributes
