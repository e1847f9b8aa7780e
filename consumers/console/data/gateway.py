"""Sends what people publish and change, through the gateway, as their agency.

The gateway decides (docs/decisions/the-console-acts-as-its-users.md). Each request has a token of its own, valid for a
minute, that names the account.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import click
import httpx

from events.errors import Reject, Retry
from infra.command_line.gateway_options import gateway_address
from infra.http.answers import bound_answers
from infra.http.console_tokens import Sending, console_token
from infra.json_documents import from_json
from infra.keys.hash_keys import console_key_files, read_hash_key
from infra.settings import Settings
from infra.tls.certificate_files import TlsFiles
from infra.tls.client import client_context

_TIMEOUT_S: Final = 35.0
"""Longer than the gateway's own waits."""
ANSWER_BYTES_MAX: Final = 32 << 20


class GatewayAway(Retry):
    """The gateway cannot be reached; whether it took what was sent is not known where `may_be_stored`."""

    def __init__(self, may_be_stored: bool) -> None:
        super().__init__("the gateway does not answer")
        self.may_be_stored = may_be_stored


@dataclass(frozen=True, slots=True)
class Reply:
    """What the gateway answered: a document, of a success or of a problem."""

    status: int
    document: Any
    headers: Mapping[str, str]

    @property
    def is_success(self) -> bool:
        return self.status < 400


class NotAnswered(Reject):
    """The gateway gave a problem document: `code` is that of the problem, `status` that of HTTP."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        super().__init__(str(document.get("title")))
        self.status = status
        self.document = document
        self.code = str(document.get("type", "")).rpartition("/")[2]


class Gateway:
    """A client of the gateway for everybody who is signed in. `clock` gives the time of day."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock
        self._key_files = console_key_files(settings)
        verify = client_context(TlsFiles.of(settings))
        self._client = httpx.AsyncClient(timeout=_TIMEOUT_S, verify=verify, trust_env=False)
        bound_answers(self._client, ANSWER_BYTES_MAX)

    def address(self) -> str:
        """The gateway's address. It may move with a restart, so it is looked up for each request."""
        return gateway_address(self._settings.console_gateway)

    async def ask(
        self,
        sending: Sending,
        method: str,
        path: str,
        *,
        language: str = "en",
        content: bytes | None = None,
        content_type: str = "application/json",
        parameters: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a request for a person. Raises `GatewayAway`."""
        key = read_hash_key(self._key_files, self._key_files.current)
        token = console_token(
            "" if key is None else key.text, sending, self._settings.gateway_jwt_audience, self._clock()
        )
        headers = {"Authorization": f"Bearer {token}", "Accept-Language": language}
        if content is not None:
            headers["Content-Type"] = content_type
        try:
            response = await self._client.request(
                method, f"{self.address()}{path}", content=content, headers=headers, params=parameters
            )
        except (httpx.ConnectError, click.UsageError) as error:  # no gateway runs in this stack
            raise GatewayAway(may_be_stored=False) from error
        except httpx.HTTPError as error:
            raise GatewayAway(may_be_stored=method != "GET") from error
        return Reply(response.status_code, _document(response), response.headers)

    async def close(self) -> None:
        await self._client.aclose()


def _document(response: httpx.Response) -> Any:
    try:
        return from_json(response.content) if response.content else None
    except ValueError:
        return None
