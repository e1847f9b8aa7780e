"""What is tried again, what is not, and what is known at the end. The gateway here is a script."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import httpx
import pytest

from infra.http.answers import AnswerRefused
from producers.sdk.connection import ClientLimits, Connection, Request, authorisation
from producers.sdk.problems import ClientClosed, GatewayProblem, NotServed, OutcomeUnknown
from tests.every import every
from tests.virtual_time import virtual

Step: TypeAlias = httpx.Response | httpx.RequestError | Callable[[], httpx.Response]
QUICK = ClientLimits(time_limit_s=0.2, attempt_timeout_s=0.1, pause_min_s=0.001, pause_max_s=0.002)
SEND = Request("/v1/events", b"{}", "application/cloudevents+json", stores=True)
READ = Request("/v1/completeness")


def problem(status: int, code: str, headers: dict[str, str] | None = None) -> httpx.Response:
    body = {"type": f"/problems/{code}", "title": code, "status": status, "detail": "detail"}
    return httpx.Response(status, json=body, headers=headers)


def stored() -> httpx.Response:
    return httpx.Response(202, json={})


@dataclass
class Script:
    """Answers one request after the other; the last answer repeats."""

    steps: list[Step]
    bodies: list[bytes] = field(default_factory=list)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(await request.aread())
        step = self.steps[min(len(self.bodies), len(self.steps)) - 1]
        if isinstance(step, httpx.RequestError):
            raise step
        return step if isinstance(step, httpx.Response) else step()


@asynccontextmanager
async def scripted(
    *steps: Step, limits: ClientLimits = QUICK, chance: float = 0.0
) -> AsyncIterator[tuple[Connection, Script]]:
    script = Script(list(steps))
    async with httpx.AsyncClient(transport=httpx.MockTransport(script.answer), base_url="http://gateway") as http:
        yield Connection(http, limits, lambda: chance), script


@every(
    "first",
    [
        problem(503, "kafka-away"),
        problem(429, "too-many-requests"),
        problem(504, "outcome-unknown"),
        problem(500, "gateway-fault"),
        httpx.Response(502, text="bad gateway"),
        httpx.ConnectError("refused"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("closed without an answer"),
    ],
)
@virtual
async def test_the_same_bytes_go_again_until_they_have_an_answer(first: Step) -> None:
    async with scripted(first, first, stored()) as (connection, script):
        assert (await connection.ask(SEND)).status_code == 202
    assert script.bodies == [b"{}"] * 3


@every("status", [400, 401, 403, 404, 408, 413, 415, 422, 301])
@virtual
async def test_a_no_is_final(status: int) -> None:
    async with scripted(problem(status, "some-code"), stored()) as (connection, script):
        with pytest.raises(GatewayProblem, match=f"{status} some-code: detail") as found:
            await connection.ask(SEND)
    assert len(script.bodies) == 1
    assert (found.value.problem.type, found.value.may_be_stored) == ("/problems/some-code", False)


@virtual
async def test_retry_after_is_waited_for_at_least_and_nothing_was_stored_where_every_answer_says_so() -> None:
    limits = ClientLimits(time_limit_s=1.5, pause_min_s=0.001)
    later = problem(503, "kafka-away", {"retry-after": "2"})
    async with scripted(later, stored(), limits=limits) as (connection, script):
        with pytest.raises(NotServed, match="503 kafka-away"):
            await connection.ask(SEND)
    assert len(script.bodies) == 1, "the pause would have ended after the time limit"
    async with scripted(httpx.ConnectError("refused"), problem(503, "kafka-away")) as (connection, _):
        with pytest.raises(NotServed, match="nothing was stored") as found:
            await connection.ask(SEND)
    assert found.value.problem is not None
    assert found.value.problem.type == "/problems/kafka-away"


def silent() -> httpx.Response:
    raise TimeoutError


@every(
    "first",
    [problem(504, "outcome-unknown"), httpx.ReadError("reset"), httpx.Response(503, text="a proxy's words"), silent],
)
@virtual
async def test_once_unknown_it_stays_unknown_whatever_comes_later(first: Step) -> None:
    async with scripted(first, problem(503, "kafka-away")) as (connection, _):
        with pytest.raises(OutcomeUnknown, match="may or may not be stored"):
            await connection.ask(SEND)
    async with scripted(first, problem(401, "unauthenticated")) as (connection, _):
        with pytest.raises(GatewayProblem) as found:
            await connection.ask(SEND)
    assert found.value.may_be_stored
    async with scripted(first) as (connection, _):
        with pytest.raises(NotServed):  # a question stores nothing, and so is never unknown
            await connection.ask(READ)


@virtual
async def test_a_question_about_what_is_not_there_yet_is_asked_again() -> None:
    soon = problem(404, "not-found", {"retry-after": "0"})
    async with scripted(soon, httpx.Response(200, json={})) as (connection, script):
        assert (await connection.ask(READ)).status_code == 200
        assert len(script.bodies) == 2
    async with scripted(soon) as (connection, script):
        with pytest.raises(GatewayProblem):
            await connection.ask(SEND)


@every("first", [problem(503, "kafka-away"), problem(500, "gateway-fault"), httpx.ConnectError("refused")])
@virtual
async def test_a_client_that_tries_once_says_at_once_what_it_knows(first: Step) -> None:
    async with scripted(first, stored(), limits=ClientLimits(tries_max=1)) as (connection, script):
        with pytest.raises(NotServed):
            await connection.ask(READ)
    assert len(script.bodies) == 1


@every("status", [202, 301, 404, 422, 429, 500, 503, 504])
@virtual
async def test_the_answer_to_one_attempt_is_returned_whatever_it_is(status: int) -> None:
    async with scripted(problem(status, "some-code"), stored()) as (connection, script):
        assert (await connection.ask_once(SEND)).status_code == status
    assert len(script.bodies) == 1


@every(
    ("broken", "request_", "error"),
    [
        (httpx.ConnectError("refused"), SEND, NotServed),
        (httpx.ConnectTimeout("no answer"), SEND, NotServed),
        (httpx.ReadError("reset"), SEND, OutcomeUnknown),
        (httpx.ReadError("reset"), READ, NotServed),
        (AnswerRefused("larger than it may be"), SEND, OutcomeUnknown),
        (AnswerRefused("larger than it may be"), READ, NotServed),
    ],
)
@virtual
async def test_what_no_answer_means(broken: httpx.RequestError, request_: Request, error: type[Exception]) -> None:
    async with scripted(broken, stored()) as (connection, script):
        with pytest.raises(error):
            await connection.ask_once(request_)
    assert len(script.bodies) == 1


@virtual
async def test_a_request_has_its_own_method_and_headers_and_a_closed_client_says_so() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=[request.method, str(request.url), request.headers["authorization"]])

    client = httpx.AsyncClient(transport=httpx.MockTransport(answer), headers=authorisation("a", "en"))
    connection = Connection(client, QUICK)
    request = Request("http://gateway/v1/teams/press", method="DELETE", headers=authorisation("b", "ar"))
    assert (await connection.ask_once(request)).json() == ["DELETE", "http://gateway/v1/teams/press", "Bearer b"]
    await connection.close()
    with pytest.raises(ClientClosed):
        await connection.ask(READ)
