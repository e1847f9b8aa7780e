"""A line to PostgreSQL that can be frozen: it takes connections and bytes, and passes nothing on: a black hole."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

from infra.postgres.connection import address
from infra.settings import Settings
from tests.faults.cutting import CutLine, cut_line


@asynccontextmanager
async def line_to_postgres(settings: Settings) -> AsyncIterator[tuple[CutLine, Settings]]:
    """A line, and settings that lead over it."""
    parts = urlsplit(address(settings))
    with cut_line(parts.port or 5432) as line:
        over = urlunsplit(parts._replace(netloc=f"127.0.0.1:{line.port}"))
        yield line, settings.model_copy(update={"postgres": over})
