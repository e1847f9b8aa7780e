"""The API of teams on a real PostgreSQL, asked by one agency or another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from nacl.public import PrivateKey

from consumers.delivery.secrets import publish_key
from infra.http.callers import Kind
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.consumers.api.read_api import REGISTER, Window, read_window

TEAM: dict[str, Any] = {
    "team": "press",
    "name": {"ar": "المكتب الإعلامي", "en": "Press office"},
    "contacts": ["media@health.gov.example", "duty-desk@health.gov.example"],
}
URL = "https://campaigns.health.gov.example/hook-6f1c"
AGENCIES = (("yesser", "office"), ("health", "agency"), ("labour", "agency"))


@dataclass(frozen=True)
class Office:
    """The application, and the key for which secrets are sealed."""

    window: Window
    key: PrivateKey

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        agency: str = "health",
        kind: Kind = "agency",
        **headers: str,
    ) -> httpx.Response:
        """The answer to a request with the token of an agency, or of a holder of another kind."""
        if (kind, agency) not in self.window.tokens:
            await self.window.get("/v1/key", kind, agency)  # creates a token
        given = {"authorization": f"Bearer {self.window.tokens[kind, agency]}"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.window.client.request(method, path, json=body, headers=given)

    async def refused(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        """The status of an answer, and the code of its first fault."""
        answer = await self.ask(method, path, body)
        return answer.status_code, answer.json()["errors"][0]["code"]

    async def made(self, path: str, body: object, *, agency: str = "health") -> Any:
        """The document of a creation that has to be good."""
        answer = await self.ask("POST", path, body, agency=agency)
        assert answer.status_code in (200, 201, 202), answer.text
        return answer.json()


async def register(connection: Connection) -> PrivateKey:
    """The agencies of the log, and the key that the delivery process publishes."""
    for code, role in AGENCIES:
        await connection.execute(REGISTER, code, role)
    key = PrivateKey.generate()
    await publish_key(connection, [key])
    return key


@asynccontextmanager
async def open_office(settings: Settings, connection: Connection) -> AsyncIterator[Office]:
    key = await register(connection)
    async with read_window(settings, connection) as window:
        yield Office(window, key)
