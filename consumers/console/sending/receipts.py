"""The gateway's receipts of single events, for the page that shows them after the form was answered."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final

_KEPT_MAX: Final = 500


class Receipts:
    """The last receipts, each for the account that sent the event."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], Any] = OrderedDict()

    def keep(self, username: str, address: str, receipt: Any) -> None:
        self._kept[username, address] = receipt
        if len(self._kept) > _KEPT_MAX:
            self._kept.popitem(last=False)

    def find(self, username: str, address: str) -> Any | None:
        return self._kept.get((username, address))
