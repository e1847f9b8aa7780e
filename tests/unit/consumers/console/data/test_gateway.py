"""What the console sends to the gateway, and what it knows afterwards. The gateway here is a function."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import httpx
import jwt
import pytest

from consumers.console.data.gateway import Gateway, Reply
from infra.http.console_tokens import ALGORITHM, ISSUER, Sending
from infra.settings import Settings
from producers.sdk.problems import NotServed, OutcomeUnknown
from tests.every import every
from tests.world.consoles import write_console_key
from tests.world.gateways import answering

NOW = datetime(2026, 11, 25, tzinfo=UTC)
DESK = Sending("desk", "agency", "health")


async def asked(home: Path, method: str, address: str | None = "https://gateway", **given: bytes) -> Reply:
    settings = Settings(home=home, console_gateway=address)
    write_console_key(settings)
    gateway = Gateway(settings, lambda: NOW)
    try:
        return await gateway.ask(DESK, method, "/v1/teams?limit=1", language="ar", **given)  # type: ignore[arg-type]
    finally:
        await gateway.close()


async def test_each_request_names_its_account_and_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(201, json={"team": "press"})

    answering(monkeypatch, answer)
    assert await asked(tmp_path, "POST", content=b"{}") == Reply(201, {"team": "press"})
    await asked(tmp_path, "DELETE")
    changed, removed = seen
    token = changed.headers["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False}, algorithms=[ALGORITHM])
    assert (claims["iss"], claims["sub"], claims["role"], claims["holder"]) == (ISSUER, *DESK)
    assert changed.headers["accept-language"] == "ar"
    assert (str(changed.url), changed.content) == ("https://gateway/v1/teams?limit=1", b"{}")
    assert changed.headers["content-type"] == "application/json"
    assert (removed.method, removed.content, "content-type" in removed.headers) == ("DELETE", b"", False)


@every("status", [403, 429, 500, 503, 504])
async def test_a_refusal_is_returned_and_nothing_is_sent_twice(
    status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [httpx.Response(202), httpx.Response(status, json={"type": "/problems/forbidden", "title": "No"})]
    answering(monkeypatch, lambda _: answers.pop())
    reply = await asked(tmp_path, "POST", content=b"{}")
    assert (reply.status, reply.is_success, len(answers)) == (status, False, 1)
    assert (reply.refusal().problem.code, reply.refusal().problem.status) == ("forbidden", status)


@every(
    ("method", "broken", "error"),
    [
        ("POST", httpx.ConnectError("refused"), NotServed),
        ("POST", httpx.ReadTimeout("no answer"), OutcomeUnknown),
        ("DELETE", httpx.RemoteProtocolError("closed"), OutcomeUnknown),
        ("GET", httpx.RemoteProtocolError("closed"), NotServed),
    ],
)
async def test_where_no_answer_comes_it_is_known_whether_something_may_be_stored(
    method: str,
    broken: httpx.TransportError,
    error: type[Exception],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise broken

    answering(monkeypatch, answer)
    with pytest.raises(error):
        await asked(tmp_path, method)


async def test_an_answer_that_is_no_document_is_none_and_without_a_gateway_nothing_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, lambda _: httpx.Response(502, text="<html>"))
    reply = await asked(tmp_path, "GET")
    assert (reply, reply.refusal().problem.status) == (Reply(502, None), 502)
    monkeypatch.setenv("YESSER_HOME", str(tmp_path))
    with pytest.raises(NotServed, match="No gateway was started"):
        await asked(tmp_path, "POST", None, content=b"{}")
