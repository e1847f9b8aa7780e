"""Every field of every statement follows from its formula, as a pocket calculator finds from the printed numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.explain.statement_model import TRANSFERRED
from consumers.ledger.explained_statement import WrongFigure, explained_statement
from consumers.offline.store import SqliteStore
from consumers.revenue.consumer import CONSUMER
from consumers.revenue.rows import PERIOD, STATEMENT, TRANSFER
from consumers.revenue.statements.formulas import in_numbers, in_words, label
from infra.postgres.unit_of_work import UnitOfWork
from tests.every import every
from tests.oracle.fold import fold
from tests.oracle.history import REVENUE, entries_from, generate
from tests.oracle.log import EntryDict
from tests.oracle.strategies import revenue_logs
from tests.world.entries import entry_of


@contextmanager
def ledger_of(log: list[EntryDict]) -> Iterator[SqliteStore]:
    with TemporaryDirectory() as folder, closing(SqliteStore(Path(folder) / "ledger.sqlite", CONSUMER)) as store:
        store.apply([entry_of(made) for made in log])
        yield store


def calculated(numbers: str) -> Fraction:
    """The result of printed numbers, in riyals."""
    text = numbers.replace(",", "_").replace("_ ", ", ").replace("−", "-").replace("×", "*")
    text = re.sub(r"([0-9_.]+)%", r"Fraction('\1')/100", text)
    text = re.sub(r"(?<!['0-9_.])([0-9][0-9_.]*)(?!['0-9_.])", r"Fraction('\1')", text)
    found: Fraction = eval(text, {"Fraction": Fraction, "max": max, "min": min})
    return found


def require_explained(store: SqliteStore, statement: dict[str, Any]) -> None:
    partnership_id, period = statement["partnership_id"], statement["period"]
    found = explained_statement(store, partnership_id, period)
    assert set(found.derivations) == set(statement) - {"partnership_id", "period"}
    for name, derivation in found.derivations.items():
        assert derivation.value == statement[name]
        assert in_words(derivation.formula).ar != in_words(derivation.formula).en
        assert label(name).ar != label(name).en
        numbers = in_numbers(derivation.formula, derivation.amounts)
        if name.endswith("_halalas"):
            halalas = calculated(numbers) * 100
            assert halalas.numerator // halalas.denominator == statement[name], (name, numbers)
        else:
            assert numbers == ("—" if statement[name] is None else str(statement[name]))
    assert sum(group.partner_halalas for group in found.shares) == statement["partner_base_halalas"]
    for name, transferred in TRANSFERRED.items():
        rows = store.matching(TRANSFER, {"partnership_id": partnership_id})
        given = sum(transferred.of(row.kind, row.period, row.amount_halalas, period) for row in rows)
        assert given == statement[name], name


@settings(deadline=None, max_examples=30)
@given(revenue_logs(), st.data())
def test_each_field_follows_from_its_formula(log: list[EntryDict], data: st.DataObject) -> None:
    statements = fold(log).statements
    if statements:
        with ledger_of(log) as store:
            require_explained(store, data.draw(st.sampled_from(statements)))


def test_all_statements_of_a_long_history_follow() -> None:
    log = entries_from(generate(17, 700, REVENUE))
    statements = fold(log).statements
    assert any(row["top_up_halalas"] for row in statements)
    assert any(row["prior_period_halalas"] for row in statements)
    with ledger_of(log) as store:
        for statement in statements:
            require_explained(store, statement)


@every(
    ("table", "name", "by"),
    [
        (STATEMENT, "net_halalas", 1),
        (STATEMENT, "top_up_halalas", 1),
        (STATEMENT, "partner_base_halalas", -1),
        (PERIOD, "closing_index", 1),
    ],
)
def test_a_figure_that_does_not_follow_is_named(table: Any, name: str, by: int) -> None:
    log = entries_from(generate(17, 300, REVENUE))
    statement = fold(log).statements[0]
    key = statement["partnership_id"], statement["period"]
    with ledger_of(log) as store:
        row = store.row(table, *key)
        setattr(row, name, getattr(row, name) + by)
        rows = UnitOfWork()
        rows.adopt(table, [row])
        rows.put(table, row)
        store.save(rows)
        with pytest.raises(WrongFigure, match=f"^{name} "):
            explained_statement(store, *key)
