"""What each holder of tokens may use at once, so that one cannot take what all share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from infra.http.problems import Problem


class Quota:
    """At most `units_max` units in use at once for each holder."""

    def __init__(self, units_max: int, retry_after_s: int = 1) -> None:
        self._units_max = units_max
        self._retry_after_s = retry_after_s
        self._used: Counter[str] = Counter()

    @contextmanager
    def using(self, holder: str) -> Iterator[None]:
        """One unit while the block runs. Raises `Problem` (429)."""
        self.take(holder)
        try:
            yield
        finally:
            self.give_back(holder)

    def take(self, holder: str, units: int = 1) -> None:
        """Raises `Problem` (429), and takes nothing, where fewer units are left."""
        if self._used[holder] + units > self._units_max:
            raise Problem("too-many-requests", retry_after_s=self._retry_after_s)
        self._used[holder] += units

    def give_back(self, holder: str, units: int = 1) -> None:
        self._used[holder] -= units
        if not self._used[holder]:
            del self._used[holder]
