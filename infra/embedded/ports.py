"""Ports on loopback: the one of the last run when it is still free, else any free one, so that stacks coexist."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Final

HOST: Final = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now (a port in TIME_WAIT counts as free, as it does for servers)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def choose(wanted: Iterable[int | None]) -> list[int]:
    """One free port for each wish, all different; None wishes for any.

    All sockets stay bound until every port is chosen, so that the system cannot hand out the same one twice.
    """
    probes: list[socket.socket] = []
    try:
        for port in wanted:
            probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probes.append(probe)
            try:
                probe.bind((HOST, port or 0))
            except OSError:
                probe.bind((HOST, 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
