"""Who the gateway believes a console's token to be of."""

from __future__ import annotations

from datetime import UTC, datetime

from infra.http.callers import Caller
from infra.http.console_tokens import Sending, console_token
from infra.postgres.connection import create_pool
from infra.secret_files import CONSOLE_KEY
from infra.settings import Settings
from producers.gateway.access.callers import Access


async def authenticate(settings: Settings, username: str, role: str, holder: str) -> Caller:
    """As the gateway's own database role. The token is one that anybody with the console's key could make."""
    key = settings.secret(*CONSOLE_KEY) or ""
    token = console_token(key, Sending(username, role, holder), settings.gateway_jwt_audience, datetime.now(UTC))
    pool = await create_pool(settings.acting_as("gateway"), "test", size=1)
    try:
        access = Access(settings, pool)
        return await access.authenticate([(b"authorization", f"Bearer {token}".encode())], "127.0.0.1")
    finally:
        await pool.close()
