"""The sender of webhooks: what goes wrong in one request is of that request alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from unittest.mock import AsyncMock, MagicMock

from structlog.testing import capture_logs

from consumers.delivery.secrets import new_secret
from consumers.delivery.webhooks.schedule import Outcome
from consumers.delivery.webhooks.sender import Sender
from infra.process.leader_election import Term
from infra.secret_files import ENDPOINT_KEY, password
from infra.settings import Settings
from tests.unit.consumers.delivery.endpoints import MESSAGE, active


def sender_of(settings: Settings, post: AsyncMock) -> Sender:
    return Sender(settings, Term(1, asyncio.Event()), MagicMock(), MagicMock(post=post))


async def test_a_bug_in_one_attempt_fails_that_attempt_and_the_next_is_made(tmp_path: Path) -> None:
    settings, bug = Settings(home=tmp_path), OverflowError("signed integer is greater than maximum")
    password(settings.secret_path(ENDPOINT_KEY).parent, ENDPOINT_KEY)
    sender = sender_of(settings, AsyncMock(side_effect=[bug, Outcome(200, None, 3)]))
    endpoint = active()
    endpoint.secrets = [new_secret("v1").secret]
    sender._active[endpoint.endpoint_id] = endpoint
    with capture_logs() as lines:
        for number in range(2):
            await sender._attempt(endpoint, replace(MESSAGE, message_id=7 + number), b"{}")
            await asyncio.gather(*sender._requests)
    assert sender._bug is None
    found = {attempt.message.message_id: attempt for attempt in sender._ended}
    assert (found[7].outcome.error, found[7].verdict.state) == ("bad-answer", "waiting")
    assert (found[8].outcome.status, found[8].verdict.state) == (200, "delivered")
    (line,) = [line for line in lines if line["log_level"] == "error"]
    assert (line["endpoint_id"], line["message"], type(line["exc_info"])) == ("e1", 7, OverflowError)


async def test_the_message_of_a_cancelled_request_is_read_again(tmp_path: Path) -> None:
    """Whether it arrived is not known. Without it, the message would wait for the next term."""

    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    sender = sender_of(Settings(home=tmp_path), AsyncMock(side_effect=hang))
    endpoint = active()
    endpoint.secrets, endpoint.is_read = [new_secret("v1").secret], True
    endpoint.ready.append((MESSAGE, b"{}"))
    assert sender._start_one(endpoint)
    await asyncio.sleep(0)
    (request,) = sender._requests
    request.cancel()
    await asyncio.wait([request])
    assert (endpoint.in_flight, endpoint.is_read, sender._ended) == (set(), False, [])
