"""A role speaks for itself only: what each may put into the platform's outbox, on the real PostgreSQL."""

from __future__ import annotations

import asyncpg
import pytest

from infra.postgres.connection import Connection, connected
from infra.postgres.outbox import DECISIONS, event_bytes
from infra.postgres.sql import queries
from infra.settings import Settings
from tests.integration.infra.postgres.tried_outbox import PLATFORM_TYPES, event_of, tried_types
from tests.integration.infra.postgres.tried_rights import LIMITED
from tests.security_page import OUTBOX, block, outbox_table

INSERT = queries("infra.postgres", "outbox.sql")["write"]


async def test_each_role_decides_the_types_of_its_process_and_no_other(settings: Settings) -> None:
    found = await tried_types(settings)
    wanted = {
        (principal, type_): type_ in DECISIONS and principal in DECISIONS[type_].principals
        for principal in LIMITED
        for type_ in PLATFORM_TYPES
    }
    assert found == wanted
    assert block(OUTBOX) == outbox_table(found), "run `python -m tests.security_page`"


async def test_a_role_cannot_write_another_type_into_its_bytes(settings: Settings, connection: Connection) -> None:
    own, other = event_of("campaign.escalated"), event_of("registry.agency-suspended")
    async with connected(settings.acting_as("delivery"), "forger") as delivery:
        for value in (event_bytes(other), event_bytes(own).replace(b":platform", b":health"), b"{}"):
            with pytest.raises(asyncpg.CheckViolationError, match="says_what_it_holds"):
                await delivery.execute(INSERT, [own.id], [own.type], [own.subject], [value], [None], None)
        for id_, key in (("another", own.subject), (own.id, "another")):
            with pytest.raises(asyncpg.CheckViolationError, match="says_what_it_holds"):
                await delivery.execute(INSERT, [id_], [own.type], [key], [event_bytes(own)], [None], None)
        await delivery.execute(INSERT, [own.id], [own.type], [own.subject], [event_bytes(own)], [None], None)
    assert await connection.fetchval("SELECT type FROM platform.outbox") == own.type
