"""Ports on loopback: that of the last run if it is free, else any free one, so that stacks coexist.

Ports are below the range of outgoing connections: a client that keeps connecting to a stopped server would at some
time get the server's own port, and the server could not start.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Container, Iterable, Mapping
from contextlib import ExitStack
from typing import Final

HOST: Final = "127.0.0.1"
LOWEST: Final = 20_000
OUTGOING_FROM: Final = 32_768
"""The default start of the range of outgoing connections."""
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


def reachable(host: str) -> str:
    """Where this machine reaches a server that listens on `host`."""
    return {"": HOST, "0.0.0.0": HOST, "::": "::1"}.get(host, host)  # noqa: S104 - nothing is bound here


class Ports:
    """The ports of one part, by name. Those that a setting names stay: where one is taken, the part says so."""

    def __init__(self, drawn: Mapping[str, int], named: Mapping[str, int] | None = None) -> None:
        self._named = dict(named or {})
        self.numbers = {**drawn, **self._named}

    def __getitem__(self, name: str) -> int:
        return self.numbers[name]

    def renew(self) -> None:
        """Replace ports that another program uses now. Called before each start of the part."""
        taken = [name for name, port in self.numbers.items() if name not in self._named and not is_free(port)]
        self.numbers |= zip(taken, choose([None] * len(taken), avoid=self.numbers.values()), strict=True)


def random_port() -> int:
    return LOWEST + secrets.randbelow(OUTGOING_FROM - LOWEST)


def choose(wanted: Iterable[int | None], draw: Callable[[], int] = random_port, avoid: Iterable[int] = ()) -> list[int]:
    """One free port for each wanted one, all different and none of `avoid`; None is any port.

    All sockets stay bound until every port is chosen, so that the system gives none twice. It would give a number that
    is asked for twice: no socket listens yet.
    """
    taken = set(avoid)
    chosen: list[int] = []
    with ExitStack() as probes:
        for port in wanted:
            probe = probes.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            _bind(probe, port, draw, taken)
            chosen.append(int(probe.getsockname()[1]))
            taken.add(chosen[-1])
    return chosen


def _bind(probe: socket.socket, port: int | None, draw: Callable[[], int], given: Container[int]) -> None:
    """Bind to the wanted port, else to a random one, else to any that the system gives."""
    drawn_ports = [draw() for _ in range(DRAWS_MAX)]
    for number in (*(() if port is None else (port,)), *drawn_ports, 0):
        if number in given:
            continue
        try:
            probe.bind((HOST, number))
        except OSError:
            continue
        return
