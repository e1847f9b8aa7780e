"""An answer leaves as one piece, and nothing of it is kept."""

from __future__ import annotations

import asyncio
from typing import cast

from producers.gateway.http.transport import HeadWithBody


class Transport:
    """What was sent, by the call."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.sent.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def together(transport: Transport) -> HeadWithBody:
    return HeadWithBody(cast(asyncio.Transport, transport), asyncio.get_running_loop())


async def test_head_and_body_are_sent_at_once_and_together() -> None:
    transport = Transport()
    kept = together(transport)
    for answer in (b"1", b"2"):
        kept.write(b"head" + answer)
        kept.write(b"body" + answer)
    assert transport.sent == [b"head1body1", b"head2body2"]
    await asyncio.sleep(0)
    assert len(transport.sent) == 2


async def test_a_head_without_a_body_is_sent_when_the_loop_turns() -> None:
    transport = Transport()
    kept = together(transport)
    kept.write(b"head")
    assert transport.sent == []
    await asyncio.sleep(0)
    assert transport.sent == [b"head"]


async def test_what_is_kept_is_sent_before_closing_and_nothing_after() -> None:
    transport = Transport()
    kept = together(transport)
    kept.write(b"head")
    kept.close()
    assert (transport.sent, transport.closed) == ([b"head"], True)
    kept.write(b"late")
    await asyncio.sleep(0)
    assert transport.sent == [b"head"]
    assert kept.is_closing()
