"""A log that is folded through the projections."""

from __future__ import annotations

from consumers.fold.anomaly import ANOMALY
from consumers.projections.consumer import CONSUMER
from tests.world.entries import EventLog
from tests.world.memory_store import MemoryStore


class Story(EventLog):
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
