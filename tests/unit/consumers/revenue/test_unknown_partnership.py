"""A partnership that is not known is an answer of its own, not an empty list."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast
from unittest.mock import AsyncMock

import click
import pytest
from click.testing import CliRunner

from consumers.revenue import commands
from consumers.revenue.books import commands as books
from consumers.revenue.read import UnknownPartnership
from consumers.revenue.statements import commands as statements
from tests.every import every


@every(
    ("command", "words"),
    [
        (commands.transfers, ["NOSUCH"]),
        (commands.statements, ["NOSUCH", "--json"]),
        (statements.terms_command, ["NOSUCH"]),
        (books.export_command, ["books", "--partnership", "NOSUCH"]),
    ],
)
def test_it_is_said(command: click.Command, words: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def run_query(_: object, question: Callable[[Any], Awaitable[Any]], __: object) -> tuple[int, Any]:
        nothing = AsyncMock()
        nothing.fetchrow.return_value, nothing.fetch.return_value = None, []
        return 5, asyncio.run(cast(Any, question(nothing)))

    for module in (commands, books, statements):
        monkeypatch.setattr(module, "run_query", run_query)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(command, words)
    assert isinstance(done.exception, UnknownPartnership)
    assert str(done.exception).startswith("partnership NOSUCH is not known: ")
    assert list(tmp_path.iterdir()) == []
