"""Ports on loopback: that of the last run if it is free, else any free one, so that stacks coexist.

Ports are below the range of outgoing connections: a client that keeps connecting to a stopped server would at some
time get the server's own port, and the server could not start.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Iterable, Mapping
from typing import Final

HOST: Final = "127.0.0.1"
LOWEST: Final = 20_000
OUTGOING_FROM: Final = 32_768
"""The default start of the range of outgoing connections."""
DRAWS_MAX: Final = 100
CONNECT_TIMEOUT_S: Final = 1.0


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now (a port in TIME_WAIT counts as free, as it does for servers)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def accepts(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), CONNECT_TIMEOUT_S):
            return True
    except OSError:
        return False


class Ports:
    """The ports of one part, by name."""

    def __init__(self, numbers: Mapping[str, int]) -> None:
        self.numbers = dict(numbers)

    def __getitem__(self, name: str) -> int:
        return self.numbers[name]

    def renew(self) -> None:
        """Replace ports that another program uses now. Called before each start of the part."""
        taken = [name for name, port in self.numbers.items() if not is_free(port)]
        self.numbers |= zip(taken, choose([None] * len(taken)), strict=True)


def random_port() -> int:
    return LOWEST + secrets.randbelow(OUTGOING_FROM - LOWEST)


def choose(wanted: Iterable[int | None], draw: Callable[[], int] = random_port) -> list[int]:
    """One free port for each wanted one, all different; None is any port.

    All sockets stay bound until every port is chosen, so that no port is given twice.
    """
    probes: list[socket.socket] = []
    try:
        for port in wanted:
            probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probes.append(probe)
            _bind(probe, port, draw)
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _bind(probe: socket.socket, port: int | None, draw: Callable[[], int]) -> None:
    """Bind to the wanted port, else to a random one, else to any that the system gives."""
    drawn_ports = [draw() for _ in range(DRAWS_MAX)]
    for number in (*(() if port is None else (port,)), *drawn_ports, 0):
        try:
            probe.bind((HOST, number))
        except OSError:
            continue
        return
