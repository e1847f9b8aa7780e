"""Composes the domain modules of this room: their needs in two rounds, their judgement in turn.

A domain module offers `TABLES`, `SQL_FILES`, `TYPES`, `required_keys(entry)`, `dependent_keys(ws, entry)` and
`apply(ws, entry)`.
A consumer that wants some of them passes those; an entry belongs to one module at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Protocol

from consumers.projections.handlers.outcome import Outcome
from events.wire.entry import Entry
from infra.postgres.unit_of_work import Need, Table, UnitOfWork

RULES_VERSION: Final = 2
"""Grows when a domain module decides differently or keeps other tables (2: the waiting facts are bounded)."""


class Domain(Protocol):
    """What a domain module is."""

    @property
    def TABLES(self) -> tuple[Table[Any], ...]: ...  # noqa: N802
    @property
    def TYPES(self) -> frozenset[str]: ...  # noqa: N802

    def required_keys(self, entry: Entry) -> Iterator[Need]: ...
    def dependent_keys(self, ws: UnitOfWork, entry: Entry) -> Iterator[Need]: ...
    def apply(self, ws: UnitOfWork, entry: Entry) -> list[Outcome]: ...


def by_type(domains: Iterable[Domain]) -> dict[str, Domain]:
    """Short event type → the module that judges it."""
    return {name: domain for domain in domains for name in domain.TYPES}


Handled = list[tuple[Domain, Entry]]


def handled(handlers: dict[str, Domain], entries: Sequence[Entry]) -> Handled:
    """The entries of a batch that some module judges, with the module."""
    return [(handlers[entry.type], entry) for entry in entries if entry.type in handlers]


def required_keys(batch: Handled) -> set[Need]:
    """What the entries name by themselves."""
    return {need for domain, entry in batch for need in domain.required_keys(entry)}


def dependent_keys(ws: UnitOfWork, batch: Handled) -> Iterator[Need]:
    """What depends on the rows that the first round brought, one by one: facts that wait may be very many."""
    return (need for domain, entry in batch for need in domain.dependent_keys(ws, entry))
