"""The gateway's receipts of single events, for the page that shows them after the form was answered."""

from __future__ import annotations

from typing import Final

from cachetools import LRUCache

from producers.sdk.answers import SendAnswer

KEPT_MAX: Final = 500


class Receipt(SendAnswer):
    """The answer to one stored event, as the gateway signed it."""

    signature: str


Receipts = LRUCache[tuple[str, str], Receipt]
"""The last receipts, by the account that sent the event and the event's address."""
