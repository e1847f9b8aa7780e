"""Campaigns read through the gateway, with a token: what the commands show to people without the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import httpx
from msgspec import Struct, ValidationError

from consumers.documents.document import document_of
from events.errors import Retry, YesserError
from infra.http.answers import AnswerRefused, bound_answers
from infra.settings import Settings
from infra.tls.certificate_files import TlsFiles
from infra.tls.client import client_context
from infra.tls.plaintext import refuse_plain_http

TIMEOUT_S: Final = 20.0
ANSWER_BYTES_MAX: Final = 32 << 20
"""Of one page of a list."""
_ADDED: Final = {"more_history": False}
"""What older gateways do not say."""
_NOT_FOUND: Final = 404
_LATER: Final = frozenset({429, 500, 502, 503, 504})
D = TypeVar("D", bound=Struct)


class GatewayAway(Retry):
    """The gateway did not answer: check the address and the network, then run the command again."""


class GatewayRefused(YesserError):
    """The gateway refused the request; the message gives its reason."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway's address, and the token that it is read with."""

    address: str
    token: str = field(repr=False)

    def rows(self, document: type[D], path: str, parameters: Mapping[str, str]) -> list[D] | None:
        """All pages of a list; None where the gateway has no such thing."""
        found: list[D] = []
        following: str | None = f"{path}?{httpx.QueryParams(dict(parameters))}"
        with self._client() as client:
            while following is not None:
                answer = self._answer(client, following)
                if answer is None:
                    return None
                found += [self._document(document, row) for row in answer.json()]
                following = answer.links.get("next", {}).get("url")
        return found

    def document(self, document: type[D], path: str) -> D | None:
        """One document; None where the gateway has no such thing."""
        with self._client() as client:
            answer = self._answer(client, path)
        return None if answer is None else self._document(document, answer.json())

    def _document(self, document: type[D], answer: Mapping[str, Any]) -> D:
        try:
            return document_of(document, {**_ADDED, **answer})
        except ValidationError as error:
            raise GatewayRefused(f"{self.address} answered what this version cannot show: {error}") from None

    def _client(self) -> httpx.Client:
        """Raises `PlaintextRefused` if the token would leave this machine without encryption."""
        settings = Settings()
        refuse_plain_http(settings, "gateway", "--gateway", self.address)
        is_secure = httpx.URL(self.address).scheme == "https"
        client = httpx.Client(
            base_url=self.address,
            headers={"authorization": f"Bearer {self.token}"},
            verify=client_context(TlsFiles.of(settings)) if is_secure else False,
            trust_env=is_secure,  # a proxy on the way could read a plain request
            timeout=TIMEOUT_S,
        )
        bound_answers(client, ANSWER_BYTES_MAX)
        return client

    def _answer(self, client: httpx.Client, path: str) -> httpx.Response | None:
        try:
            answer = client.get(path)
        except AnswerRefused as error:
            raise GatewayRefused(f"{self.address}: {error}") from None
        except httpx.TransportError as error:
            raise GatewayAway(f"{self.address}: {error or type(error).__name__}. {GatewayAway.__doc__}") from error
        if answer.status_code == _NOT_FOUND:
            return None
        if answer.status_code in _LATER:
            raise GatewayAway(f"{self.address} answered {answer.status_code}. {GatewayAway.__doc__}")
        if not answer.is_success or "log-index" not in answer.headers:
            raise GatewayRefused(f"{self.address} answered {answer.status_code}: {_reason(answer)}")
        return answer


def _reason(answer: httpx.Response) -> str:
    try:
        document = answer.json()
        return f"{document['title']}. {document['detail']}"
    except (ValueError, KeyError, TypeError):
        return "this is not the answer of a gateway; check the address"
