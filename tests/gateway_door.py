"""What a sender from outside is given by a running system: the gateway's address and a token."""

from __future__ import annotations

from infra.postgres import connect
from infra.settings import Settings
from producers.tokens import Asked, create_token, hash_key
from tests.scenarios.system import System


def address_of(system: System) -> str:
    """The gateway's address."""
    return f"http://127.0.0.1:{system.parts()['gateway']['port']}"


async def token_of(settings: Settings, agency: str) -> str:
    """A new token of an agency. A holder has at most two."""
    connection = await connect(settings, "test")
    try:
        return (await create_token(connection, hash_key(settings), Asked("agency", agency, 1))).token
    finally:
        await connection.close()
