"""The servers that a setting names, and whether one works, without a login."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from infra.stack_record import LOOPBACK

TIMEOUT_S: Final = 1.0
_API_VERSIONS: Final = struct.pack(">ihhih", 10, 18, 0, 1, -1)
"""Its length, API key 18, version 0, a number that is repeated in the answer, and no name of a client."""


def places(servers: str, usual_port: int) -> Iterator[tuple[str, int]]:
    """Host and port of each server of a list with commas."""
    for server in servers.split(","):
        place = urlsplit(f"//{server.strip()}")
        if place.hostname:
            yield place.hostname, place.port or usual_port


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
