"""Verifies an export of the national log without a network and without any other program of the platform.

    python verify.py FOLDER VKEY

FOLDER holds this file, `checkpoint`, `proof.json` and `entries.ndjson` or `entries.parquet`. VKEY is the log's verifier
key: get it from the log's operator over a channel that you trust, never from the export. Needs Python 3.10 or newer;
PyNaCl or cryptography for one signature; for Parquet also duckdb.

What is verified: the checkpoint is signed by the log's key; every entry is at its index in the tree that was signed;
every other column of a row is what its entry says. Exit code: 0 verified, 76 something was changed, 2 wrong use.

يتحقق هذا البرنامج من تصدير للسجل الوطني دون شبكة ودون أي برنامج آخر من المنصة. خذ مفتاح التحقق VKEY من مشغّل السجل عبر
قناة تثق بها، لا من التصدير نفسه. يتحقق من توقيع نقطة التحقق، ومن أن كل قيد في موضعه من الشجرة الموقّعة، ومن أن سائر
الأعمدة مطابقة لقيدها. رمز الخروج: 0 سليم، 76 فيه تغيير، 2 استعمال غير صحيح.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import sys
from bisect import bisect_left
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

ED25519 = b"\x01"
TABLE = "entries.parquet"
COLUMNS = ("index", "recordedtime", "from", "id", "source", "type", "subject", "time", "data", "entry")
OK, WRONG_USE, CHANGED = 0, 2, 76
Reader = Callable[[Path], Iterator[tuple[int, bytes]]]


class Changed(Exception):
    """The export is not what was signed; the message says where."""


def main(arguments: list[str]) -> int:
    """Verify the folder that the arguments name, and print the result in Arabic and English."""
    if len(arguments) != 2:
        sys.stderr.write(f"{__doc__}\n")
        return WRONG_USE
    folder, vkey = Path(arguments[0]), arguments[1]
    try:
        size, root, count = verify(folder, vkey)
    except Changed as error:
        sys.stderr.write(f"تغيّر هذا التصدير: {error}\nThis export was changed: {error}\n")
        return CHANGED
    except (FileNotFoundError, NotADirectoryError, ImportError, UsageError) as error:
        sys.stderr.write(f"تعذر التحقق: {error}\nNothing was verified: {error}\n")
        return WRONG_USE
    sys.stdout.write(f"سليم: {count} من قيود السجل وعددها {size}، وجذره {root}.\n")
    sys.stdout.write(f"Verified: {count} entries of a log of {size} entries with the root {root}.\n")
    return OK


class UsageError(Exception):
    """The command was given something that it cannot use."""


def verify(folder: Path, vkey: str, read: Reader | None = None) -> tuple[int, str, int]:
    """Size and root that were signed, and the number of entries. Raises `Changed` or `UsageError`.

    `read` replaces `read_entries`.
    """
    origin, key_id, public = read_vkey(vkey)
    size, root = read_checkpoint(read_text(folder / "checkpoint"), origin, key_id, public)
    hashes = iter(read_proof(read_text(folder / "proof.json"), size, folder / TABLE))
    indexes: list[int] = []
    leaves: list[bytes] = []
    for number, (index, entry) in enumerate((read or read_entries)(folder), 1):
        if not 0 <= index < size or (indexes and index <= indexes[-1]):
            raise Changed(f"row {number}: index {index} is out of order, or not in the log of {size} entries")
        indexes.append(index)
        leaves.append(sha256(b"\x00" + entry).digest())
    try:
        computed = tree_root(0, size, indexes, leaves, hashes) if size else sha256(b"").digest()
    except StopIteration:
        raise Changed("proof.json: it has too few hashes") from None
    if next(hashes, None) is not None:
        raise Changed("proof.json: it has too many hashes")
    if computed != root:
        raise Changed(
            f"the entries and the proof give the root {computed.hex()}, but {root.hex()} was signed:"
            " an entry, its index or a hash of the proof was changed, or an entry is missing"
        )
    return size, root.hex(), len(indexes)


def tree_root(begin: int, end: int, indexes: list[int], leaves: list[bytes], hashes: Iterator[bytes]) -> bytes:
    """The Merkle tree hash of entries `begin … end - 1` (RFC 6962 §2.1).

    A part of the tree without exported entries is the next hash of the proof, from left to right.
    """
    at = bisect_left(indexes, begin)
    if at == len(indexes) or indexes[at] >= end:
        return next(hashes)
    if end - begin == 1:
        return leaves[at]
    split = begin + (1 << (end - begin - 1).bit_length() - 1)
    left = tree_root(begin, split, indexes, leaves, hashes)
    return sha256(b"\x01" + left + tree_root(split, end, indexes, leaves, hashes)).digest()


def read_vkey(vkey: str) -> tuple[str, bytes, bytes]:
    """Origin, key id and public key of `<origin>+<8 hex digits>+<base64>` (C2SP signed-note)."""
    parts = vkey.split("+", 2)
    try:
        origin, shown, encoded = parts
        data = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        raise UsageError("VKEY is not a verifier key: <origin>+<8 hex digits>+<base64>") from None
    key_id = sha256(origin.encode() + b"\n" + data).digest()[:4]
    if data[:1] != ED25519 or len(data) != 33 or key_id.hex() != shown:
        raise UsageError("VKEY is not an Ed25519 verifier key, or was copied wrongly")
    return origin, key_id, data[1:]


def read_checkpoint(note: str, origin: str, key_id: bytes, public: bytes) -> tuple[int, bytes]:
    """Size and root of a checkpoint (C2SP tlog-checkpoint) that this key signed. Signatures of other keys are ignored,
    but must be well-formed."""
    text, blank, signatures = note.rpartition("\n\n")
    if not blank or not signatures.endswith("\n"):
        raise Changed("checkpoint: no signatures follow a blank line")
    text += "\n"
    signed = False
    for line in signatures[:-1].split("\n"):
        name, blob = read_signature(line)
        if name == origin and blob[:4] == key_id:
            check_signature(public, text.encode(), blob[4:])
            signed = True
    if not signed:
        raise Changed(f"checkpoint: it is not signed by the key of {origin} that you gave")
    lines = text.split("\n")
    if len(lines) < 4 or lines[0] != origin or not re.fullmatch("0|[1-9][0-9]*", lines[1]):
        raise Changed("checkpoint: it is not one of this log")
    return int(lines[1]), from_base64(lines[2], 32, "checkpoint: the root")


def read_signature(line: str) -> tuple[str, bytes]:
    found = re.fullmatch(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})", line)
    if found is None:
        raise Changed("checkpoint: a signature line is malformed")
    return found[1], from_base64(found[2], None, "checkpoint: a signature")


def check_signature(public: bytes, text: bytes, signature: bytes) -> None:
    """Raises `Changed` unless this is the key's Ed25519 signature (RFC 8032) over the text."""
    try:
        from nacl.exceptions import CryptoError
        from nacl.signing import VerifyKey

        try:
            VerifyKey(public).verify(text, signature)
        except (CryptoError, ValueError):
            raise Changed("checkpoint: the signature is wrong") from None
        return
    except ImportError:
        pass
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text)
    except InvalidSignature:
        raise Changed("checkpoint: the signature is wrong") from None


def read_proof(text: str, size: int, table: Path) -> list[bytes]:
    """The hashes of `proof.json`. It also has the SHA-256 of a Parquet file, many of whose bytes are in no row."""
    document = read_json(text, "proof.json")
    hashes = document.get("hashes") if isinstance(document, dict) else None
    whole = {"size": size, "hashes": hashes} | ({"sha256": file_sha256(table)} if table.exists() else {})
    if isinstance(document, dict) and document.keys() == whole.keys() and document.get("sha256") != whole.get("sha256"):
        raise Changed(f"{table.name}: it is not the file that was exported")
    if not isinstance(hashes, list) or document != whole:
        raise Changed("proof.json: it does not hold the size that was signed, and hashes")
    if text != as_json(document) + "\n":
        raise Changed("proof.json: it is not written as it was exported")
    return [from_base64(value, 32, f"proof.json: hash {number}") for number, value in enumerate(hashes)]


def read_entries(folder: Path) -> Iterator[tuple[int, bytes]]:
    """Index and bytes of every entry, once all columns of its row agree with it."""
    table, lines = folder / TABLE, folder / "entries.ndjson"
    if table.exists():
        yield from read_table(table)
        return
    with lines.open("rb") as file:
        for number, line in enumerate(file, 1):
            yield read_line(line, number)


def read_line(line: bytes, number: int) -> tuple[int, bytes]:
    """Index and bytes of the entry in a line of `entries.ndjson`."""
    place = f"entries.ndjson: line {number}"
    row = read_json(decode(line, place), place)
    if not isinstance(row, dict) or not isinstance(row.get("entry"), str):
        raise Changed(f"{place} is not a row with an entry")
    index, entry = row.get("index"), row["entry"].encode("utf-8", "surrogatepass")
    if not isinstance(index, int) or isinstance(index, bool):
        raise Changed(f"{place} has no index")
    if line != row_line(index, entry, place):
        raise Changed(f"{place} does not say what its entry says")
    return index, entry


def read_table(path: Path) -> Iterator[tuple[int, bytes]]:
    """As `read_entries`, of a Parquet file."""
    import duckdb

    try:
        rows = duckdb.connect().execute("SELECT * FROM read_parquet(?) ORDER BY index", [str(path)])
        names = tuple(column[0] for column in rows.description)
        if names != COLUMNS:
            raise Changed("entries.parquet: its columns are not those of an export")
        while values := rows.fetchone():
            row = dict(zip(names, values, strict=True))
            place = f"entries.parquet: the row of index {row['index']}"
            entry = str(row["entry"]).encode()
            if {**row, "data": read_json(str(row["data"]), place)} != row_of(row["index"], entry, place):
                raise Changed(f"{place} does not say what its entry says")
            yield row["index"], entry
    except duckdb.Error as error:
        raise Changed(f"entries.parquet: it cannot be read ({error})") from None


def row_line(index: int, entry: bytes, place: str) -> bytes:
    """The line of an export for an entry."""
    return (as_json(row_of(index, entry, place)) + "\n").encode()


def row_of(index: int, entry: bytes, place: str) -> dict[str, Any]:
    """All columns of an entry."""
    text = decode(entry, place)
    document = read_json(text, place)
    try:
        event = document["event"]
        said = {name: event[name] for name in ("id", "source", "type", "subject", "time", "data")}
        return {
            "index": index,
            "recordedtime": document["recordedtime"],
            "from": document["from"],
            **said,
            "entry": text,
        }
    except (KeyError, TypeError):
        raise Changed(f"{place}: its entry is not one of the log") from None


def file_sha256(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def read_text(path: Path) -> str:
    return decode(path.read_bytes(), path.name)


def decode(data: bytes, place: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Changed(f"{place}: it is not UTF-8") from None


def read_json(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Changed(f"{place}: it is not JSON") from None


def as_json(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def from_base64(text: Any, length: int | None, what: str) -> bytes:
    """The bytes of base64 in its one canonical form."""
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, TypeError, binascii.Error):
        raise Changed(f"{what} is not base64") from None
    if base64.b64encode(data).decode() != text or (length is not None and len(data) != length):
        raise Changed(f"{what} is not base64 of {length or 'this'} bytes")
    return data


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
