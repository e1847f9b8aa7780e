"""A socket that cannot be opened: the message names the reason and the setting."""

from __future__ import annotations

import errno
import socket

import pytest

from infra.process.http_server import CannotListen, PortTaken, listening
from tests.every import every


@every(
    "error",
    [
        OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address"),
        PermissionError(errno.EACCES, "Permission denied"),
        socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
    ],
)
def test_an_address_that_may_not_be_used_is_not_called_taken(error: OSError, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(socket.socket, "bind", refuse)
    words = rf"Nothing can listen on port 443 of gateway \({error.strerror}\): .* another port in YESSER_GATEWAY_PORT"
    with pytest.raises(CannotListen, match=words) as found, listening("gateway", 443, "YESSER_GATEWAY_PORT (0: any)"):
        pass
    assert not isinstance(found.value, PortTaken)
