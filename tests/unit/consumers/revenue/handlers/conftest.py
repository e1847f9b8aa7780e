"""The independent model judges every ledger of these tests too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.world.ledger import Ledger, require_same_as_oracle


@pytest.fixture(autouse=True)
def _judged(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    told: list[Ledger] = []
    made = Ledger.__init__

    def noted(ledger: Ledger) -> None:
        made(ledger)
        told.append(ledger)

    monkeypatch.setattr(Ledger, "__init__", noted)
    yield
    for ledger in told:
        if max(map(abs, ledger.balances().values()), default=0) < 2**60:  # the model's sums have no bound
            require_same_as_oracle(ledger.store, ledger.log)
