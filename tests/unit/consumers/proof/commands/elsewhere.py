"""A mirror behind a file server, and an auditor elsewhere."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from consumers.proof.audit.mirror import write_mirror
from tests.unit.consumers.proof.commands.auditor import Auditor
from tests.world.memory_log import KEY, MemoryLog


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def mirror_of(log: MemoryLog, folder: Path) -> None:
    asyncio.run(write_mirror(log, folder, KEY.verifier))


class Elsewhere(Auditor):
    """A mirror behind a file server, and an auditor's own folder."""

    def __init__(self, folder: Path, address: str) -> None:
        super().__init__(folder / "own")
        self.folder.mkdir()
        self.mirror = folder / "mirror"
        self.address = address

    def grow(self, entries: list[bytes]) -> None:
        mirror_of(MemoryLog(entries), self.mirror)

    def show(self, entries: list[bytes]) -> None:
        """Another log instead."""
        shutil.rmtree(self.mirror)
        self.grow(entries)


@contextmanager
def served(folder: Path, certificate: Path | None = None) -> Iterator[Elsewhere]:
    """A file server, over TLS with a certificate."""
    handler = partial(_Quiet, directory=str(folder / "mirror"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        scheme = "http" if certificate is None else "https"
        try:
            yield Elsewhere(folder, f"{scheme}://127.0.0.1:{server.server_port}/")
        finally:
            server.shutdown()
