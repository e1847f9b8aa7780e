"""The witness's process: over HTTP, killed at the worst moment, and against a log with two histories."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from infra.witnesses.add_checkpoint import BODY_BYTES_MAX, SIZE_TYPE
from infra.witnesses.cosignature import cosigner_of, cosigners_of
from tests.world.memory_log import KEY
from tests.world.witness import FORK, LOG, WITNESS, request
from tests.world.witness_process import KILLED_BEFORE_ANSWER, Running, running


def post(witness: Running, old: int, new: int, entries: list[bytes] = LOG) -> httpx.Response:
    return httpx.post(f"{witness.address}add-checkpoint", content=request(old, new, entries).body(), verify=False)


def require_bounds(witness: Running) -> None:
    """Bodies are bounded, other paths are not there, and a slow client delays no other."""
    large = httpx.post(f"{witness.address}add-checkpoint", content=b"x" * (BODY_BYTES_MAX + 1), verify=False)
    assert large.status_code == 413
    assert httpx.get(f"{witness.address}add-checkpoint", verify=False).status_code == 405
    assert httpx.get(witness.address, verify=False).status_code == 404
    with socket.create_connection(("127.0.0.1", urlsplit(witness.address).port or 0)) as slow:
        slow.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 100\r\n\r\nold 0")
        began = time.monotonic()
        assert post(witness, 15, 15).status_code == 200
        assert time.monotonic() - began < 5


def test_it_cosigns_and_remembers_also_when_killed_after_the_disk_and_before_the_answer(tmp_path: Path) -> None:
    folder = tmp_path / "witness"
    with running(folder, WITNESS, KEY.verifier, first_run=True, before=KILLED_BEFORE_ANSWER) as witness:
        with pytest.raises(httpx.TransportError):
            post(witness, 0, 15)
        assert witness.process.wait(10) == -signal.SIGKILL
    with running(folder, WITNESS, KEY.verifier) as witness:
        assert post(witness, 0, 15, FORK).status_code == 409
        assert post(witness, 15, 15, FORK).status_code == 409, "it cosigns no other tree"
        # The log, which got no answer, asks again and learns the size.
        conflict = post(witness, 0, 15)
        assert (conflict.status_code, conflict.text) == (409, "15\n")
        assert conflict.headers["content-type"] == SIZE_TYPE
        answer = post(witness, 15, 15)
        assert answer.status_code == 200
        assert cosigners_of(request(0, 15).note + answer.text, [cosigner_of(WITNESS)])
        require_bounds(witness)
        assert post(witness, 15, 20).status_code == 200
    assert witness.process.returncode == 0
