"""A socket that cannot be opened: the message names the reason and the setting."""

from __future__ import annotations

import errno
import socket

import pytest

from infra.process.http_server import CannotListen, PortTaken, listening

SETTING = "YESSER_GATEWAY_PORT (0: any)"


def test_a_port_of_another_process_is_taken() -> None:
    with listening("127.0.0.1", 0, SETTING) as listener:
        port = listener.getsockname()[1]
        with (
            pytest.raises(PortTaken, match=f"Port {port} of 127.0.0.1 is taken; name another in YESSER_GATEWAY_PORT"),
            listening("127.0.0.1", port, SETTING),
        ):
            pass


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address"),
        PermissionError(errno.EACCES, "Permission denied"),
        socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
    ],
)
def test_an_address_or_a_port_that_may_not_be_used_is_not_called_taken(
    error: OSError, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(socket.socket, "bind", refuse)
    words = rf"Nothing can listen on port 443 of gateway \({error.strerror}\): .* another port in YESSER_GATEWAY_PORT"
    with pytest.raises(CannotListen, match=words) as found, listening("gateway", 443, SETTING):
        pass
    assert not isinstance(found.value, PortTaken)
