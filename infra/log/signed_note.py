"""C2SP signed notes and checkpoints: keys, signing, and verifying.

A note is a text, a blank line, and signature lines `— <key name> <base64(key id ‖ signature)>`. A checkpoint is a note
whose text is three lines: origin, size, base64 root. The rules are those of C2SP `signed-note` and `tlog-checkpoint`
(Ed25519, type 0x01); keys are written as Go's `golang.org/x/mod/sumdb/note` writes them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Protocol, TypeVar

from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

from events.errors import Halt, YesserError

ED25519: Final = b"\x01"
COSIGNATURE_V1: Final = b"\x04"
ML_DSA_44: Final = b"\x06"
SEED_BYTES: Final = 32
PUBLIC_BYTES: Final = {ED25519: 32, COSIGNATURE_V1: 32, ML_DSA_44: 1312}
_KINDS: Final = {ED25519: "Ed25519", COSIGNATURE_V1: "cosignature/v1", ML_DSA_44: "ML-DSA-44 cosignature"}
SIGNATURES_MAX: Final = 100
"""Most signature lines that are read, as in Go's implementation; the specification requires at least 16."""

_PRIVATE: Final = "PRIVATE+KEY+"
_SIGNATURE_LINE: Final = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_SIZE: Final = re.compile(r"0|[1-9][0-9]*")
_KEY_NAME: Final = re.compile(r"[^\s+]+")


class InvalidNote(YesserError):
    """The note is not well-formed or not signed by a known key: do not trust it, and fetch it again."""


class OtherKey(YesserError):
    """Another key of the same log signed it: give that key, once the log's `keys` show that one replaced the other."""


class InvalidKey(Halt):
    """The key is not well-formed, or its file is missing although it was used: restore the file from its copy."""


class PublicKey(Protocol):
    """A named key whose signatures are in notes."""

    @property
    def name(self) -> str: ...

    @property
    def key_id(self) -> bytes: ...

    def accepts(self, text: str, signature: bytes) -> bool:
        """Whether `signature`, without the key id, is this key's over the text."""


Key = TypeVar("Key", bound=PublicKey)


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name. Its published text form is the *vkey*."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        return key_id(self.name, ED25519 + self.public)

    @property
    def vkey(self) -> str:
        return vkey_of(self.name, ED25519 + self.public)

    def accepts(self, text: str, signature: bytes) -> bool:
        return is_signature(self.public, text.encode(), signature)


class PrivateKey(Protocol):
    """What signs with Ed25519: a key in a file (`LogKey`), or in a PKCS#11 token (`infra.private_keys.token_key`)."""

    @property
    def name(self) -> str: ...

    @property
    def verifier(self) -> Verifier: ...

    @property
    def skey(self) -> str:
        """The line that its file holds."""

    def signature(self, message: bytes) -> bytes:
        """The signature, 64 bytes. It may wait for a device. Raises `Halt` where the key cannot be used now."""

    def require(self) -> None:
        """Raise `Halt` where the key cannot be used now."""


@dataclass(frozen=True, slots=True)
class LogKey:
    """A private key as a 32-byte seed under a name, which is the log's origin. Only the signing process reads it."""

    name: str
    seed: bytes
    _key: SigningKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Once: deriving it from the seed costs as much as a signature.
        object.__setattr__(self, "_key", SigningKey(self.seed))

    def __repr__(self) -> str:
        return f"LogKey({self.name})"

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.name, bytes(self._key.verify_key))

    @property
    def skey(self) -> str:
        """The stored form: `PRIVATE+KEY+<name>+<8 hex digits>+<base64>`."""
        return skey_of(self.name, self.verifier.key_id, ED25519 + self.seed)

    def signature(self, message: bytes) -> bytes:
        return self._key.sign(message).signature

    def require(self) -> None:
        """It is in memory."""

    def sign(self, text: str) -> str:
        """The signed note over `text`, which must end in a newline."""
        return sign_note(text, [self])

    def sign_checkpoint(self, size: int, root: bytes) -> str:
        """The signed checkpoint of a tree of `size` entries; the origin is the key's name."""
        return self.sign(checkpoint_text(self.name, size, root))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's size and root. `note` is the signed form that it was parsed from."""

    origin: str
    size: int
    root: bytes
    note: str


def sign_note(text: str, keys: Sequence[PrivateKey]) -> str:
    """The note over `text`, which must end in a newline, with the signature of each key."""
    _require_text(text)
    lines = [signature_line(key.name, key.verifier.key_id + key.signature(text.encode())) for key in keys]
    return f"{text}\n{''.join(lines)}"


def signature_line(name: str, blob: bytes) -> str:
    """The line of one signature; `blob` is the key id and the signature."""
    return f"— {name} {base64.b64encode(blob).decode()}\n"


def verify_note(note: str, verifiers: Sequence[Verifier]) -> str:
    """The text of a note that at least one known key signed."""
    return signers_of(note, verifiers)[0]


def signers_of(note: str, verifiers: Sequence[Verifier]) -> tuple[str, list[Verifier]]:
    """The text of a note, and those of the known keys that signed it. Raises `InvalidNote` where none did."""
    text, good = known_signers(note, verifiers)
    if not good:
        names = ", ".join(v.vkey.rpartition("+")[0] for v in verifiers)
        raise InvalidNote(f"the note carries no signature of a known key ({names})")
    return text, good


def known_signers(note: str, keys: Sequence[Key]) -> tuple[str, list[Key]]:
    """The text of a note, and those of the known keys that signed it.

    Signatures of unknown keys are ignored; a bad signature under a known key makes the note invalid.
    """
    text, lines = split_note(note)
    known = {(key.name, key.key_id): key for key in keys}
    good: list[Key] = []
    for name, found_id, signature in map(_signature, lines):
        key = known.get((name, found_id))
        if key is None:
            continue
        if not key.accepts(text, signature):
            raise InvalidNote(f"the signature of {name} is wrong: the text was changed, or another key signed it")
        good.append(key)
    return text, good


def other_signers(note: str, verifier: Verifier) -> list[str]:
    """`<name>+<key id>` of the keys of this key's name that a note names as its signers, none of them this key.

    Nothing is verified. Empty for a malformed note, and where a line is this key's own signature under another id,
    which was changed.
    """
    try:
        text, _ = split_note(note)
        signatures = [(key_id, signature) for name, key_id, signature in signature_lines(note) if name == verifier.name]
    except InvalidNote:
        return []
    if any(key_id == verifier.key_id or verifier.accepts(text, signature) for key_id, signature in signatures):
        return []
    return [f"{verifier.name}+{key_id.hex()}" for key_id, _ in signatures]


def signature_lines(note: str) -> list[tuple[str, bytes, bytes]]:
    """Name, key id and signature of each line of a note; none is verified. Raises `InvalidNote`."""
    return [*map(_signature, split_note(note)[1])]


def split_note(note: str) -> tuple[str, list[str]]:
    """The text of a note, and its signature lines. Raises `InvalidNote`."""
    text, blank, rest = note.rpartition("\n\n")
    if not blank or not rest.endswith("\n"):
        raise InvalidNote("the note has no signatures after a blank line")
    text += "\n"
    _require_text(text)
    lines = rest[:-1].split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise InvalidNote(f"the note has {len(lines)} signatures; at most {SIGNATURES_MAX} are read")
    return text, lines


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """The three lines of a checkpoint."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def parse_checkpoint(note: str, verifier: Verifier) -> Checkpoint:
    """Parse a checkpoint signed by the log whose origin is the key's name. Extension lines are ignored."""
    return read_checkpoint(verify_note(note, [verifier]), verifier.name, note)


def read_checkpoint(text: str, name: str, note: str) -> Checkpoint:
    """Parse the verified `text` of `note` as a checkpoint of the log `name`."""
    origin, *lines = text.split("\n")[:-1]
    if origin != name:
        raise InvalidNote(f"the checkpoint is of the log {origin!r}, not of {name!r}")
    if len(lines) < 2 or not all(lines):
        raise InvalidNote("the checkpoint's text does not have the lines origin, size, root")
    return Checkpoint(origin, *parse_tree(lines[0], lines[1]), note)


def parse_tree(size: str, root: str) -> tuple[int, bytes]:
    """The size and the root of a tree from their lines in a note."""
    if not _SIZE.fullmatch(size):
        raise InvalidNote(f"{size!r} is not the size of a tree")
    root_bytes = strict_base64(root)
    if root_bytes is None or len(root_bytes) != 32:
        raise InvalidNote("the root is not the base64 of 32 bytes")
    return int(size), root_bytes


def is_signature(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 bytes) is this Ed25519 key's over the message."""
    try:
        VerifyKey(public).verify(message, signature)
    except (CryptoError, ValueError):
        return False
    return True


def key_id(name: str, key: bytes) -> bytes:
    """The first 4 bytes of SHA-256(name ‖ newline ‖ key); `key` is the type and the public key."""
    return sha256(name.encode() + b"\n" + key).digest()[:4]


def vkey_of(name: str, key: bytes) -> str:
    """`<name>+<8 hex digits>+<base64>`; `key` is the type and the public key."""
    return f"{name}+{key_id(name, key).hex()}+{base64.b64encode(key).decode()}"


def skey_of(name: str, found_id: bytes, key: bytes) -> str:
    """`PRIVATE+KEY+<name>+<8 hex digits>+<base64>`; `key` is the type and the seed."""
    return f"{_PRIVATE}{name}+{found_id.hex()}+{base64.b64encode(key).decode()}"


def parse_vkey(vkey: str) -> Verifier:
    """Parse a verifier key; its id must match its name and key."""
    return Verifier(*split_vkey(vkey, ED25519)[:2])


def split_vkey(vkey: str, *kinds: bytes) -> tuple[str, bytes, bytes]:
    """Name, public key and type of a verifier key of one of these types. The base64 may contain `+`."""
    name, found_id, kind, public = _split_key(vkey, kinds)
    if len(public) != PUBLIC_BYTES[kind]:
        raise InvalidKey(f"the verifier key of {name} has {len(public)} bytes; its type has {PUBLIC_BYTES[kind]}")
    if key_id(name, kind + public) != found_id:
        raise InvalidKey(
            f"the verifier key of {name} does not have the id {found_id.hex()}: it was mistyped or changed"
        )
    return name, public, kind


def parse_skey(skey: str) -> LogKey:
    name, found_id, _, seed = split_skey(skey, ED25519)
    key = LogKey(name, seed)
    require_id(name, found_id, key.verifier.key_id)
    return key


def split_skey(skey: str, *kinds: bytes) -> tuple[str, bytes, bytes, bytes]:
    """Name, id, type and seed of a private key of one of these types. Its id is not compared yet (`require_id`)."""
    if not skey.startswith(_PRIVATE):
        raise InvalidKey(f"a private key begins with {_PRIVATE}")
    name, found_id, kind, seed = _split_key(skey.removeprefix(_PRIVATE), kinds)
    if len(seed) != SEED_BYTES:
        raise InvalidKey(f"the private key of {name} has {len(seed)} bytes, not {SEED_BYTES}")
    return name, found_id, kind, seed


def require_id(name: str, found: bytes, right: bytes) -> None:
    """The id that a private key's file names must be that of its public half."""
    if found != right:
        raise InvalidKey(f"the private key of {name} does not have the id {found.hex()}: its file was changed")


def _require_text(text: str) -> None:
    if not text.endswith("\n") or any(c < " " and c != "\n" for c in text):
        raise InvalidNote("a note's text ends in a newline and has no other control characters")


def _signature(line: str) -> tuple[str, bytes, bytes]:
    match = _SIGNATURE_LINE.fullmatch(line)
    blob = strict_base64(match[2]) if match else None
    if match is None or blob is None or len(blob) < 5:
        raise InvalidNote("a signature line is not: em dash, key name, base64 of key id and signature")
    return match[1], blob[:4], blob[4:]


def _split_key(text: str, kinds: Sequence[bytes]) -> tuple[str, bytes, bytes, bytes]:
    name, _, rest = text.partition("+")
    found_id, _, encoded = rest.partition("+")
    key = strict_base64(encoded)
    if not _KEY_NAME.fullmatch(name) or not re.fullmatch(r"[0-9a-f]{8}", found_id) or not key:
        raise InvalidKey("a key is not: name+8 hex digits+base64 of type and key")
    if key[:1] not in kinds:
        wanted = " or ".join(f"{kind[0]:#04x} ({_KINDS[kind]})" for kind in kinds)
        raise InvalidKey(f"the key of {name} is of type {key[0]:#04x}, not {wanted}")
    return name, bytes.fromhex(found_id), key[:1], key[1:]


def strict_base64(text: str) -> bytes | None:
    """Strict base64: padding, alphabet and unused bits as in the standard, so that one flipped bit is detected."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode() == text else None
