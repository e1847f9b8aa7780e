"""Whether a broker works, without a login: it answers which requests it knows (ApiVersions) before anybody signs in.

The system accepts connections for a process that is stopped or hangs, so an open port proves nothing.
"""

from __future__ import annotations

import socket
import struct
from typing import Final

from infra.stack_record import LOOPBACK

ANSWER_TIMEOUT_S: Final = 1.0
_API_VERSIONS: Final = struct.pack(">ihhih", 10, 18, 0, 1, -1)
"""Its length, API key 18, version 0, a number that is repeated in the answer, and no name of a client."""


def broker_answers(port: int, timeout_s: float = ANSWER_TIMEOUT_S) -> bool:
    """Whether the broker at this port of this machine, a listener without TLS, answers in time."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout_s) as connection:
            connection.settimeout(timeout_s)
            connection.sendall(_API_VERSIONS)
            return len(connection.recv(8, socket.MSG_WAITALL)) == 8
    except OSError:
        return False
