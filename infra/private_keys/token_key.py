"""A private key in a PKCS#11 token, such as an HSM. The key's file holds its verifier key and its address (RFC 7512):

    log.example/0+1a2b3c4d+AQ… pkcs11:token=log;object=log-2026?module-path=/usr/lib/hsm.so&pin-source=file:/etc/pin

So a key in a token is rotated, listed, exported and compared with the history as one in a file is, and what needs the
public half alone asks no token.
"""

from __future__ import annotations

from dataclasses import dataclass

from infra.log.signed_note import InvalidKey, LogKey, PrivateKey, Verifier, is_signature, parse_skey, parse_vkey
from infra.private_keys.token_address import parse_address


@dataclass(frozen=True, slots=True)
class TokenKey:
    """An Ed25519 key in a token, with the public half that its file names."""

    verifier: Verifier
    uri: str

    @property
    def name(self) -> str:
        return self.verifier.name

    @property
    def skey(self) -> str:
        return f"{self.verifier.vkey} {self.uri}"

    def signature(self, message: bytes) -> bytes:
        from infra.private_keys.token_session import sign  # of the extra `platform`

        address = parse_address(self.uri)
        signature = sign(address, message)
        if not is_signature(self.verifier.public, message, signature):
            raise InvalidKey(
                f"the key {address.key} in {address} is not the one that was registered, {self.verifier.vkey}: "
                "restore that key in the token"
            )
        return signature

    def require(self) -> None:
        from infra.private_keys.token_session import require_key

        require_key(parse_address(self.uri))


def registered_key(name: str, uri: str) -> TokenKey:
    """The key at this address, with its public half from the token. One signature shows that the halves fit."""
    from infra.private_keys.token_session import public_key

    key = TokenKey(Verifier(name, public_key(parse_address(uri))), uri)
    # No checkpoint and no rotation: its first line is no name of a log.
    key.signature(f"urn:yesser:key-registration:v1\n{key.verifier.vkey}\n".encode())
    return key


def parse_private_key(line: str) -> PrivateKey:
    """The key of a line: `PRIVATE+KEY+…`, or a verifier key and an address. Raises `InvalidKey`."""
    vkey, space, uri = line.partition(" ")
    if not space:
        return parse_skey(line)
    parse_address(uri)
    return TokenKey(parse_vkey(vkey), uri)


def is_in_file(key: PrivateKey) -> bool:
    """Whether the file holds the key itself."""
    return isinstance(key, LogKey)
