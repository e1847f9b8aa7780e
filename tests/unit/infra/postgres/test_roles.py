"""The table of rights, and the SQL that is made from it."""

from __future__ import annotations

import re

from consumers.models.registry import CONSUMERS as REGISTERED
from infra.postgres.roles import READ_MODEL_OWNER, privileges, rights, rights_by_role, roles_sql
from infra.principals import CONSUMERS, PRINCIPALS, database_role, kafka_user, schema_of, schema_owner

APPEND_ONLY = ("segment", "node", "checkpoint", "event_id", "run", "duplicate", "refusal")


def test_every_principal_has_a_section_and_every_consumer_is_one() -> None:
    assert rights().keys() == {*PRINCIPALS, READ_MODEL_OWNER}, "each principal has a section in rights.toml"
    registered = {(name, consumer.schema) for name, consumer in REGISTERED.items()}
    assert registered == {(name, schema_of(name)) for name in CONSUMERS}, (
        "CONSUMERS in infra/principals.py has the names of consumers/models/registry.py"
    )
    known = ["yesser_relay", "yesser_revenue_owner", "somebody"]
    assert rights_by_role(known).keys() == {"yesser_relay", "yesser_revenue_owner"}, "roles that the server has"
    assert database_role("event-index") == "yesser_event_index"
    assert schema_owner(schema_of("event-index")) == "yesser_event_index_owner"
    assert kafka_user("event-index") == "event-index"


def test_no_right_is_more_than_reading_and_writing_rows_and_no_role_changes_what_is_append_only() -> None:
    for role, granted in rights().items():
        for table, text in granted.items():
            words = re.sub(r"\([^)]*\)", "", text).replace(" ", "").split(",")
            allowed = {"USAGE"} if table.endswith("_seq") else {"SELECT", "INSERT", "UPDATE", "DELETE"}
            assert set(words) <= allowed, (role, table)
        for table in APPEND_ONLY:
            text = privileges(granted, "log", table) or ""
            assert "UPDATE" not in text, (role, table)
            assert "DELETE" not in text, (role, table)


def test_a_tables_own_row_stands_above_that_of_its_schema_and_a_consumer_writes_its_own_alone() -> None:
    granted = {"revenue.*": "SELECT, DELETE", "revenue.transfer": "SELECT"}
    assert privileges(granted, "revenue", "transfer") == "SELECT"
    assert privileges(granted, "revenue", "account") == "SELECT, DELETE"
    assert privileges(granted, "log", "state") is None
    for consumer in CONSUMERS:
        for other in CONSUMERS:
            text = privileges(rights().get(consumer, {}), schema_of(other), "any_table") or ""
            assert ("INSERT" in text) == (other == consumer), (
                f"in rights.toml [{consumer}] writes its own tables alone: see {schema_of(other)}.*"
            )
        for role in ("relay", "reader", "auditor", "operator"):
            text = privileges(rights()[role], schema_of(consumer), "any_table") or "nothing"
            assert text == "SELECT", f'write "{schema_of(consumer)}.*" = "SELECT" into [{role}] of rights.toml'


def test_the_sql_for_a_superuser_makes_every_role_and_holds_no_password() -> None:
    text = "\n".join(roles_sql("yesser"))
    for role in (*map(database_role, PRINCIPALS), *(schema_owner(schema_of(consumer)) for consumer in CONSUMERS)):
        assert f"CREATE ROLE {role};" in text
    assert "ALTER ROLE yesser_owner NOLOGIN" in text
    assert 'REVOKE ALL ON DATABASE "yesser" FROM PUBLIC' in text
    assert "PASSWORD" not in text
    assert "SUPERUSER" not in text
