"""Composes domain modules: collects the keys of a batch, in two rounds.

A domain module has `TABLES`, `SQL_FILES`, `TYPES`, `required_keys(entry)`, `dependent_keys(ws, entry)` and
`apply(ws, entry)`. A consumer passes the modules that it uses; an entry belongs to at most one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from consumers.programme.projections.handlers.outcome import Outcome
from events.wire.entry import Entry
from infra.postgres.unit_of_work import Need, Table, UnitOfWork


class Domain(Protocol):
    """The interface of a domain module."""

    @property
    def TABLES(self) -> tuple[Table[Any], ...]: ...  # noqa: N802
    @property
    def TYPES(self) -> frozenset[str]: ...  # noqa: N802

    def required_keys(self, entry: Entry) -> Iterator[Need]: ...
    def dependent_keys(self, ws: UnitOfWork, entry: Entry) -> Iterator[Need]: ...
    def apply(self, ws: UnitOfWork, entry: Entry) -> list[Outcome]: ...


def by_type(domains: Iterable[Domain]) -> dict[str, Domain]:
    """Short event type → its module."""
    return {name: domain for domain in domains for name in domain.TYPES}


Handled = list[tuple[Domain, Entry]]


def handled(handlers: dict[str, Domain], entries: Sequence[Entry]) -> Handled:
    """The entries of a batch that have a module, with the module."""
    return [(handlers[entry.type], entry) for entry in entries if entry.type in handlers]


def required_keys(batch: Handled) -> set[Need]:
    """First round: keys from the entries themselves."""
    return {need for domain, entry in batch for need in domain.required_keys(entry)}


def dependent_keys(ws: UnitOfWork, batch: Handled) -> Iterator[Need]:
    """Second round: keys that depend on the first round's rows, lazily, because pending facts may be very many."""
    return (need for domain, entry in batch for need in domain.dependent_keys(ws, entry))
