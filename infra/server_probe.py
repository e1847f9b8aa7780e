"""Whether a server works, without a login."""

from __future__ import annotations

import socket
import struct
from typing import Final

from infra.stack_record import LOOPBACK

TIMEOUT_S: Final = 1.0
_API_VERSIONS: Final = struct.pack(">ihhih", 10, 18, 0, 1, -1)
"""Its length, API key 18, version 0, a number that is repeated in the answer, and no name of a client."""


def accepts(port: int, host: str = LOOPBACK) -> bool:
    """Whether a connection is accepted. The system does that for a process that is stopped or hangs, too."""
    try:
        with socket.create_connection((host, port), TIMEOUT_S):
            return True
    except OSError:
        return False


def broker_answers(port: int, timeout_s: float = TIMEOUT_S) -> bool:
    """Whether the broker at this port of this machine, a listener without TLS, says in time which requests it knows
    (ApiVersions), which it does before anybody signs in."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout_s) as connection:
            connection.sendall(_API_VERSIONS)
            return len(connection.recv(8, socket.MSG_WAITALL)) == 8
    except OSError:
        return False
