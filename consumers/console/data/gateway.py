"""Sends what people publish and change, through the gateway, as their agency.

The gateway decides (docs/decisions/the-console-acts-as-its-users.md). Each request has a token of its own, valid for a
minute, that names the account. Its receipts of single events are kept for the page that shows them after the form was
answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import click
from cachetools import LRUCache
from pydantic import ValidationError

from events.values.bilingual import Language
from infra.clock import Clock
from infra.command_line.gateway_options import gateway_address
from infra.http.console_tokens import Sending, console_token
from infra.keys.hash_keys import console_key_files, read_hash_key
from infra.settings import Settings
from infra.tls.certificate_files import TlsFiles
from producers.sdk.answers import Answer, NotAGateway, Problem, SendAnswer, problem_in, read_document
from producers.sdk.connection import ClientLimits, Connection, Request, authorisation, http_client
from producers.sdk.problems import GatewayProblem, NotServed

_TIMEOUT_S: Final = 35.0
"""Longer than the gateway's own waits."""
_LIMITS: Final = ClientLimits(
    time_limit_s=_TIMEOUT_S, attempt_timeout_s=_TIMEOUT_S, requests_in_flight_max=20, connections_max=100
)
"""The gateway takes twice as many connections of one peer."""
AnswerType = TypeVar("AnswerType", bound=Answer)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the gateway answered: a document, of a success or of a problem."""

    status: int
    document: Any

    @property
    def is_success(self) -> bool:
        return self.status < 400

    def read(self, model: type[AnswerType]) -> AnswerType:
        """A success as this type. Raises `NotAGateway`."""
        try:
            return model.model_validate(self.document)
        except ValidationError as error:
            raise NotAGateway(str(NotAGateway.__doc__)) from error

    @property
    def problem(self) -> Problem:
        """What is wrong, where it is no success."""
        return problem_in(self.document, self.status)

    def refusal(self) -> GatewayProblem:
        """What to raise where it is no success, to be shown as a page."""
        return GatewayProblem(self.problem)


class Gateway:
    """The gateway for everybody who is signed in. `clock` gives the time of day."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._key_files = console_key_files(settings)
        self._connection = Connection(http_client(_LIMITS, TlsFiles.of(settings), trust_env=False), _LIMITS)

    def address(self) -> str:
        """The gateway's address. It may move with a restart, so it is looked up for each request."""
        return gateway_address(self._settings.console_gateway)

    async def ask(
        self,
        sending: Sending,
        method: str,
        path: str,
        *,
        language: Language = "en",
        content: bytes | None = None,
        content_type: str = "application/json",
        parameters: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a request for a person, once: the person decides whether to try again.

        Raises `NotServed` and `OutcomeUnknown`.
        """
        key = read_hash_key(self._key_files, self._key_files.current)
        token = console_token(
            "" if key is None else key.text, sending, self._settings.gateway_jwt_audience, self._clock()
        )
        try:
            address = self.address()
        except click.UsageError as error:  # no gateway runs in this stack
            raise NotServed(str(error)) from error
        request = Request(
            f"{address}{path}",
            content,
            "" if content is None else content_type,
            parameters or {},
            stores=method != "GET",
            method=method,
            headers=authorisation(token, language),
        )
        response = await self._connection.ask_once(request)
        return Reply(response.status_code, read_document(response))

    async def close(self) -> None:
        await self._connection.close()


KEPT_MAX: Final = 500


class Receipt(SendAnswer):
    """The answer to one stored event, as the gateway signed it."""

    signature: str


Receipts = LRUCache[tuple[str, str], Receipt]
"""The last receipts, by the account that sent the event and the event's address."""
