"""The first lines of a file, read before anything is sent, to detect a table without its mapping.

Each line of such a table would become a permanent refusal in the log.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from events.values.bilingual import Bilingual
from infra.errors import WrongInput
from infra.event_files.ndjson import Line, LineSplitter

FIRST_LINES: Final = 20
_ON_SEVERAL_LINES: Final = Bilingual(
    "{}: هذا نص JSON على أسطر عدة. لم يُرسل شيء. اكتب كل حدث في سطر واحد: `jq -c . FILE`، وللقائمة `jq -c '.[]' FILE`.",
    "{}: this is JSON on several lines. Nothing was sent. Write each event on one line: `jq -c . FILE`, or of a list"
    " `jq -c '.[]' FILE`.",
)
PIECE_BYTES: Final = 1 << 18


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
