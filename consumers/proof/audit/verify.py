"""Verifies an export of the national log without a network and without any other program of the platform.

    python verify.py FOLDER VKEY

FOLDER holds this file, `checkpoint`, `proof.json`, `entries.ndjson` or `entries.parquet`, `texts.ndjson` where entries
have texts, and `keys` where the log's key was replaced. Any other file is named, and not checked. VKEY is the key that
signed, or one that it replaced: the log's operator gives it to you over a channel that you trust. Needs Python 3.10,
PyNaCl or cryptography, or also duckdb.

What is verified: the checkpoint is signed by the log's key; every entry is at its index in the tree that was signed;
every text gives the hash in its entry; every other column of a row is what its entry and its texts say. Texts that are
withheld, or not here, are named. Exit code: 0 verified, 76 something was changed, 2 wrong use, or
another key of the log signed.

يتحقق هذا البرنامج من تصدير للسجل الوطني دون شبكة ودون أي برنامج آخر من المنصة. خذ مفتاح التحقق VKEY من مشغّل السجل عبر
قناة تثق بها، لا من التصدير نفسه. يتحقق من توقيع نقطة التحقق، ومن أن كل قيد في موضعه من الشجرة الموقّعة، ومن أن كل نص
يعطي بصمته في قيده، ومن أن سائر الأعمدة مطابقة لقيدها ونصوصه. ويسمّي النصوص المحجوبة والنصوص التي ليست في التصدير. ويسمّي
كل ملف آخر في المجلد ولا يتحقق منه. رمز الخروج: 0 سليم، 76 فيه تغيير، 2 استعمال غير صحيح،
أو وقّعه مفتاح آخر للسجل.
"""

from __future__ import annotations

import base64
import glob
import json
import math
import re
import shlex
import sys
from bisect import bisect_left
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

ED25519, ROTATION = b"\x01", "urn:yesser:key-transition:v1"
TABLE, LINES, TEXTS, STATEMENT = "entries.parquet", "entries.ndjson", "texts.ndjson", "statement.json"
OWN_FILES = {"verify.py", "__pycache__", "checkpoint", "keys", "proof.json", TABLE, LINES, TEXTS}
TEXT_FORMS = tuple(("index", "member", "sha256", name, "text") for name in ("salt", "withheld_by"))
SENTENCE = (  # what is read in place of a withheld text: its day and its entry
    '{"ar":"حُجب هذا النص في \u2068%(day)s\u2069 بالقيد %(entry)d.",'
    '"en":"This text was withheld on %(day)s by entry %(entry)d."}'
)
NAMED_MAX = 20  # of the texts that are not here
COLUMNS = ("index", "recordedtime", "from", "id", "source", "type", "subject", "time", "data", "entry")
OK, WRONG_USE, CHANGED = 0, 2, 76
Reader = Callable[[Path], Iterator[tuple[int, bytes]]]
Key = tuple[str, bytes, bytes]  # origin, key id, public key
Members = dict[str, Any]  # of a row, or of a JSON object
Put = Callable[[int, Members], Members]  # index and data of an entry → the data with its texts
Keys = list[tuple[Key, int, float]]  # each with the first and last size that it signs


class Changed(Exception):
    """The export is not what was signed; the message says where."""


def main(arguments: list[str]) -> int:
    """Verify the folder that the arguments name, and print the result in Arabic and English."""
    if len(arguments) != 2:
        sys.stderr.write(f"{__doc__}\n")
        return WRONG_USE
    texts = Texts(Path(arguments[0]))
    try:
        size, root, count = verify(Path(arguments[0]), arguments[1], lambda folder: read_entries(folder, texts))
    except Changed as error:
        sys.stderr.writelines([f"تغيّر هذا التصدير: \u2068{error}\u2069\n", f"This export was changed: {error}\n"])
        return CHANGED
    except (OSError, ImportError, UsageError) as error:
        said = f"{error}; it needs PyNaCl or cryptography, or also duckdb" if isinstance(error, ImportError) else error
        sys.stderr.writelines([f"تعذر التحقق: \u2068{said}\u2069\n", f"Nothing was verified: {said}\n"])
        return WRONG_USE
    sys.stdout.write(f"سليم: \u2068{count}\u2069 من قيود السجل وعددها \u2068{size}\u2069، وجذره \u2068{root}\u2069.\n")
    sys.stdout.write(f"Verified: {count} entries of a log of {size} entries with the root {root}.\n")
    sys.stdout.writelines(texts.said())
    if others := sorted({path.name for path in Path(arguments[0]).iterdir()} - OWN_FILES):
        names = ", ".join(name if name.isprintable() else ascii(name) for name in others)
        sys.stdout.writelines([f"لم يُتحقق من: \u2068{names}\u2069.\n", f"Not checked: {names}.\n"])
    if STATEMENT in others:
        command = f"yesser ledger verify-statement {shlex.quote(arguments[0])} --vkey {arguments[1]}"
        sys.stdout.writelines([f"للتحقق من الكشف: \u2068{command}\u2069\n", f"To check the statement: {command}\n"])
    return OK


class UsageError(Exception):
    """The command was given something that it cannot use."""


class OtherKey(UsageError):
    """A key of the same log, but not the one that was given, signed the checkpoint."""


def verify(folder: Path, vkey: str, read: Reader | None = None) -> tuple[int, str, int]:
    """Signed size and root, number of entries. `read` replaces `read_entries`. Raises `Changed` or `UsageError`."""
    known = read_vkey(vkey)
    if not (folder / "proof.json").exists():
        raise UsageError(f"{folder} has no proof.json: is it an export?")
    keys = read_keys(folder / "keys", known)
    size, root = read_checkpoint(read_text(folder / "checkpoint"), keys)
    hashes = iter(read_proof(read_text(folder / "proof.json"), size, entries_file(folder)))
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
    """The Merkle tree hash (RFC 6962 §2.1); a part of the tree without exported entries is the next of `hashes`."""
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
    except ValueError:
        raise UsageError("VKEY is not a verifier key: <origin>+<8 hex digits>+<base64>") from None
    key_id = sha256(origin.encode() + b"\n" + data).digest()[:4]
    if data[:1] != ED25519 or len(data) != 33 or key_id.hex() != shown:
        raise UsageError("VKEY is not an Ed25519 verifier key, or was copied wrongly")
    return origin, key_id, data[1:]


def read_keys(path: Path, known: Key) -> Keys:
    """The known key and those that replaced it, by rotations that the old key and the new one signed. An earlier key is
    none of them: a thief could sign with it what it never signed."""
    found: Keys = [(known, 0, math.inf)]
    if not path.exists():
        return found
    notes = read_text(path)
    blocks = notes.removesuffix("\n").split("\n\n")
    if len(blocks) % 2 or not notes.endswith("\n"):
        raise Changed("keys: it is not a sequence of signed notes")
    for number, (text, signatures) in enumerate(zip(blocks[::2], blocks[1::2], strict=True), 1):
        place = f"keys: rotation {number}"
        try:
            kind, *vkeys, _, size, _ = text.split("\n")
            (old, new), begin = map(read_vkey, vkeys), int(size)
        except (ValueError, UsageError):
            raise Changed(f"{place} cannot be read") from None
        before = found[-1] if number > 1 else (old, 0, math.inf)
        if kind != ROTATION or before[0] != old or begin < before[1] or {old[0], new[0]} != {known[0]}:
            raise Changed(f"{place} does not follow the one before it")
        if set(signed_by(f"{text}\n", signatures, [old, new], place)) != {old, new}:
            raise Changed(f"{place} is not signed by both of its keys")
        found[-1:] = [(old, before[1], begin), (new, begin, math.inf)]
    later = [row for number, row in enumerate(found) if known in [key for key, _, _ in found[: number + 1]]]
    return later or [(known, 0, math.inf)]


def read_checkpoint(note: str, keys: Keys) -> tuple[int, bytes]:
    """Size and root of a checkpoint (C2SP tlog-checkpoint) that a key signed which may sign that size. Signatures of
    other keys are ignored, but must be well-formed."""
    text, blank, signatures = note.rpartition("\n\n")
    if not blank or not signatures.endswith("\n"):
        raise Changed("checkpoint: no signatures follow a blank line")
    text, signatures = f"{text}\n", signatures[:-1]
    signers = signed_by(text, signatures, [key for key, _, _ in keys], "checkpoint")
    if not signers:
        raise not_signed(text, signatures, keys)
    lines = text.split("\n")
    if len(lines) < 4 or lines[0] != keys[0][0][0] or not re.fullmatch("0|[1-9][0-9]{0,18}", lines[1]):
        raise Changed("checkpoint: it is not one of this log")
    size = int(lines[1])
    if not any(key in signers and begin <= size <= end for key, begin, end in keys):
        raise Changed(f"checkpoint: the key that signed it does not sign a log of {size} entries: it was replaced")
    return size, from_base64(lines[2], 32, "checkpoint: the root")


def signed_by(text: str, signatures: str, keys: list[Key], place: str) -> list[Key]:
    """Those of the keys that signed a note (C2SP signed-note). Raises `Changed` for a wrong signature of one."""
    found = []
    for name, blob in read_signatures(signatures, place):
        for key in keys:
            if (name, blob[:4]) == key[:2]:
                if not is_signature(key[2], text.encode(), blob[4:]):
                    raise Changed(f"{place}: the signature is wrong")
                found.append(key)
    return found


def not_signed(text: str, signatures: str, keys: Keys) -> Exception:
    """What is wrong with a checkpoint that no key signed. A key's signature under another id was changed."""
    origin = keys[0][0][0]
    others = [blob for name, blob in read_signatures(signatures, "checkpoint") if name == origin]
    if not others or any(is_signature(key[2], text.encode(), blob[4:]) for blob in others for key, _, _ in keys):
        return Changed(f"checkpoint: it is not signed by the key of {origin} that you gave")
    return OtherKey(
        f"checkpoint: it says that another key of {origin} signed it ({', '.join(blob[:4].hex() for blob in others)})."
        " If it replaced yours, put the log's file `keys` into the folder. If yours replaced it, use it only if you had"
        " it before, or prove again: `yesser audit export ADDRESS --again FOLDER --into NEW-FOLDER --vkey VKEY`"
    )


def read_signatures(signatures: str, place: str) -> Iterator[tuple[str, bytes]]:
    """Name, and key id with signature, of each line."""
    for line in signatures.split("\n"):
        found = re.fullmatch(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})", line)
        if found is None:
            raise Changed(f"{place}: a signature line is malformed")
        yield found[1], from_base64(found[2], None, f"{place}: a signature")


def is_signature(public: bytes, text: bytes, signature: bytes) -> bool:
    """Whether this is the key's Ed25519 signature (RFC 8032) over the text."""
    try:
        from nacl.exceptions import CryptoError
        from nacl.signing import VerifyKey

        try:
            VerifyKey(public).verify(text, signature)
        except (CryptoError, ValueError):
            return False
        return True
    except ImportError:
        pass
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text)
    except InvalidSignature:
        return False
    return True


def read_proof(text: str, size: int, file: Path) -> list[bytes]:
    """The hashes of `proof.json`. It also has the SHA-256 of each file with bytes that nothing else proves, such as the
    signatures of keys that are not known here; an export of an earlier version has that of a Parquet file alone."""
    document = read_json(text, "proof.json")
    if not isinstance(document, dict) or text != as_json(document) + "\n":
        raise Changed("proof.json: it is not written as it was exported")
    hashes, files = document.get("hashes"), document.get("sha256", {})
    files = {TABLE: files} if isinstance(files, str) else files
    if document.keys() - {"sha256"} != {"size", "hashes"} or document["size"] != size or not isinstance(hashes, list):
        raise Changed("proof.json: it does not hold the size that was signed, and hashes")
    if not isinstance(files, dict) or not {file.name} - {LINES} <= files.keys() <= {"checkpoint", "keys", file.name}:
        raise Changed("proof.json: it does not hold the hashes of the files")
    for name, digest in files.items():
        if (file.parent / name).exists() and file_sha256(file.parent / name) != digest:
            raise Changed(f"{name}: it is not the file that was exported")
    return [from_base64(value, 32, f"proof.json: hash {number}") for number, value in enumerate(hashes)]


def read_entries(folder: Path, texts: Texts | None = None) -> Iterator[tuple[int, bytes]]:
    """Index and bytes of every entry, once all columns of its row agree with it and with its texts, which `texts`
    counts."""
    path, texts = entries_file(folder), texts or Texts(folder)
    if path.name == TABLE:
        yield from read_table(path, texts.put_into)
    else:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                yield read_line(line, number, texts.put_into)
    texts.end()


def entries_file(folder: Path) -> Path:
    """The file of the entries. Of two, only one would be verified, and a reader could take the other."""
    found = [folder / name for name in (TABLE, LINES) if (folder / name).exists()]
    if len(found) != 1 or not found[0].is_file():
        raise Changed(f"an export has one file of entries, {TABLE} or {LINES}; this one has {len(found)}")
    return found[0]


class Texts:
    """The texts of an export, read in step with its entries: how many are here, and the names of the others."""

    def __init__(self, folder: Path) -> None:
        self.rows = read_texts(folder / TEXTS)
        self.row: Members | None = None
        self.is_read = False
        self.count, self.withheld, self.lacking = 0, 0, 0
        self.named: list[str] = []

    def put_into(self, index: int, data: Members) -> Members:
        """The data of an entry with its texts. Raises `Changed` for one that does not give its hash."""
        own: list[Members] = []
        while self._next() is not None and self._next()["index"] <= index:
            own.append(self._next())
            self.is_read = False
        found = put_texts(index, data, own)
        withheld = {row["member"]: row["withheld_by"] for row in own if "withheld_by" in row}
        lacking = [name for name, value in found.items() if is_hash(value)]
        self.count += len(own) - len(withheld)
        self.withheld += len(withheld)
        self.lacking += len(lacking)
        names = [f"entry {index} /data/{name} (by entry {by})" for name, by in withheld.items()]
        self.named += names + [f"entry {index} /data/{name} (not here)" for name in lacking]
        del self.named[NAMED_MAX:]
        return found

    def end(self) -> None:
        """Raise `Changed` for a text behind the last entry."""
        if self._next() is not None:
            raise Changed(f"{TEXTS}: it has a text of entry {self._next()['index']}, whose entry is not here")

    def _next(self) -> Any:
        if not self.is_read:
            self.row, self.is_read = next(self.rows, None), True
        return self.row

    def said(self) -> list[str]:
        """What people are told of the texts; nothing where no entry has one."""
        if not self.count + self.withheld + self.lacking:
            return []
        more = self.withheld + self.lacking - len(self.named)
        names = "".join([*(f"  {name}\n" for name in self.named), f"  … {more}\n" if more else ""])
        return [
            f"النصوص: \u2068{self.count}\u2069 تطابق بصماتها، و\u2068{self.withheld}\u2069 محجوبة،"
            f" و\u2068{self.lacking}\u2069 ليست هنا.\n",
            f"Texts: {self.count} give their hashes, {self.withheld} are withheld, {self.lacking} are not here.\n",
            names,
        ]


def read_texts(path: Path) -> Iterator[Members]:
    """The rows of `texts.ndjson`, in the order of their entries; none of them is compared with its hash here."""
    if not path.exists():
        return
    last: tuple[int, str] = (-1, "")
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            place = f"{TEXTS}: line {number}"
            row = read_json(decode(line, place), place)
            if not isinstance(row, dict) or tuple(row) not in TEXT_FORMS or line != json_line(row, place):
                raise Changed(f"{place} is not written as it was exported")
            are_numbers = all(type(number) is int for number in (row["index"], row.get("withheld_by", 0)))
            is_named = isinstance(row["member"], str) and re.fullmatch("[a-z_]+", row["member"])
            if not are_numbers or not is_named or not isinstance(row["text"], str):
                raise Changed(f"{place} is not a text of an entry")
            if (row["index"], row["member"]) <= last:
                raise Changed(f"{place} is out of order")
            last = row["index"], row["member"]
            yield row


def put_texts(index: int, data: Members, rows: list[Members]) -> Members:
    """The data of an entry, in which its texts stand in place of their hashes. Raises `Changed` for a row of another
    entry, and for one that does not give the hash."""
    found = dict(data)
    for row in rows:
        member, place = row["member"], f"{TEXTS}: the text of /data/{row['member']} of entry {row['index']}"
        if row["index"] != index or not is_hash(data.get(member)):
            raise Changed(f"{place}: no entry here has such a text")
        if data[member]["sha256"] != row["sha256"] or not is_text(row):
            raise Changed(f"{place}: it does not give the hash in its entry")
        found[member] = json.loads(row["text"])
    return found


def is_hash(value: Any) -> bool:
    """Whether a member of an entry's data is the hash of a text, which stands beside the entry."""
    return isinstance(value, dict) and value.keys() == {"sha256"}


def is_text(row: Members) -> bool:
    """Whether a text gives its hash: that of the salt and of its JSON with sorted names and no spaces (RFC 8785). In
    place of a withheld text stands the sentence that says so, and nothing else."""
    text = row["text"]
    if "withheld_by" in row:
        day = re.search("[0-9]{4}-[0-9]{2}-[0-9]{2}", text)
        sentence = SENTENCE % {"day": day and day[0], "entry": row["withheld_by"]}
        return text in (sentence, f"[{sentence}]")
    if not isinstance(row["salt"], str) or not re.fullmatch("[0-9a-f]{32}", row["salt"]):
        return False
    try:
        value = json.loads(text, object_pairs_hook=names_once)
        canonical = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        digest = sha256(bytes.fromhex(row["salt"]) + canonical.encode())
    except (Changed, ValueError, RecursionError):
        return False
    return bool(digest.hexdigest() == row["sha256"])


def read_line(line: bytes, number: int, put: Put) -> tuple[int, bytes]:
    """Index and bytes of the entry in a line of `entries.ndjson`."""
    place = f"entries.ndjson: line {number}"
    row = read_json(decode(line, place), place)
    if not isinstance(row, dict) or not isinstance(row.get("entry"), str):
        raise Changed(f"{place} is not a row with an entry")
    index, entry = row.get("index"), row["entry"].encode("utf-8", "surrogatepass")
    if not isinstance(index, int) or isinstance(index, bool):
        raise Changed(f"{place} has no index")
    if line != row_line(index, entry, place, put):
        raise Changed(f"{place} does not say what its entry says")
    return index, entry


def read_table(path: Path, put: Put) -> Iterator[tuple[int, bytes]]:
    """As `read_entries`, of a Parquet file."""
    import duckdb

    # The path is that of one file: no pattern, and no `name=value` in it is a column.
    query = "SELECT * FROM read_parquet(?, hive_partitioning=false) ORDER BY index"
    try:
        rows = duckdb.connect().execute(query, [glob.escape(str(path))])
        names = tuple(column[0] for column in rows.description)
        if names != COLUMNS:
            raise Changed("entries.parquet: its columns are not those of an export")
        while values := rows.fetchone():
            yield read_row(dict(zip(names, values, strict=True)), put)
    except (duckdb.Error, ValueError, OverflowError) as error:
        raise Changed(f"entries.parquet: it cannot be read ({error})") from None


def read_row(row: Members, put: Put) -> tuple[int, bytes]:
    """Index and bytes of the entry in a row of a Parquet file. `data` is a text, which readers parse as they will: it
    must be what the entry says in each name and type, once."""
    index, place = row["index"], f"entries.parquet: the row of index {row['index']}"
    if type(index) is not int or not isinstance(row["entry"], str) or not isinstance(row["data"], str):
        raise Changed(f"{place} is not a row with an index, data and an entry")
    entry = row["entry"].encode("utf-8", "surrogatepass")
    said = row_of(index, entry, place, put)
    data = as_json(read_json(row["data"], place, names_once))
    if {**row, "data": data} != {**said, "data": as_json(said["data"])}:
        raise Changed(f"{place} does not say what its entry says")
    return index, entry


def row_line(index: int, entry: bytes, place: str, put: Put | None = None) -> bytes:
    """The line of an export for an entry. `put` puts the entry's texts into its data."""
    put = put or (lambda _, data: data)
    return json_line(row_of(index, entry, place, put), place)


def json_line(row: Members, place: str) -> bytes:
    try:
        return (as_json(row) + "\n").encode()
    except UnicodeEncodeError:
        raise Changed(f"{place}: a text in it is not Unicode") from None


def row_of(index: int, entry: bytes, place: str, put: Put) -> Members:
    """All columns of an entry."""
    text = decode(entry, place)
    document = read_json(text, place)
    try:
        event = document["event"]
        head = {name: document[name] for name in ("recordedtime", "from")}
        if document.get("v") == 2:
            event["data"] = put(index, event["data"])
        return {"index": index, **head, **{name: event[name] for name in COLUMNS[3:9]}, "entry": text}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Changed(f"{place}: its entry is not one of the log") from None


def file_sha256(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def read_text(path: Path) -> str:
    try:
        return decode(path.read_bytes(), path.name)
    except (FileNotFoundError, IsADirectoryError):
        raise Changed(f"{path.name} is missing, or is no file") from None


def decode(data: bytes, place: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Changed(f"{place}: it is not UTF-8") from None


def read_json(text: str, place: str, members: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    try:
        return json.loads(text, object_pairs_hook=members)
    except (ValueError, RecursionError):
        raise Changed(f"{place}: it is not JSON") from None


def names_once(members: list[tuple[str, Any]]) -> Members:
    """An object. Of a name that is there twice some readers take the first value, others the last."""
    found = dict(members)
    if len(found) != len(members):
        raise Changed("entries.parquet: `data` has a name twice")
    return found


def as_json(document: Any) -> str:
    try:
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        raise Changed("a document has too many levels") from None


def from_base64(text: Any, length: int | None, what: str) -> bytes:
    """The bytes of base64 in its one canonical form."""
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, TypeError):
        raise Changed(f"{what} is not base64") from None
    if base64.b64encode(data).decode() != text or (length is not None and len(data) != length):
        raise Changed(f"{what} is not base64 of {length or 'this'} bytes")
    return data


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a pipe may have no Arabic
    sys.exit(main(sys.argv[1:]))
