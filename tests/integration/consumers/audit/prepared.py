"""A database as an auditor of its catalog finds it."""

from __future__ import annotations

from typing import Final

import pytest

from consumers.database_audit import catalog
from consumers.database_audit.catalog import listing
from infra.log.merkle import TileTree
from infra.log.signed_note import checkpoint_text, sign_note
from infra.postgres.connection import Connection
from infra.private_keys.key_files import load_or_create_keys, log_key_files
from infra.settings import Settings
from producers.agencies.tokens import TokenRequest, create_token, hash_key
from tests.catalog_listing import as_prepared, of_tests
from tests.integration.consumers.console.at_the_console import add_account, write_accounts_key

HIDDEN: Final = (
    "ALTER TABLE revenue.payout ENABLE ROW LEVEL SECURITY;"
    " CREATE POLICY hide ON revenue.payout USING (payout_id <> 'x')"
)
CHANGES: Final[dict[str, tuple[str, ...]]] = {
    HIDDEN: ("policy revenue.payout hide: is there, and no migration makes it", "relation revenue.payout: is table"),
    "DROP POLICY add ON platform.position": ("policy platform.position add: is missing",),
    "ALTER TABLE platform.lease DISABLE ROW LEVEL SECURITY": ("relation platform.lease: is table",),
    "ALTER TABLE log.segment DISABLE TRIGGER append_only": (
        "trigger log.segment append_only: is disabled: CREATE TRIGGER",
    ),
    "DROP TRIGGER append_only ON log.node; CREATE TRIGGER append_only BEFORE TRUNCATE ON log.node"
    " FOR EACH STATEMENT EXECUTE FUNCTION log.append_only()": ("trigger log.node append_only: is CREATE TRIGGER",),
    "ALTER TABLE console.session DISABLE TRIGGER ALL": ("trigger console.session",),
    "CREATE OR REPLACE FUNCTION log.append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'": (
        "function log.append_only(): is plpgsql",
    ),
    "CREATE OR REPLACE FUNCTION platform.is_own(name text) RETURNS boolean LANGUAGE sql STABLE RETURN true": (
        "function platform.is_own(text): is sql",
    ),
    "ALTER FUNCTION log.append_only() SECURITY DEFINER": ("function log.append_only(): is plpgsql",),
    "CREATE OR REPLACE VIEW revenue.past_row AS SELECT name, unnest(keys) AS key, until, NULL::text AS row"
    " FROM revenue.past_block": ("view revenue.past_row: is",),
    "ALTER TABLE revenue.payout RENAME TO paid; CREATE VIEW revenue.payout AS SELECT * FROM revenue.paid LIMIT 1": (
        "view revenue.payout: is there",
        "relation revenue.payout: is view",
    ),
    "GRANT SELECT (password_hash) ON console.account TO yesser_reader": (
        "rights column console.account.password_hash: is yesser_console: UPDATE, yesser_reader: SELECT, not",
    ),
    "GRANT DELETE ON platform.trail TO yesser_gateway": ("rights relation platform.trail: is",),
    "GRANT USAGE ON SCHEMA console TO PUBLIC": ("rights schema console: is PUBLIC: USAGE",),
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC": ("rights default rights",),
    "ALTER TABLE revenue.transfer OWNER TO yesser_revenue": ("relation revenue.transfer: is table, owner",),
    "GRANT yesser_owner TO yesser_gateway": ("member yesser_gateway in yesser_owner: is there",),
    "ALTER ROLE yesser_auditor BYPASSRLS": ("role yesser_auditor: is login, bypasses row security",),
    "ALTER ROLE yesser_registrar SET session_replication_role = replica": (
        "setting yesser_registrar in every database: is there",
    ),
    "CREATE RULE quiet AS ON DELETE TO platform.outbox DO INSTEAD NOTHING": ("rule platform.outbox quiet: is there",),
    "CREATE TABLE log.more () INHERITS (log.duplicate)": ("inheritance log.more: is there",),
    "ALTER TABLE log.event_id DROP CONSTRAINT event_id_pkey CASCADE": ("constraint log.event_id event_id_pkey",),
    "ALTER TABLE platform.token ALTER expires_at SET DEFAULT 'infinity'": ("columns platform.token: is",),
    "CREATE FUNCTION public.count(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'": (
        "function public.count(bigint): is there",
    ),
    "CREATE EVENT TRIGGER unseen ON ddl_command_end EXECUTE FUNCTION unseen()": ("event trigger unseen: is there",),
}
BEFORE: Final = "CREATE FUNCTION public.unseen() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'"


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
