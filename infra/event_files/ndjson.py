"""The lines of a published file: how it is split, which lines are sent, and which members are filled in.

Flows in: the bytes of a file, in pieces of any size. Flows out: numbered lines, and the bytes to send for each. A line
is sent even if it is not valid, so that the registrar validates it and records the faults. Missing `specversion`,
`source`, `datacontenttype` and, on request, `sequence` are inserted after the first `{` of a JSON object; all other
bytes stay unchanged (`events.md` §5).

The first lines of a file are read before anything is sent, to detect a table without its mapping: each line of it would
become a permanent refusal in the log.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Iterator, Set
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, TypeAlias

import orjson

from events.errors import YesserError
from events.values.bilingual import Bilingual
from events.values.personal_data import holds_personal_data, looks_personal
from events.wire.entry import SOURCE_PREFIX
from events.wire.envelope import EVENT_ID_PATTERN
from infra.errors import WrongInput

AnyObject: TypeAlias = dict[str, Any]
"""A JSON object that an agency wrote, before anything is known of it."""
LINE_BYTES_MAX: Final = 130_000
"""A longer line does not fit into an agency's topic (`max.message.bytes` 131,072 less the record's frame)."""
TOO_LARGE: Final = "too-large"
TOO_LARGE_DETAIL: Final = Bilingual(
    "السطر أكبر من 130,000 بايت: لا يتسع له أي موضوع ولم يُرسل.",
    "The line has more than 130,000 bytes, too many for a topic: it was not sent.",
)

_BLANK: Final = b" \t\r"
_SEQUENCE_DIGITS: Final = 20
_SEQUENCE_MAX: Final = 10**_SEQUENCE_DIGITS - 1
PIECE_BYTES: Final = 1 << 18
_EVENT_ID: Final = re.compile(EVENT_ID_PATTERN)


class SequencesUsedUp(YesserError):
    """No `sequence` is left after 99999999999999999999: publish without `--sequence`. What was sent before is kept."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line that is not blank. `number` counts from 1 and includes blank lines; `text` is None if it is too long.

    `first` is then its first byte that is not white space.
    """

    number: int
    text: bytes | None
    first: bytes = field(default=b"", compare=False)

    @property
    def begins_an_object(self) -> bool:
        return (self.first if self.text is None else self.text.lstrip(_BLANK)[:1]) == b"{"


class LineSplitter:
    """Splits pieces into lines at LF only; a CR stays in its line, where it is JSON white space.

    Lines longer than `LINE_BYTES_MAX` are dropped, so that memory use is constant.
    """

    def __init__(self) -> None:
        self._number = 0
        self._rest = b""
        self._dropped = b""
        """The first byte of a line that is being dropped."""

    def feed(self, piece: bytes) -> list[Line]:
        """The lines that end in this piece."""
        *ended, rest = piece.split(b"\n")
        lines: list[Line] = []
        if ended:
            ended[0] = self._rest + ended[0]
            self._rest = b""
            for text in ended:
                self._end(text, lines)
        self._rest += rest
        if len(self._rest) > LINE_BYTES_MAX:
            self._dropped = self._dropped or self._rest.lstrip(_BLANK)[:1]
            self._rest = b""
        return lines

    def end(self) -> list[Line]:
        """The last line, if the file does not end in LF."""
        lines: list[Line] = []
        if self._rest or self._dropped:
            self._end(self._rest, lines)
            self._rest = b""
        return lines

    def _end(self, text: bytes, lines: list[Line]) -> None:
        self._number += 1
        if self._dropped or len(text) > LINE_BYTES_MAX:
            if first := self._dropped or text.lstrip(_BLANK)[:1]:
                lines.append(Line(self._number, None, first))
            self._dropped = b""
        elif text.strip(_BLANK):
            lines.append(Line(self._number, text))


class Defaults:
    """The members filled into one agency's lines.

    `next_sequence` is the number of the next line without `sequence`; None adds none. A line with its own number moves
    the counter beyond it.
    """

    def __init__(self, agency: str, next_sequence: int | None = None) -> None:
        self._always = {
            "specversion": b'"specversion":"1.0"',
            "source": b'"source":"%b%b"' % (SOURCE_PREFIX.encode(), agency.encode()),
            "datacontenttype": b'"datacontenttype":"application/json"',
        }
        self.next_sequence = next_sequence

    def fill(self, line: bytes) -> bytes:
        """The bytes to send: the line, with missing members inserted. Raises `SequencesUsedUp`."""
        document = read_object(line)
        if document is None:
            return line
        members = [text for name, text in self._always.items() if name not in document]
        if self.next_sequence is not None:
            members += self._sequence(document, self.next_sequence)
        if not members:
            return line
        start = line.index(b"{") + 1
        return b"%b%b%b%b" % (line[:start], b",".join(members), b"," if document else b"", line[start:])

    def _sequence(self, document: AnyObject, following: int) -> list[bytes]:
        if "sequence" not in document:
            if following > _SEQUENCE_MAX:
                raise SequencesUsedUp
            self.next_sequence = following + 1
            return [b'"sequence":"%020d"' % following]
        own = document["sequence"]
        if isinstance(own, str) and len(own) == _SEQUENCE_DIGITS and own.isascii() and own.isdigit():
            self.next_sequence = max(following, int(own) + 1)
        return []


def read_object(line: bytes) -> AnyObject | None:
    """The line as a JSON object, or None if it is not one.

    Accepts more than the registrar: lone surrogates and numbers of any size have their own codes there, and a line
    refused for them should not also be refused for missing members.
    """
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError:
        document = _read_leniently(line)
    return document if isinstance(document, dict) else None


def read_lines(stream: BinaryIO, splitter: LineSplitter | None = None) -> Iterator[Line]:
    """The lines of a stream, without blank ones. `splitter`: it has read the beginning."""
    splitter = splitter or LineSplitter()
    while piece := stream.read(PIECE_BYTES):
        yield from splitter.feed(piece)
    yield from splitter.end()


def copy_lines(source: BinaryIO, target: BinaryIO, numbers: Container[int]) -> None:
    """Copy the lines with these numbers, byte by byte, whatever their length; each ends in LF."""
    number, piece = 1, b""
    while piece := source.readline(PIECE_BYTES):
        if number in numbers:
            target.write(piece)
        if piece.endswith(b"\n"):
            number += 1
        elif len(piece) < PIECE_BYTES and number in numbers:
            target.write(b"\n")


def read_ids(stream: BinaryIO, numbers: Set[int]) -> dict[int, str | None]:
    """The event ids of some lines of a file; None if there is no id, or it cannot be shown (see `shown_id`)."""
    splitter = LineSplitter()
    ids: dict[int, str | None] = {}
    while len(ids) < len(numbers):
        piece = stream.read(PIECE_BYTES)
        for line in splitter.feed(piece) if piece else splitter.end():
            if line.number in numbers:
                ids[line.number] = None if line.text is None else shown_id(line.text)
        if not piece:
            break
    return ids


def shown_id(line: bytes) -> str | None:
    """The line's event id, if it is well-formed and cannot be a national id."""
    document = read_object(line) or read_object(line.decode("utf-8", "replace").encode())
    id_ = document.get("id") if document else None
    if not isinstance(id_, str) or not _EVENT_ID.fullmatch(id_):
        return None
    return None if looks_personal(id_) or holds_personal_data(id_) else id_


def _not_json(constant: str) -> None:
    raise ValueError(constant)


def _read_leniently(line: bytes) -> object:
    try:
        # Python refuses integers of thousands of digits; their value does not matter here.
        return json.loads(line.decode("utf-8"), parse_int=len, parse_constant=_not_json)
    except (ValueError, RecursionError):
        return None


FIRST_LINES: Final = 20
_ON_SEVERAL_LINES: Final = Bilingual(
    "{}: هذا نص JSON على أسطر عدة. لم يُرسل شيء. اكتب كل حدث في سطر واحد: `jq -c . FILE`، وللقائمة `jq -c '.[]' FILE`.",
    "{}: this is JSON on several lines. Nothing was sent. Write each event on one line: `jq -c . FILE`, or of a list"
    " `jq -c '.[]' FILE`.",
)


@dataclass(slots=True)
class Opening:
    """The lines read so far; the splitter holds the beginning of the next one."""

    splitter: LineSplitter = field(default_factory=LineSplitter)
    lines: list[Line] = field(default_factory=list)
    bytes_count: int = 0

    def require_events(self, name: str) -> None:
        """Raises `WrongInput` where the file clearly has no events, or one event on several lines."""
        if self.lines and self.lines[0].text is not None and self.lines[0].text.strip() in (b"{", b"["):
            raise WrongInput(_ON_SEVERAL_LINES.format(name))
        if not self.holds_events:
            raise WrongInput(
                f"{name}: none of the first {FIRST_LINES} lines begins with {{, so these are not events. Nothing was"
                " sent. A table (CSV, XLSX) needs --mapping: `yesser map` writes one to start from (docs/files.md)."
                " `yesser publish --raw` sends the lines as they are."
            )

    @property
    def holds_events(self) -> bool:
        """Whether one of the first lines begins with `{`, or there is no line. Blank lines do not count."""
        return not self.lines or any(line.begins_an_object for line in self.lines[:FIRST_LINES])


def read_opening(stream: BinaryIO) -> Opening:
    """Read until a line begins with `{`, `FIRST_LINES` lines are read, or the file ends."""
    opening = Opening()
    while len(opening.lines) < FIRST_LINES and not any(line.begins_an_object for line in opening.lines):
        piece = reader(stream)(PIECE_BYTES)
        opening.bytes_count += len(piece)
        opening.lines += opening.splitter.feed(piece) if piece else opening.splitter.end()
        if not piece:
            break
    return opening


def reader(stream: BinaryIO) -> Callable[[int], bytes]:
    """A function that reads up to a size; for a pipe it returns what is available."""
    read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
    return read
