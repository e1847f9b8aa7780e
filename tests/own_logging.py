"""Logging as it was before: a command that a test calls in this process sets it up for a process of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog


@contextmanager
def own_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    _log_everything()  # also where a fixture of several tests called a command
    try:
        yield
    finally:
        _log_everything()
        root.handlers[:] = handlers
        root.setLevel(level)


def _log_everything() -> None:
    """As structlog does by itself. But it draws an error with all local variables, which can take twelve seconds."""
    structlog.reset_defaults()
    structlog.configure(processors=[structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)])
