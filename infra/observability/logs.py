"""Structured logs on stderr: JSON for machines, readable on a terminal.

A log line may carry indexes, positions, topics, agencies and codes. A processor drops or masks keys, payloads,
headers, secrets and everything that looks like a national id.
"""

from __future__ import annotations

import logging
import re
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TextIO, cast

import orjson
import structlog
from structlog.types import EventDict, Processor, WrappedLogger

FORBIDDEN_FIELDS: Final = frozenset(
    {
        "key",
        "value",
        "payload",
        "data",
        "body",
        "raw",
        "record",
        "entry",
        "headers",
        "subject",
        "claimed",
        "known",
        "password",
        "secret",
        "token",
        "authorization",
        "private_key",
    }
)
"""Fields that are dropped from every line."""

REPEAT_AFTER_S: Final = 300.0
"""A library's line is logged again only after this long: it may retry, and log, a hundred times a second."""

_LIBRARIES: Final = ("aiokafka", "faststream", "opentelemetry", "uvicorn", "asyncio")
_ERROR_CHARACTERS_MAX: Final = 300
_TEN_DIGITS: Final = re.compile(r"(?<![^\W_])\d{10}(?![^\W_])")


def configure_logs(level: str, process: str, stream: TextIO | None = None) -> None:
    """Set up structlog and `logging` (of libraries) for this process. `level` is as in the settings."""
    output = _Lenient(stream)
    shared, render = _configure(level, process, output)
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    handler.addFilter(RepeatFilter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    number = max(_number(level), logging.WARNING)
    root.setLevel(number)
    for library in _LIBRARIES:
        logging.getLogger(library).setLevel(number)


def configure_command_logs() -> None:
    """Set up structlog for a command that answers: without it, structlog writes each line, with the values of local
    variables, to standard output, where the answer is."""
    _configure("warning", "command", _Lenient())


def _configure(level: str, process: str, output: _Lenient) -> tuple[list[Processor], Processor]:
    render: Processor = structlog.dev.ConsoleRenderer() if output.isatty() else _render_json
    shared: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _name_process(process),
        describe_error,
        drop_forbidden,
    ]
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(_number(level)),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, output)),
        cache_logger_on_first_use=False,
    )
    return shared, render


def _number(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]


class _Lenient:
    """The output stream of the log: by default, standard error at the time of a line. A full disk loses lines and never
    fails the caller."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    @property
    def _output(self) -> TextIO:
        return self._stream or sys.stderr

    def isatty(self) -> bool:
        return self._output.isatty()

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._output.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._output.flush()


def drop_forbidden(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """Remove forbidden fields, show bytes only by their length, and mask every number that could be a national id."""
    result: EventDict = {}
    for name, value in line.items():
        if name.startswith("_"):
            result[name] = value
        elif name not in FORBIDDEN_FIELDS:
            result[name] = _safe(value)
    return result


def describe_error(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """Log an exception as its class, first line and frames, since a driver's DETAIL holds row values."""
    exc_info = line.pop("exc_info", None)
    error = sys.exc_info()[1] if exc_info is True else exc_info[1] if isinstance(exc_info, tuple) else exc_info
    if isinstance(error, BaseException):
        line["error_class"] = type(error).__name__
        line["error"] = first_line(error)
        line["trace"] = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
    return line


def first_line(error: BaseException) -> str:
    """The first line of an error's message, of bounded length."""
    text = str(error).partition("\n")[0]
    return text[:_ERROR_CHARACTERS_MAX] or type(error).__name__


class RepeatFilter(logging.Filter):
    """Logs a library's message at most once per `REPEAT_AFTER_S`, by its template, whatever its values.

    An error of the Kafka client is a warning: it tries again (Kafka ends every session once an hour), and raises what
    it cannot mend. A command logs errors alone, so its own sentence is the only one.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        name, now = (record.name, str(record.msg)[:80]), self._clock()
        if now - self._said.get(name, -REPEAT_AFTER_S) < REPEAT_AFTER_S:
            return False
        self._said[name] = now
        of_kafka = record.name.partition(".")[0] == "aiokafka"
        if of_kafka and record.levelno == logging.ERROR and record.exc_info is None:
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return logging.getLogger(record.name).isEnabledFor(record.levelno)


class LogOnce:
    """A condition that is logged when it begins and when it ends; in between, if at all, once in `again_s`.

    Call `begins` at every failed try and `ends` at every success; both are cheap when nothing is logged.
    """

    def __init__(
        self, began: str, ended: str, clock: Callable[[], float] = time.monotonic, *, again_s: float = float("inf")
    ) -> None:
        self._began = began
        self._ended = ended
        self._clock = clock
        self._again_s = again_s
        self._since: float | None = None
        self._said = 0.0
        self._tries = 0

    @property
    def holds(self) -> bool:
        return self._since is not None

    def begins(self, error: BaseException | None = None, **fields: object) -> None:
        """The condition holds. Logged with the error's class and first line; again with the tries and the duration."""
        now = self._clock()
        self._tries += 1
        if self._since is None:
            self._since = now
        elif now - self._said < self._again_s:
            return
        else:
            fields |= {"tries": self._tries, "lasted_s": round(now - self._since, 3)}
        self._said = now
        if error is not None:
            fields |= {"error_class": type(error).__name__, "error": first_line(error)}
        structlog.get_logger().warning(self._began, **fields)

    def ends(self, **fields: object) -> None:
        """The condition is over. Logged only if it had begun, with its duration."""
        if self._since is None:
            return
        seconds, self._since, self._tries = round(self._clock() - self._since, 3), None, 0
        structlog.get_logger().warning(self._ended, lasted_s=seconds, **fields)


def _name_process(process: str) -> Processor:
    def add(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
        line.setdefault("process", process)
        return line

    return add


def _safe(value: Any) -> Any:
    if isinstance(value, str):
        return _TEN_DIGITS.sub(_mask, value)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if isinstance(value, dict):
        return {k: _safe(v) for k, v in value.items() if k not in FORBIDDEN_FIELDS}
    if isinstance(value, list | tuple):
        return [_safe(v) for v in value]
    return value


def _mask(found: re.Match[str]) -> str:
    return "<number>" if int(found.group()[0]) in (1, 2) else found.group()


def _render_json(_: WrappedLogger, __: str, line: EventDict) -> str:
    return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
