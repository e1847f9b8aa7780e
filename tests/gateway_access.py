"""What an agency from outside is given by a running system: the gateway's address and a token."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from infra.postgres.connection import connect
from infra.settings import Settings
from producers.agencies.tokens import TokenRequest, create_token, hash_key
from producers.sdk.client import AgencyClient
from producers.sdk.connection import ClientLimits
from tests.scenarios.system import System


@dataclass(frozen=True)
class GatewayAccess:
    """The gateway of a running system, and an agency's token for it."""

    system: System
    agency: str
    address: str
    token: str

    def client(self, limits: ClientLimits | None = None) -> AgencyClient:
        """A client of this agency."""
        return AgencyClient(self.address, self.token, limits=limits)


def grant_access(system: System, agency: str) -> GatewayAccess:
    """Register an agency and give it a token. An agency can have two, so each test module has an agency of its own."""
    system.add_agencies([(agency, "agency")])
    address = f"http://127.0.0.1:{system.parts()['gateway']['port']}"
    return GatewayAccess(system, agency, address, asyncio.run(_token(system.settings, agency)))


async def _token(settings: Settings, agency: str) -> str:
    connection = await connect(settings, "test")
    try:
        return (await create_token(connection, hash_key(settings), TokenRequest("agency", agency, 1))).token
    finally:
        await connection.close()
