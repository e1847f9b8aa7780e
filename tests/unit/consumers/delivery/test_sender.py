"""The sender of webhooks: what goes wrong in one request is of that request alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

from structlog.testing import capture_logs

from consumers.delivery.secrets import new_secret
from consumers.delivery.webhooks.schedule import Outcome
from consumers.delivery.webhooks.sender import Sender
from infra.process.leader_election import Term
from infra.secret_files import ENDPOINT_KEY
from infra.settings import Settings
from tests.unit.consumers.delivery.endpoints import MESSAGE, active


class Client:
    """A client in which the first answer of a receiver brings about a bug."""

    def __init__(self) -> None:
        self.requests = 0

    async def post(self, *_: Any) -> Outcome:
        self.requests += 1
        if self.requests == 1:
            raise OverflowError("signed integer is greater than maximum")
        return Outcome(200, None, 3)


async def test_a_bug_in_one_attempt_fails_that_attempt_and_the_next_is_made(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    path = settings.secret_path(ENDPOINT_KEY)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("key", encoding="utf-8")
    sender = Sender(settings, Term(1, asyncio.Event()), MagicMock(), Client())  # type: ignore[arg-type]
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

    class Hanging:
        async def post(self, *_: Any) -> Outcome:
            await asyncio.sleep(3_600)
            raise AssertionError

    sender = Sender(Settings(home=tmp_path), Term(1, asyncio.Event()), MagicMock(), Hanging())  # type: ignore[arg-type]
    endpoint = active()
    endpoint.secrets, endpoint.is_read = [new_secret("v1").secret], True
    endpoint.ready.append((MESSAGE, b"{}"))
    assert sender._start_one(endpoint)
    await asyncio.sleep(0)
    (request,) = sender._requests
    request.cancel()
    await asyncio.wait([request])
    assert (endpoint.in_flight, endpoint.is_read, sender._ended) == (set(), False, [])
