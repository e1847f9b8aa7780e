"""Builds a small log with the contract's events and folds it through the projections."""

from __future__ import annotations

from typing import Any

from consumers.fold.anomaly import ANOMALY
from consumers.projections.consumer import CONSUMER
from events.wire.entry import Entry
from tests.oracle.log import make_entry, make_event
from tests.unit.consumers.entries import bytes_of, entry_of
from tests.unit.consumers.memory_store import MemoryStore

TEXT = {"ar": "نص", "en": "Text"}
SUBJECT_FIELDS = {
    "plan": "plan_id",
    "project": "project_id",
    "service": "service_id",
    "training": "trainee",
    "awareness": "initiative_id",
}


def subject_of(name: str, data: dict[str, Any]) -> str:
    """The subject that the contract wants for an event of type `name`."""
    if name == "training.quota-set":
        return f"quota/{data['calendar']}/{data['year']}/{data['track']}"
    if name.startswith("partnership.workshop"):
        return f"workshop/{data['workshop_id']}"
    if name == "partnership.framework-published":
        return f"framework/{data['framework_id']}"
    kind = name.partition(".")[0]
    word = {"training": "trainee", "awareness": "initiative"}.get(kind, kind)
    return f"{word}/{data[SUBJECT_FIELDS[kind]]}" if kind in SUBJECT_FIELDS else f"{kind}/x"


class Story:
    """Entries in the order in which they are added."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.raw: list[bytes] = []

    def tell(self, agency: str, name: str, /, **data: Any) -> int:
        """Add an event; returns its index."""
        index = len(self.entries)
        event = make_event(name, agency, subject_of(name, data), data, f"{name}-{index}")
        made = make_entry(index, event)
        self.raw.append(bytes_of(made))
        self.entries.append(entry_of(made))
        return index

    def folded(self, batch: int | None = None) -> MemoryStore:
        """The tables after all entries, applied `batch` at a time (all at once by default)."""
        store, size = MemoryStore(), batch or max(1, len(self.entries))
        for start in range(0, len(self.entries), size):
            assert store.apply(CONSUMER, self.entries[start : start + size]) == []
        return store

    def anomalies(self) -> list[tuple[int, int, str]]:
        """(index, found_index, rule) of what contradicts; the same whether applied at once or one by one."""
        found = [
            [(row.index, row.found_index, row.rule) for row in self.folded(batch).rows(ANOMALY)] for batch in (None, 1)
        ]
        assert found[0] == found[1]
        return found[0]

    def rules(self) -> list[str]:
        """The rules that were broken, in log order."""
        return [rule for _, _, rule in self.anomalies()]
