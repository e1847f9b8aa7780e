"""An answer leaves as one piece, and nothing of it is kept."""

from __future__ import annotations

import asyncio

from producers.gateway.http.protocol import HeadWithBody
from tests.unit.producers.gateway.http.in_memory import Transport


async def test_head_and_body_leave_together_and_a_head_alone_soon_after() -> None:
    transport = Transport()
    kept = HeadWithBody(transport, asyncio.get_running_loop())
    for answer in (b"1", b"2"):
        kept.write(b"head" + answer)
        kept.write(b"body" + answer)
    assert transport.sent == [b"head1body1", b"head2body2"]
    await asyncio.sleep(0)
    assert len(transport.sent) == 2, "nothing is sent again"
    kept.write(b"head")
    assert len(transport.sent) == 2
    await asyncio.sleep(0)
    assert transport.sent[2:] == [b"head"]
    kept.write(b"last")
    kept.close()
    assert (transport.sent[3:], transport.closed, kept.is_closing()) == ([b"last"], True, True)
    kept.write(b"late")
    await asyncio.sleep(0)
    assert len(transport.sent) == 4
