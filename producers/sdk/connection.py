"""Requests to a gateway: of the SDK, and of all else of ours that asks one. No other module makes such a client.

`ask` gets the same bytes answered, within a total time:

| answer                                  | meaning                 | reaction                               |
|-----------------------------------------|-------------------------|----------------------------------------|
| 2xx                                     | done                    | returned                               |
| 429, 503 of the gateway                 | nothing was stored      | retried after `Retry-After`            |
| no connection could be made             | nothing was stored      | retried                                |
| 500, 502, 504, a connection that broke  | unknown                 | retried: duplicates are dropped        |
| anything else                           | refused                 | `GatewayProblem`                       |

Once an attempt's outcome is unknown, a later "nothing was stored" does not change that. `ask_once` leaves the reaction
to its caller.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx

from infra.clock import backoff_s
from infra.http.answers import AnswerRefused, bound_answers
from infra.tls.certificate_files import TlsFiles
from infra.tls.client import client_context
from producers.sdk.answers import Language, NotAGateway, Problem, read_problem
from producers.sdk.problems import ClientClosed, GatewayProblem, NotServed, OutcomeUnknown

ANSWER_BYTES_MAX: Final = 32 << 20
"""A gateway's answers are far smaller."""
_CONNECT_TIMEOUT_S: Final = 5.0
_LATER: Final = frozenset({429, 503})
_UNKNOWN: Final = frozenset({500, 502, 504})
_OURS: Final = "/problems/"
_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_BROKEN: Final = (httpx.NetworkError, httpx.TimeoutException, httpx.RemoteProtocolError, httpx.ProxyError, TimeoutError)


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """Limits of a client. Batches stay below the gateway's own limits."""

    time_limit_s: float = 60.0
    """Longest time of one request with all its attempts."""

    attempt_timeout_s: float = 20.0
    """Longest time of one attempt; above the gateway's own wait for Kafka."""

    requests_in_flight_max: int = 8
    """Operations that send at once; further ones wait."""

    batch_events_max: int = 500
    batch_bytes_max: int = 2 << 20
    pause_min_s: float = 0.1
    pause_max_s: float = 5.0
    tries_max: int | None = None
    """Most attempts of one request; None: as many as there is time for."""

    connections_max: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A request. `stores`: whether it may store or change something.

    `path` is the whole address where the client has none. Without `method` it is a POST if it has a body. `headers` are
    those of this request alone.
    """

    path: str
    body: bytes | None = None
    content_type: str = ""
    parameters: Mapping[str, str | int | float] = field(default_factory=dict)
    stores: bool = False
    wait_s: float = 0.0
    """Longest wait of the gateway before it answers (a long poll)."""

    method: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def authorisation(token: str, language: Language) -> dict[str, str]:
    """The headers that name the caller, and the language of problem documents."""
    return {"authorization": f"Bearer {token}", "accept-language": language}


def http_client(
    limits: ClientLimits,
    tls: TlsFiles | None,
    *,
    trust_env: bool,
    address: str = "",
    headers: Mapping[str, str] | None = None,
) -> httpx.AsyncClient:
    """What a `Connection` sends with. Without `tls` it is for plain HTTP alone. `trust_env`: through the proxies that
    the environment names. Raises `CertificateUnusable`."""
    client = httpx.AsyncClient(
        base_url=address,
        verify=False if tls is None else client_context(tls),
        trust_env=trust_env,
        headers=headers,
        timeout=httpx.Timeout(None, connect=_CONNECT_TIMEOUT_S),  # `Connection` limits the time of a whole attempt
        limits=httpx.Limits(
            max_connections=limits.connections_max, max_keepalive_connections=limits.requests_in_flight_max
        ),
    )
    bound_answers(client, ANSWER_BYTES_MAX)
    return client


class Connection:
    """Sends requests. `chance` gives numbers in [0, 1) as jitter, `clock` seconds."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        limits: ClientLimits,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._limits = limits
        self._chance = chance
        self._clock = clock

    async def ask(self, request: Request) -> httpx.Response:
        """The answer (2xx). Raises `GatewayProblem`, `NotServed`, `OutcomeUnknown`, `NotAGateway` or `ClientClosed`."""
        deadline = self._clock() + self._limits.time_limit_s + request.wait_s
        may_be_stored = False
        tries = 0
        while True:
            outcome = await self._attempt(request, deadline - self._clock())
            tries += 1
            if isinstance(outcome, AnswerRefused):
                raise NotAGateway(f"{NotAGateway.__doc__} ({outcome})")
            if isinstance(outcome, httpx.Response) and not _is_tried_again(outcome, request):
                if outcome.is_success:
                    return outcome
                raise GatewayProblem(read_problem(outcome), may_be_stored=may_be_stored)
            may_be_stored = may_be_stored or (request.stores and _may_be_stored(outcome))
            pause_s = self._pause_s(tries, outcome)
            if tries == self._limits.tries_max or self._clock() + pause_s >= deadline:
                raise _out_of_time(outcome, may_be_stored, self._limits.time_limit_s)
            await asyncio.sleep(pause_s)

    async def ask_once(self, request: Request) -> httpx.Response:
        """The answer to one attempt, whatever its status. Raises `NotServed`, `OutcomeUnknown` or `ClientClosed`."""
        outcome = await self._attempt(request, self._limits.time_limit_s + request.wait_s)
        if isinstance(outcome, httpx.Response):
            return outcome
        may_be_stored = request.stores and _may_be_stored(outcome)
        raise _out_of_time(outcome, may_be_stored, self._limits.time_limit_s) from outcome

    async def close(self) -> None:
        await self._http.aclose()

    async def _attempt(self, request: Request, left_s: float) -> httpx.Response | Exception:
        """One attempt: its answer, or the error."""
        if self._http.is_closed:
            raise ClientClosed
        content_type = {"content-type": request.content_type} if request.content_type else {}
        try:
            async with asyncio.timeout(min(left_s, self._limits.attempt_timeout_s + request.wait_s)):
                return await self._http.request(
                    request.method or ("GET" if request.body is None else "POST"),
                    request.path,
                    content=request.body,
                    headers={**request.headers, **content_type},
                    params=dict(request.parameters) or None,
                )
        except (AnswerRefused, *_BROKEN) as error:
            return error

    def _pause_s(self, tries: int, outcome: httpx.Response | Exception) -> float:
        limits = self._limits
        pause_s = backoff_s(tries, self._chance(), limits.pause_min_s, limits.pause_max_s)
        return pause_s + _retry_after_s(outcome)


def _is_tried_again(response: httpx.Response, request: Request) -> bool:
    """By its status; 404 with `Retry-After` means *not yet*."""
    if response.status_code in _LATER or response.status_code in _UNKNOWN:
        return True
    return request.body is None and response.status_code == 404 and "retry-after" in response.headers


def _may_be_stored(outcome: httpx.Response | Exception) -> bool:
    """Only an answer of the gateway, or a connection that was never made, means that nothing was stored."""
    if isinstance(outcome, httpx.Response):
        return outcome.status_code in _UNKNOWN or _OURS not in read_problem(outcome).type
    return not isinstance(outcome, _NEVER_SENT)


def _retry_after_s(outcome: httpx.Response | Exception) -> float:
    """The answer's `Retry-After` in seconds; 0 without one, or for a date, which the gateway never sends."""
    text = outcome.headers.get("retry-after", "") if isinstance(outcome, httpx.Response) else ""
    return float(text) if text.isascii() and text.isdigit() else 0.0


def _out_of_time(outcome: httpx.Response | Exception, may_be_stored: bool, time_limit_s: float) -> Exception:
    problem: Problem | None = read_problem(outcome) if isinstance(outcome, httpx.Response) else None
    reason = f"{problem.status} {problem.title}" if problem else f"{type(outcome).__name__} {outcome}".rstrip()
    if may_be_stored:
        return OutcomeUnknown(
            f"No answer was certain within {time_limit_s:g} s (last: {reason}): the events may or may not be stored."
            " Send the same events again: what was stored already is dropped as a duplicate."
        )
    return NotServed(f"Not answered within {time_limit_s:g} s (last: {reason}). {NotServed.__doc__}", problem)
