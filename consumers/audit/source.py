"""Opens what an auditor reads: a log's address or a mirror's folder. No database is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from consumers.audit.http_port import http_port
from consumers.audit.port import LogPort, MirrorPort
from infra.log.signed_note import Verifier


def is_address(source: str) -> bool:
    return source.startswith(("http://", "https://"))


@asynccontextmanager
async def open_source(source: str, verifier: Verifier, token: str | None = None) -> AsyncIterator[LogPort]:
    """The log at an address such as `https://gateway.example/log/0/`, or in a folder."""
    if is_address(source):
        async with http_port(source, verifier, token) as port:
            yield port
    else:
        yield MirrorPort(Path(source), verifier)
