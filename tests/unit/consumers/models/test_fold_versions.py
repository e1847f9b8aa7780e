"""The version of a fold: it follows the rules and the tables, and neither comments nor layout."""

from __future__ import annotations

import ast
from dataclasses import MISSING, fields, replace
from unittest.mock import patch

from consumers.models.fold_versions import current, fold_sha256, modules, statements, tree
from consumers.models.registry import CONSUMERS
from consumers.programme.campaigns.handlers.not_aired import MEDIA
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.version import FoldVersion, versions
from infra.postgres.migrate import INDEX
from infra.postgres.migrate import statements as index_statements
from tests.every import every
from tests.paths import ROOT, syntax_of

SOURCE = '''
"""What it is."""
LIMIT = 3
"""The limit."""


def is_full(count: int) -> bool:
    """Whether."""
    return count >= LIMIT  # not more
'''


def test_the_listed_versions_are_those_of_a_process() -> None:
    """`make static` compares them with the sources."""
    assert {name: consumer.version for name, consumer in CONSUMERS.items()} == versions(), (
        "run `python -m consumers.models.fold_versions`"
    )


def test_every_consumer_that_is_written_is_registered() -> None:
    written = (ROOT / "consumers").rglob("consumer.py")
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in written} - {Consumer.__module__}
    missing = names - {consumer.fold.__module__ for consumer in CONSUMERS.values()}
    assert not missing, f"add the rows of {missing} to consumers/models/registry.py"
    untested = [name for name in names if not (ROOT / "tests/unit" / name.replace(".", "/")).parent.is_dir()]
    assert not untested, f"write a test of the fold, in the same folder below tests/unit, for {untested}"


def test_a_handler_sets_every_member_that_a_new_row_lacks() -> None:
    """One without a default is given where the row is made. The names of media are given as text."""
    parts = [part for path in (ROOT / "consumers").rglob("handlers/*.py") for part in ast.walk(syntax_of(path))]
    made = {keyword.arg for part in parts if isinstance(part, ast.Call) for keyword in part.keywords}
    stored = {part.attr for part in parts if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store)}
    lacking = [
        f"{name}.{table.name}.{member.name}"
        for name, consumer in CONSUMERS.items()
        for table in consumer.tables
        for member in fields(table.row)
        if member.default is not MISSING and member.name not in made | stored | MEDIA.keys()
    ]
    assert lacking == [], "set these columns in a handler"


def test_only_a_changed_hash_takes_the_next_number() -> None:
    listed = current(versions())
    before = {**listed, "revenue": FoldVersion(7, "before")}
    del before["campaigns"]  # it was not listed yet
    changed = {"revenue": 8, "campaigns": 1}
    assert current(before) == listed | {name: FoldVersion(n, listed[name].sha256) for name, n in changed.items()}


def test_a_changed_rule_counts_and_comments_docstrings_and_layout_do_not() -> None:
    shorter = "LIMIT = (3)\ndef is_full(\n  count: int,\n) -> bool:\n    return count >= LIMIT\n"
    assert tree(SOURCE) == tree(shorter)
    for before, after in (("= 3", "= 4"), (">=", ">"), ("return count", "return not count"), ("= 3", "= '3'")):
        assert tree(SOURCE) != tree(SOURCE.replace(before, after, 1)), after


def test_of_the_tables_only_comments_and_layout_do_not_count() -> None:
    text = "-- What.\nCREATE TABLE t (\n    a bigint, -- an index\n    b text\n);\n"
    assert statements(text) == "CREATE TABLE t ( a bigint, b text );"
    tables = (*EVENT_INDEX.sql_files, ("consumers.replay.fold", "anomaly.sql"))
    assert fold_sha256(replace(EVENT_INDEX, sql_files=tables)) != fold_sha256(EVENT_INDEX)


@every("consumer", CONSUMERS.values())
def test_how_rows_are_found_does_not_count(consumer: Consumer) -> None:
    indexes = len(consumer.create_sql()) - len(consumer.table_sql())
    assert indexes == len(consumer.index_sql())
    more = "CREATE INDEX CONCURRENTLY IF NOT EXISTS more ON anomaly (rule);"
    with patch.object(Consumer, "index_sql", lambda self: [more]):
        assert "CREATE INDEX IF NOT EXISTS more ON anomaly (rule);" in consumer.create_sql()
        assert fold_sha256(consumer) == consumer.version.sha256, "run `python -m consumers.models.fold_versions`"


def test_indexes_are_beside_the_tables_that_a_version_covers() -> None:
    inside = {name for name, consumer in CONSUMERS.items() if "CREATE INDEX" in "".join(consumer.table_sql())}
    assert inside == set(), "an index goes into NAME.indexes.sql"
    beside = [sql for consumer in CONSUMERS.values() for text in consumer.index_sql() for sql in index_statements(text)]
    assert beside
    assert [sql for sql in beside if INDEX.match(sql) is None] == []


def test_the_rules_are_the_modules_that_are_imported_over_others_too() -> None:
    found = [name for name, _ in modules("consumers.programme.campaigns.consumer")]
    assert {"consumers.programme.projections.handlers.life_cycle", "events.values.working_days"} <= set(found)
    assert not [name for name in found if name.startswith("infra") or name == "consumers.replay.fold.consumer"]
