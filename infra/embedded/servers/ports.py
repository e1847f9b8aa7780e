"""Ports on loopback: the one of the last run when it is still free, else any free one, so that stacks coexist.

Ports lie below those that the system gives to outgoing connections: a client that tries again and again to reach a
server that is down would sooner or later be given the server's own port, and the server could not come back.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Iterable, Mapping
from typing import Final

HOST: Final = "127.0.0.1"
LOWEST: Final = 20_000
OUTGOING_FROM: Final = 32_768
"""Where outgoing connections begin by default."""
DRAWS_MAX: Final = 100


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now (a port in TIME_WAIT counts as free, as it does for servers)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


class Ports:
    """The ports of one part, by name."""

    def __init__(self, numbers: Mapping[str, int]) -> None:
        self.numbers = dict(numbers)

    def __getitem__(self, name: str) -> int:
        return self.numbers[name]

    def renew(self) -> None:
        """Draw anew what another program has taken since it was chosen. Called before each start of the part."""
        taken = [name for name, port in self.numbers.items() if not is_free(port)]
        self.numbers |= zip(taken, choose([None] * len(taken)), strict=True)


def drawn() -> int:
    """Any port of ours."""
    return LOWEST + secrets.randbelow(OUTGOING_FROM - LOWEST)


def choose(wanted: Iterable[int | None], draw: Callable[[], int] = drawn) -> list[int]:
    """One free port for each wish, all different; None wishes for any.

    All sockets stay bound until every port is chosen, so that the system cannot hand out the same one twice.
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


def _bind(probe: socket.socket, wish: int | None, draw: Callable[[], int]) -> None:
    """Bind to the wish, else to a drawn port; where none of those is free, to any that the system has."""
    drawn_ports = [draw() for _ in range(DRAWS_MAX)]
    for port in (*(() if wish is None else (wish,)), *drawn_ports, 0):
        try:
            probe.bind((HOST, port))
        except OSError:
            continue
        return
