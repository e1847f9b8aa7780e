"""Every field of every statement follows from its formula, as a pocket calculator finds from the printed numbers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from consumers.documents.formulas import in_words, result
from consumers.explain.derivations import WrongFigure, statement_derivation
from consumers.explain.shown_models import models
from consumers.explain.statement_formulas import FORMULAS
from consumers.explain.statement_model import MOVED, SUMS
from consumers.proof.offline.store import SqliteStore
from consumers.revenue.consumer import CONSUMER
from consumers.revenue.rows import PERIOD, STATEMENT, TRANSFER
from infra.postgres.unit_of_work import UnitOfWork
from tests.every import every
from tests.oracle.fold import fold
from tests.oracle.history import REVENUE, entries_from, generate
from tests.oracle.log import EntryDict
from tests.world.entries import entry_of


@contextmanager
def ledger_of(log: list[EntryDict]) -> Iterator[SqliteStore]:
    with TemporaryDirectory() as folder, closing(SqliteStore(Path(folder) / "ledger.sqlite", CONSUMER)) as store:
        asyncio.run(store.apply([entry_of(made) for made in log]))
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
    found = statement_derivation(store, partnership_id, period)
    assert set(found.figures) == set(statement) - {"partnership_id", "period"}
    for name, figure in found.figures.items():
        assert figure.value == statement[name]
        numbers = figure.formula.numbers
        if name.endswith("_halalas"):
            halalas = calculated(numbers) * 100
            assert halalas.numerator // halalas.denominator == statement[name], (name, numbers)
        else:
            assert numbers == ("—" if statement[name] is None else str(statement[name]))
    assert sum(group.partner_halalas for group in found.shares) == statement["partner_base_halalas"]
    figures = models()["statements"].figures((partnership_id, period), None).figures
    rows = list(store.matching(TRANSFER, {"partnership_id": partnership_id}))
    for name in (*MOVED, *SUMS):
        assert result(figures[name], lambda part: sum(map(part.of, rows))) == statement[name], name


def test_all_statements_of_long_histories_follow() -> None:
    named: set[str] = set()
    for seed in (17, 18):
        log = entries_from(generate(seed, 500, REVENUE))
        with ledger_of(log) as store:
            for statement in fold(log).statements:
                require_explained(store, statement)
                named |= {name for name, value in statement.items() if value}
    assert {"top_up_halalas", "recovered_halalas", "prior_period_halalas", "top_up_outstanding_halalas"} <= named


def test_a_formula_is_said_in_both_languages() -> None:
    words = {field: in_words(FORMULAS[field]) for field in FORMULAS}
    assert all(told.ar != told.en for told in words.values())
    assert words["recovered_halalas"].en == (
        "the lesser of (the top-up outstanding before the period) and (the greater of (zero) and "
        "(Partner's base share − Guaranteed))"
    )
    assert words["guarantee_halalas"].ar == "النسبة المضمونة × الإيراد المتوقع، مقرّبًا إلى الهللة الأدنى"


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
        asyncio.run(store.write(rows))
        with pytest.raises(WrongFigure, match=f"^{name} "):
            statement_derivation(store, *key)
