"""The gateway's receipts of single events, for the page that shows them after the form was answered."""

from __future__ import annotations

from typing import Final

from cachetools import LRUCache

from producers.sdk.answers import SendAnswer

_KEPT_MAX: Final = 500


class Receipt(SendAnswer):
    """The answer to one stored event, as the gateway signed it."""

    signature: str


class Receipts:
    """The last receipts, each for the account that sent the event."""

    def __init__(self) -> None:
        self._kept: LRUCache[tuple[str, str], Receipt] = LRUCache(_KEPT_MAX)

    def keep(self, username: str, receipt: Receipt) -> str:
        """The address of the event, by which it is found again."""
        address = receipt.receipt.events[0].address
        self._kept[username, address] = receipt
        return address

    def find(self, username: str, address: str) -> Receipt | None:
        return self._kept.get((username, address))
