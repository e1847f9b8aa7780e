"""What a strategy draws with: it appends entries and knows the oracle's state, so that it can also be sensible."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias

from hypothesis import strategies as st

from tests.oracle.desks import Fact
from tests.oracle.entries import registrations
from tests.oracle.fold import Oracle
from tests.oracle.log import FIRST_RECORDED, EntryDict, JsonObject, make_entry, make_event, recorded_time
from tests.oracle.validation import Agency

AGENCIES = ("alpha", "beta")
TEXT = {"ar": "نص", "en": "text"}
SECONDS_BETWEEN = (0, 1, 3_600, 36_000, 86_400, 5 * 86_400, 30 * 86_400)

Draw: TypeAlias = Callable[[st.SearchStrategy[object]], object]


@dataclass
class Builder:
    """Draws moves and appends their entries; knows the oracle's state, so that it can also be sensible."""

    draw: Draw
    oracle: Oracle = field(default_factory=Oracle)
    entries: list[EntryDict] = field(default_factory=list)
    seconds: int = 0

    def pick(self, *choices: str) -> str:
        """One of these."""
        return str(self.draw(st.sampled_from(choices)))

    def number(self, low: int, high: int) -> int:
        """An integer low … high."""
        value = self.draw(st.integers(low, high))
        assert isinstance(value, int)
        return value

    def sometimes(self, one_in: int) -> bool:
        """True once in so many times; shrinks to False."""
        return self.number(0, one_in - 1) == one_in - 1

    def append(self, event: JsonObject) -> None:
        """The event becomes the next entry, some time after the one before."""
        index = len(self.entries)
        self.seconds += int(str(self.draw(st.sampled_from(SECONDS_BETWEEN))))
        recorded = recorded_time(FIRST_RECORDED + timedelta(seconds=self.seconds))
        entry = make_entry(index, event, recorded)
        self.entries.append(entry)
        self.oracle.apply(entry)

    def tell(self, agency: str, fact: Fact) -> None:
        """The agency says it."""
        name, subject, data = fact
        self.append(make_event(name, agency, subject, data, f"e{len(self.entries)}"))

    def start(self) -> None:
        """The registrations."""
        for event in registrations([Agency(code) for code in AGENCIES]):
            self.append(event)


Move: TypeAlias = Callable[[Builder], None]
