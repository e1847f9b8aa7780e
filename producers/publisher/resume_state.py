"""The resume state: a file that stores how far publishing came, so that it resumes there.

Flows in: the file's lines, and acknowledgements. Flows out: the lines that remain. A line counts once it is stored.
After a kill the state may lag behind Kafka, never run ahead: lines that are sent again are duplicates. A hash over the
stored lines detects another file.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from events.errors import YesserError
from infra.errors import WrongInput
from infra.event_files.ndjson import Line
from producers.publisher.report import Report, SentLines

_SAVE_EVERY_S: Final = 1.0
_TOO_LONG: Final = b"\x00"
"""Replaces the text of a line that is too long."""

Count = Annotated[int, Field(ge=0)]


class WrongResumeState(WrongInput):
    """The state file does not belong to this file, agency or Kafka: publish without it; stored lines are duplicates."""


class TopicReplaced(YesserError):
    """The topic was made anew since the state file was written: publish the whole file without --resume."""


class ResumeDocument(BaseModel):
    """The state file. `sent` are runs of (line, offset, number of lines); `sha256` is over all `lines` passed."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: Literal[1] = 1
    agency: str
    lines: Count = 0
    sha256: str = sha256().hexdigest()
    unsent: list[Count] = Field(default_factory=list)
    sent: list[Annotated[list[Count], Field(min_length=3, max_length=3)]] = Field(default_factory=list)


class ResumeState:
    """Skips the lines that a former run stored, and saves what this run stores, at most once a second."""

    def __init__(
        self, path: Path, found: ResumeDocument, report: Report, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._path = path
        self._found = found
        self._report = report
        self._clock = clock
        self._saved_at = clock()
        self._hash = sha256()
        self._lines = 0
        self._is_valid = found.lines == 0
        self._waiting: deque[tuple[int, bytes]] = deque()
        report.sent = SentLines.of_runs(found.sent)
        report.unsent = dict.fromkeys(found.unsent, ())  # their faults are found again
        self._former_end_offset = report.sent.end_offset

    @classmethod
    def open(cls, path: Path, agency: str, report: Report, clock: Callable[[], float] = time.monotonic) -> Self:
        """The state in `path`, or a new one. `report` then has the lines that former runs stored."""
        try:
            found = ResumeDocument.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            found = ResumeDocument(agency=agency)
        except (ValidationError, OSError) as error:
            raise WrongResumeState(f"{path} is not a state file of `--resume`: name another one") from error
        if found.agency != agency:
            raise WrongResumeState(f"{path} is of agency {found.agency}, not {agency}: name another one")
        return cls(path, found, report, clock)

    def left(self, lines: Sequence[Line]) -> list[Line]:
        """Those of the next lines that are not stored yet."""
        result = []
        for line in lines:
            digest = sha256(_TOO_LONG if line.text is None else line.text).digest()
            if self._lines < self._found.lines:
                self._pass(digest)
                if self._lines == self._found.lines:
                    self._require_same_file()
            else:
                self._waiting.append((line.number, digest))
                result.append(line)
        return result

    def acknowledged(self, numbers: Sequence[int], first_offset: int) -> None:
        """Lines with these numbers are stored from this offset on."""
        if first_offset < self._former_end_offset:
            self._is_valid = False
            # The topic no longer holds what former runs stored; the report keeps what this run stored.
            self._report.sent = SentLines()
            self._report.sent.add(numbers, first_offset)
            raise TopicReplaced(
                f"the topic was made anew since {self._path} was written: publish the whole file without --resume;"
                " what was stored by this run is dropped as a duplicate"
            )
        self._report.sent.add(numbers, first_offset)
        while self._waiting and self._waiting[0][0] <= numbers[-1]:
            self._pass(self._waiting.popleft()[1])
        if self._clock() - self._saved_at >= _SAVE_EVERY_S:
            self.save()

    def end(self) -> None:
        """The end of the file is reached, and all of it is stored."""
        if self._lines < self._found.lines:
            self._require_same_file()
        while self._waiting:
            self._pass(self._waiting.popleft()[1])

    def save(self) -> None:
        """Write the state, once it is known to belong to this file and topic."""
        if not self._is_valid:
            return
        passed = self._waiting[0][0] if self._waiting else None
        document = ResumeDocument(
            agency=self._found.agency,
            lines=self._lines,
            sha256=self._hash.hexdigest(),
            unsent=[number for number in self._report.unsent if passed is None or number < passed],
            sent=self._report.sent.runs(),
        )
        beside = self._path.with_name(self._path.name + ".new")
        with beside.open("wb") as file:
            file.write(document.model_dump_json().encode())
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)
        self._saved_at = self._clock()

    def forget(self) -> None:
        """Delete the state: the next run sends the whole file again."""
        self._is_valid = False
        self._path.unlink(missing_ok=True)

    def _pass(self, digest: bytes) -> None:
        self._hash.update(digest)
        self._lines += 1

    def _require_same_file(self) -> None:
        if self._lines != self._found.lines or self._hash.hexdigest() != self._found.sha256:
            raise WrongResumeState(
                f"the first {self._found.lines:,} lines are not those of {self._path}: publish the file without"
                " --resume; lines already stored are dropped as duplicates"
            )
        self._is_valid = True
