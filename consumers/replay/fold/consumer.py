"""Defines a consumer: a pure fold, its tables, and the rows that a batch needs.

Nothing here reads or writes rows: `consumers.replay.fold.apply` does, in a store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from consumers.replay.fold.past_rows import PAST_ROW, PAST_SPAN
from consumers.replay.fold.past_rows import SQL_FILE as PAST_ROWS
from consumers.replay.fold.version import UNNUMBERED, FoldVersion, RuleVersions
from events.wire.entry import Entry
from infra.postgres.outbox import OutboxEvent
from infra.postgres.sql import in_transaction, read
from infra.postgres.unit_of_work import Need, Table, UnitOfWork

Needs = Callable[[UnitOfWork, Sequence[Entry]], Iterator[Iterable[Need]]]
Fold = Callable[[UnitOfWork, Sequence[Entry]], list[OutboxEvent]]


@dataclass(frozen=True)
class Consumer:
    """A row of `consumers.models.registry`.

    `required_keys` yields sets of keys; each set is loaded before it continues, so that a later set can depend on the
    rows of an earlier one. `fold` is pure over the unit of work and accepts every event that the registrar accepts.
    `version` is that of its fold in this release; `rules` gives those of its rules that are files. `sql_files` say what
    its rows are, and the version covers them; `NAME.indexes.sql` beside a file `NAME.sql` says how they are found.
    """

    name: str
    schema: str
    tables: tuple[Table[Any], ...]
    sql_files: tuple[tuple[str, str], ...]
    required_keys: Needs
    fold: Fold
    version: FoldVersion = UNNUMBERED
    rules: Callable[[], RuleVersions] | None = None

    @property
    def rows_version(self) -> FoldVersion:
        """The version of the rows that it makes, which its rule files are part of.

        A process whose version is older than that of the rows exits; one with a newer version rebuilds them.
        """
        return self.version if self.rules is None else self.rules().joined(self.version)

    @property
    def keeps_past(self) -> bool:
        """Whether it keeps what its rows were (`consumers.replay.fold.past_rows`)."""
        return PAST_ROWS in self.sql_files

    @property
    def shows_past(self) -> bool:
        """Whether earlier states can be read from its tables."""
        return self.keeps_past or all(table.append_only for table in self.tables)

    @property
    def stored_tables(self) -> tuple[Table[Any], ...]:
        """Its tables, and those with what its rows were."""
        return (*self.tables, PAST_ROW, PAST_SPAN) if self.keeps_past else self.tables

    @property
    def folds_entries_apart(self) -> bool:
        """Whether the rows of an entry follow from it alone, so that any range of the log can be folded apart.

        No fold reads append-only rows: where all tables have such rows, it knows nothing but the entry. As their key
        is the entry's index, two ranges have no row in common.
        """
        return all(table.append_only and table.key == (table.since,) for table in self.tables)

    def table_sql(self) -> list[str]:
        """The SQL that creates the tables in the current schema."""
        return [read(package, file) for package, file in self.sql_files]

    def index_sql(self) -> list[str]:
        """The SQL that builds their indexes while they are in use (`infra.postgres.migrate`)."""
        beside = [(package, file.replace(".sql", ".indexes.sql")) for package, file in self.sql_files]
        return [read(package, file) for package, file in beside if files(package).joinpath(file).is_file()]

    def create_sql(self) -> list[str]:
        """The SQL that creates the tables with their indexes in the current schema, in one transaction."""
        return [*self.table_sql(), *map(in_transaction, self.index_sql())]
