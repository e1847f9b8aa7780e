"""A database that is audited, for the tests of the audit and of the keys."""

from __future__ import annotations

import pytest

from consumers.proof.database_audit import catalog
from consumers.proof.database_audit.catalog import listing
from infra.log.merkle import TileTree
from infra.log.signed_note import checkpoint_text, sign_note
from infra.postgres.connection import Connection
from infra.private_keys.key_files import load_or_create_keys, log_key_files
from infra.settings import Settings
from producers.agencies.tokens import TokenRequest, create_token, hash_key
from tests.catalog_listing import as_prepared, of_tests
from tests.world.consoles import add_account, write_accounts_key


@pytest.fixture
async def prepared(settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A database as `yesser prepare` makes it, with an empty signed log, a token and an account."""
    await as_prepared(connection, settings)
    due = catalog.expected() | of_tests(await listing(connection))  # type: ignore[operator]
    monkeypatch.setattr(catalog, "expected", lambda: due)
    key = load_or_create_keys(log_key_files(settings)).current
    note = sign_note(checkpoint_text(key.name, 0, TileTree().root()), [key])
    await connection.execute("INSERT INTO log.checkpoint (size, note) VALUES (0, $1)", note)
    write_accounts_key(settings)
    await create_token(connection, hash_key(settings), TokenRequest("auditor", "court", 1))
    await add_account(connection, "desk", "agency", "health", "sub-1")
    return settings
