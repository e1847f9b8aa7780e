"""What hides rows, changes them or lets others in is found: policies, triggers, functions, views, rights, settings, and
tokens and accounts that were changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import asyncpg
import orjson
import pytest

from consumers.models.registry import CONSUMERS
from consumers.proof.database_audit import catalog
from consumers.proof.database_audit.catalog import CatalogDiffers, compare_catalog, listing
from consumers.replay.rebuild.rebuild import RebuildOptions, rebuild
from infra.log.authority import TableDiffers
from infra.postgres.connection import Connection, connected
from infra.settings import Settings
from tests.team_seals import seal_rows
from tests.world.commands import yesser, yesser_json
from tests.world.consoles import SEALS

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
    "ALTER TABLE revenue.receipt OWNER TO yesser_revenue": ("relation revenue.receipt: is table, owner",),
    "DROP TRIGGER append_only ON revenue.receipt": ("trigger revenue.receipt append_only: is missing",),
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


async def test_the_file_lists_a_new_database_and_finds_each_change(prepared: Settings, connection: Connection) -> None:
    found = await listing(connection)
    assert catalog.differences(found, catalog.expected()) == [], "run `python -m tests.catalog_listing`"
    async with connected(prepared.acting_as("auditor"), "test") as auditor:
        assert await listing(auditor) == found
        assert await auditor.fetchval("SHOW search_path") == "public"
        await require_no_secrets(auditor)
    await connection.execute(BEFORE)
    for change, words in CHANGES.items():
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(change)
        with pytest.raises(CatalogDiffers) as raised:
            await compare_catalog(connection)
        await transaction.rollback()
        said = "\n".join(raised.value.differences)
        assert all(word in said for word in words), (change, said)
    for consumer in CONSUMERS.values():
        await rebuild(prepared.acting_as("operator"), consumer, RebuildOptions(compare=False, swap=True))
    await connection.execute("DROP FUNCTION public.unseen()")
    assert await compare_catalog(connection) > 300, "rebuilt tables are those of the migrations"


async def require_no_secrets(auditor: Connection) -> None:
    """An auditor reads no hash of a password, no address and no URL."""
    for query in (
        "SELECT password_hash FROM console.account",
        "SELECT address FROM delivery.contact",
        "SELECT url FROM delivery.endpoint",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await auditor.fetch(query)
    row = dict(await auditor.fetchrow("SELECT * FROM console.sealed_account"))  # type: ignore[arg-type]
    assert SEALS.is_account(row)
    assert "password_hash" not in row
    assert not SEALS.is_account(row | {"disabled_at": datetime.now(UTC)})


async def difference(settings: Settings) -> dict[str, Any]:
    """What `yesser audit verify --database` finds."""
    result = await yesser(settings, "audit", "verify", "--database", "--json")
    assert isinstance(result.exception, TableDiffers | CatalogDiffers), result.output
    found: dict[str, Any] = orjson.loads(result.stdout)["difference"]
    return found


async def whole(settings: Settings, *options: str) -> dict[str, Any]:
    """What it compared where nothing differs."""
    code, document = await yesser_json(settings, "audit", "verify", "--database", *options)
    assert (code, document["ok"]) == (0, True)
    compared: dict[str, Any] = document["database"]
    return compared


async def test_a_policy_that_hides_a_payout_is_found(prepared: Settings, connection: Connection) -> None:
    await whole(prepared)
    await connection.execute(HIDDEN)
    found = await difference(prepared)
    assert any("revenue.payout" in line for line in found["objects"])


TEAM, ENDPOINT, SUBSCRIPTION = "delivery.team, delivery.contact", "delivery.endpoint", "delivery.subscription"
ROWS: Final = (
    ("UPDATE console.account SET role = 'office', holder = NULL", "console.account", "desk"),
    ("UPDATE console.account SET holder = 'labour'", "console.account", "desk"),
    ("UPDATE console.account SET password_hash = 'another'", "console.account", "desk"),
    ("UPDATE console.account SET seal = NULL", "console.account", "desk"),
    ("UPDATE platform.token SET holder = 'spy'", "platform.token", None),
    ("UPDATE platform.token SET scopes = '{plan:read}'", "platform.token", None),
    ("UPDATE delivery.contact SET address = 'thief@health.example'", TEAM, "health/press"),
    ("INSERT INTO delivery.contact VALUES ('health', 'press', 2, 'x@health.example')", TEAM, "health/press"),
    ("DELETE FROM delivery.contact", TEAM, "health/press"),
    ("UPDATE delivery.team SET name = '{}'", TEAM, "health/press"),
    ("UPDATE delivery.endpoint SET url = 'https://thief.example'", ENDPOINT, "ep_1"),
    ("UPDATE delivery.endpoint SET agency = 'labour'", ENDPOINT, "ep_1"),
    ("INSERT INTO delivery.endpoint VALUES ('ep_0', 'health', 'press', 'https://thief.example')", ENDPOINT, "ep_0"),
    ("UPDATE delivery.subscription SET endpoint_id = NULL, route = 'email'", SUBSCRIPTION, "1"),
    ("UPDATE delivery.subscription SET ended_at = NULL", SUBSCRIPTION, "1"),
)
TEAMS: Final = """
TRUNCATE delivery.subscription, delivery.endpoint, delivery.contact, delivery.team RESTART IDENTITY CASCADE;
INSERT INTO delivery.team (agency, team, name) VALUES ('health', 'press', '[1]'), ('labour', 'press', '[2]');
INSERT INTO delivery.contact VALUES ('health', 'press', 1, 'desk@health.example');
INSERT INTO delivery.endpoint VALUES ('ep_1', 'health', 'press', 'https://right.example');
INSERT INTO delivery.subscription (agency, team, route, endpoint_id, from_index, ended_at)
VALUES ('health', 'press', 'webhook', 'ep_1', 0, now());
"""


async def test_a_changed_added_or_swapped_row_is_named_and_what_was_not_compared_is_said(
    prepared: Settings, connection: Connection
) -> None:
    account = await connection.fetchrow("SELECT role, holder, password_hash, seal FROM console.account")
    scopes = await connection.fetchval("SELECT scopes FROM platform.token")
    assert account is not None

    async def restore() -> None:
        restored = "UPDATE console.account SET role = $1, holder = $2, password_hash = $3, seal = $4"
        await connection.execute(restored, *account)
        await connection.execute("UPDATE platform.token SET holder = 'court', scopes = $1", scopes)
        await connection.execute(TEAMS)
        await seal_rows(connection)
        await connection.execute("UPDATE delivery.endpoint SET failing_since = now(), disabled_at = now()")

    for change, table, key in ROWS:
        await restore()
        await connection.execute(change)
        found = await difference(prepared)
        assert (found.get("table"), found.get("key") if key else None) == (table, key), f"{change}: {found}"

    await restore()
    compared = await whole(prepared)
    always = ["console.approval", "console.session"]
    assert compared["not_compared"] == always
    assert (compared["rows"]["console.account"], compared["rows"]["platform.token"]) == (1, 1)
    accounts_key = prepared.secret_path("key", "accounts")
    elsewhere = accounts_key.rename(accounts_key.with_name("elsewhere"))
    (prepared.secrets_folder / "tokens" / "hash-key").unlink()
    said = (await yesser(prepared, "audit", "verify", "--database")).output
    assert "Not compared: the rows that folds made (`yesser rebuild --compare`), indexes" in said
    assert "console.approval, console.session, platform.token, console.account" in said
    assert (await whole(prepared, "--accounts-key", str(elsewhere)))["not_compared"] == [*always, "platform.token"]
    (prepared.secrets_folder / "teams" / "key").unlink()
    teams = ["delivery.team", "delivery.contact", "delivery.endpoint", "delivery.subscription"]
    assert (await whole(prepared))["not_compared"][-4:] == teams
