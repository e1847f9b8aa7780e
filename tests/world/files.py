"""Files over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import orjson


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder behind a plain file server."""
    with _serving(partial(_Quiet, directory=str(folder))) as address:
        yield f"{address}/"


@contextmanager
def answering(documents: Mapping[str, object]) -> Iterator[str]:
    """The address of a gateway that has these documents by path, and nothing else."""

    class Gateway(_Quiet):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            self.send_response(200 if path in documents else 404)
            self.send_header("log-index", "7")
            self.end_headers()
            self.wfile.write(orjson.dumps(documents.get(path, {})))

    with _serving(Gateway) as address:
        yield address


@contextmanager
def _serving(handler: Callable[..., SimpleHTTPRequestHandler]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass
