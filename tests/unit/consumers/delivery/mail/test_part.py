"""The sender of e-mails: a message that cannot be written fails alone."""

from __future__ import annotations

from typing import Any
from unittest.mock import AsyncMock, MagicMock

import pytest
from structlog.testing import capture_logs

from consumers.delivery.mail import part, queue
from consumers.delivery.mail.letters import notice_letter
from consumers.delivery.mail.notices import Prepared
from tests.unit.consumers.delivery.mail.notices import CLAIMED, CONTEXT, IDENTITY, NOTICE, NOW, SENDER


async def test_a_message_that_cannot_be_written_fails_and_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = Prepared(notice_letter(NOTICE, CONTEXT), "press@health.example", IDENTITY)
    monkeypatch.setattr(part, "prepare", AsyncMock(return_value=prepared))
    ended: list[Any] = []

    async def end(*given: Any) -> None:
        ended.append(given[3:5])

    def build(*_: Any) -> None:
        raise LookupError("a defect of a header")

    monkeypatch.setattr(queue, "end", end)
    monkeypatch.setattr(part, "build", build)
    session = MagicMock(send=AsyncMock())
    office = part.PostOffice(MagicMock(), 1, MagicMock(), SENDER, MagicMock(), MagicMock(), clock=lambda: NOW)
    with capture_logs() as lines:
        assert await office._send(session, CLAIMED) is None
    assert ended == [("failed", "cannot-be-written")]
    session.send.assert_not_awaited()
    (line,) = [line for line in lines if line["log_level"] == "error"]
    assert (line["message"], type(line["exc_info"])) == (7, LookupError)
