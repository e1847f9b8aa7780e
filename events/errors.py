"""What can go wrong, by what the caller must do about it.

YesserError
├── Retry          the transport failed: the outcome is unknown, the same call may be made again
├── Reject         one record is at fault: correct it, the next record goes on
├── Halt           an invariant is broken: stop, sign and write nothing, call a person
│   └── Tampered   the log, or a copy of it, is not what was signed
└── StandDown      another process does this work: write nothing, wait for the lease
    └── Fenced     it has taken over meanwhile

An error of none of the four ends a command or a process with its message: a person must change something first. What
each process does on an error is in docs/architecture.md.

A class's docstring is its default message. A message says what happened, where, and what to do, once.
"""

from __future__ import annotations


class YesserError(Exception):
    """Something went wrong in Yesser Events; see the cause."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__ or type(self).__name__)


class Retry(YesserError):
    """The transport failed and the outcome is unknown: send the same bytes with the same id again."""


class Reject(YesserError):
    """One record cannot be used: correct it and send it again; the next record is not affected."""


class Halt(YesserError):
    """An invariant is broken: nothing more is written; keep the state as it is and read the runbook."""


class Tampered(Halt):
    """The log, or a copy of it, is not what was signed: keep everything as it is and read the runbook."""


class StandDown(YesserError):
    """Another process does this work: this one writes nothing and stands by."""


class Fenced(StandDown):
    """Another process has taken over this work: what this one has not committed is not written."""
