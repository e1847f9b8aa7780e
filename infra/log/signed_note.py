"""C2SP signed notes and checkpoints: the log's key, signing, and verifying.

A note is a text, a blank line, and signature lines `— <key name> <base64(key id ‖ signature)>`. A checkpoint is a note
whose text is three lines: origin, size, base64 root. The rules are those of C2SP `signed-note` and `tlog-checkpoint`
(Ed25519, type 0x01); keys are written as Go's `golang.org/x/mod/sumdb/note` writes them.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

from events.errors import Halt, YesserError

KEY_FILE: Final = "log.skey"
VKEY_FILE: Final = "log.vkey"
CHECKPOINT_FILE: Final = "checkpoint"
ED25519: Final = b"\x01"
SIGNATURES_MAX: Final = 100
"""Most signature lines that are read, as in Go's implementation; the specification requires at least 16."""

_PRIVATE: Final = "PRIVATE+KEY+"
_SIGNATURE_LINE: Final = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_SIZE: Final = re.compile(r"0|[1-9][0-9]*")
_KEY_NAME: Final = re.compile(r"[^\s+]+")


class InvalidNote(YesserError):
    """The note is not well-formed or not signed by a known key: do not trust it, and fetch it again."""


class InvalidKey(Halt):
    """The key is not well-formed, or its file is missing although it was used: restore the file from its copy."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name. Its published text form is the *vkey*."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256(name ‖ newline ‖ type ‖ public key)."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    @property
    def vkey(self) -> str:
        """`<name>+<8 hex digits>+<base64>`."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    def accepts(self, text: str, signature: bytes) -> bool:
        """Whether `signature` (64 bytes) is this key's signature over the text."""
        try:
            VerifyKey(self.public).verify(text.encode(), signature)
        except CryptoError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class LogKey:
    """The log's private key: a 32-byte seed under the log's origin. Only the registrar's process reads it."""

    name: str
    seed: bytes

    def __repr__(self) -> str:
        return f"LogKey({self.name})"

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.name, bytes(self.signing_key.verify_key))

    @property
    def signing_key(self) -> SigningKey:
        """The key for repeated use: deriving it from the seed costs as much as a signature."""
        return SigningKey(self.seed)

    @property
    def skey(self) -> str:
        """The stored form: `PRIVATE+KEY+<name>+<8 hex digits>+<base64>`."""
        return f"{_PRIVATE}{self.name}+{self.verifier.key_id.hex()}+{base64.b64encode(ED25519 + self.seed).decode()}"

    def sign(self, text: str) -> str:
        """The signed note over `text`, which must end in a newline."""
        _require_text(text)
        signature = self.signing_key.sign(text.encode()).signature
        blob = base64.b64encode(self.verifier.key_id + signature).decode()
        return f"{text}\n— {self.name} {blob}\n"

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


def verify_note(note: str, verifiers: Sequence[Verifier]) -> str:
    """The text of a note that at least one known key signed.

    Signatures of unknown keys are ignored; a bad signature under a known key makes the note invalid.
    """
    text, blank, rest = note.rpartition("\n\n")
    if not blank or not rest.endswith("\n"):
        raise InvalidNote("the note has no signatures after a blank line")
    text += "\n"
    _require_text(text)
    lines = rest[:-1].split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise InvalidNote(f"the note has {len(lines)} signatures; at most {SIGNATURES_MAX} are read")
    known = {(v.name, v.key_id): v for v in verifiers}
    good = False
    for line in lines:
        name, key_id, signature = _signature(line)
        verifier = known.get((name, key_id))
        if verifier is None:
            continue
        if not verifier.accepts(text, signature):
            raise InvalidNote(f"the signature of {name} is wrong: the text was changed, or another key signed it")
        good = True
    if not good:
        names = ", ".join(v.vkey.rpartition("+")[0] for v in verifiers)
        raise InvalidNote(f"the note carries no signature of a known key ({names})")
    return text


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """The three lines of a checkpoint."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def parse_checkpoint(note: str, verifier: Verifier) -> Checkpoint:
    """Parse a checkpoint signed by the log whose origin is the key's name. Extension lines are ignored."""
    origin, *lines = verify_note(note, [verifier]).split("\n")[:-1]
    if origin != verifier.name:
        raise InvalidNote(f"the checkpoint is of the log {origin!r}, not of {verifier.name!r}")
    if len(lines) < 2 or not _SIZE.fullmatch(lines[0]) or not all(lines):
        raise InvalidNote("the checkpoint's text does not have the lines origin, size, root")
    root = _base64(lines[1])
    if root is None or len(root) != 32:
        raise InvalidNote("the checkpoint's root is not the base64 of 32 bytes")
    return Checkpoint(origin, int(lines[0]), root, note)


def parse_vkey(vkey: str) -> Verifier:
    """Parse a verifier key; its id must match its name and key. The base64 may contain `+`."""
    name, key_id, public = _split_key(vkey)
    verifier = Verifier(name, public)
    if verifier.key_id != key_id:
        raise InvalidKey(f"the verifier key of {name} does not have the id {key_id.hex()}: it was mistyped or changed")
    return verifier


def parse_skey(skey: str) -> LogKey:
    if not skey.startswith(_PRIVATE):
        raise InvalidKey(f"a private key begins with {_PRIVATE}")
    name, key_id, seed = _split_key(skey.removeprefix(_PRIVATE))
    key = LogKey(name, seed)
    if key.verifier.key_id != key_id:
        raise InvalidKey(f"the private key of {name} does not have the id {key_id.hex()}: its file was changed")
    return key


def load_key(folder: Path, origin: str) -> LogKey:
    """The log's key from its folder. Its public half must match the published one in `log.vkey`."""
    path, vkey_path = folder / KEY_FILE, folder / VKEY_FILE
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise InvalidKey(f"{path} is gone: put the file back from its copy") from None
    if mode & 0o077:
        raise InvalidKey(f"others may read {path}: run `chmod 600` on it, and consider who has read it")
    try:
        key = parse_skey(path.read_text(encoding="utf-8", errors="replace").strip())
    except InvalidKey as error:
        raise InvalidKey(f"{path} holds no key ({error}): put the file back from its copy") from error
    if key.name != origin:
        raise InvalidKey(f"{path} belongs to the log {key.name!r}, but the settings name {origin!r}")
    vkey = key.verifier.vkey
    if not vkey_path.exists():
        vkey_path.write_text(vkey + "\n", encoding="utf-8")
    elif (named := vkey_path.read_text(encoding="utf-8", errors="replace").strip()) != vkey:
        raise InvalidKey(
            f"{vkey_path} names the public key {named!r}, but that of {path} is {vkey!r}: put both files back from "
            "their copies"
        )
    return key


def load_or_create_key(folder: Path, origin: str) -> LogKey:
    """Like `load_key`; the key is created once, readable by its owner only, and on disk before it is used.

    No new key is created where a checkpoint was signed or the public half was published: that log's key is lost.
    """
    # In this order: a concurrent process writes the key before the other files.
    was_made = (folder / CHECKPOINT_FILE).exists() or (folder / VKEY_FILE).exists()
    if not was_made and not (folder / KEY_FILE).exists():
        _create_key(folder, origin)
    return load_key(folder, origin)


def _create_key(folder: Path, origin: str) -> None:
    if not _KEY_NAME.fullmatch(origin):
        raise InvalidKey(f"the log's origin {origin!r} may contain neither spaces nor '+'")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = folder / f"{KEY_FILE}.{os.getpid()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(LogKey(origin, os.urandom(32)).skey + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link, unlike a rename, fails if another process was first: exactly one complete key is created.
        os.link(temporary, folder / KEY_FILE)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _require_text(text: str) -> None:
    if not text.endswith("\n") or any(c < " " and c != "\n" for c in text):
        raise InvalidNote("a note's text ends in a newline and has no other control characters")


def _signature(line: str) -> tuple[str, bytes, bytes]:
    found = _SIGNATURE_LINE.fullmatch(line)
    blob = _base64(found[2]) if found else None
    if found is None or blob is None or len(blob) < 5:
        raise InvalidNote("a signature line is not: em dash, key name, base64 of key id and signature")
    return found[1], blob[:4], blob[4:]


def _split_key(text: str) -> tuple[str, bytes, bytes]:
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    key = _base64(encoded)
    if not _KEY_NAME.fullmatch(name) or not re.fullmatch(r"[0-9a-f]{8}", key_id) or key is None or len(key) != 33:
        raise InvalidKey("a key is not: name+8 hex digits+base64 of type and 32 bytes")
    if key[:1] != ED25519:
        raise InvalidKey(f"the key of {name} is not an Ed25519 key (type {key[0]:#04x})")
    return name, bytes.fromhex(key_id), key[1:]


def _base64(text: str) -> bytes | None:
    """Strict base64: padding, alphabet and unused bits as in the standard, so that one flipped bit is detected."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode() == text else None
