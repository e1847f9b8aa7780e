"""The bodies of webhooks: events as they were sent, and notices; read together and kept for a while.

One with free texts is read again for each delivery: since the last one a text may have been withheld.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import orjson

from consumers.delivery.notices.read import notices
from consumers.delivery.sending.route import Message
from consumers.documents.teams.notices import NOTICE_NAMES
from events.schema_tools.refusal_examples import golden_example
from events.wire.codec import canonical_bytes
from events.wire.entry import has_texts
from infra.log.bundle import event_of
from infra.log.texts import shown_entries
from infra.postgres.connection import Connection

EXAMPLE: Final = "example"
"""The kind of a message that tests a webhook."""
BYTES_MAX: Final = 16 << 20
"""Beyond it, all that is kept is forgotten."""


class Bodies:
    """Events by their index in the log, and notices by their id."""

    def __init__(self) -> None:
        self._events: dict[int | str, bytes] = {}
        self._with_texts: set[int] = set()
        self._bytes = 0

    async def load(self, connection: Connection, messages: Iterable[Message]) -> None:
        """Read the events of these messages. Raises `ChangedEntry`."""
        messages = list(messages)
        wanted = {message.log_index for message in messages if message.log_index is not None}
        notice_ids = {message.event_id for message in messages if message.kind in NOTICE_NAMES}
        for index in self._with_texts:
            self._bytes -= len(self._events.pop(index))
        self._with_texts.clear()
        if self._bytes > BYTES_MAX:
            self._events = {index: event for index, event in self._events.items() if index in wanted | notice_ids}
            self._bytes = sum(map(len, self._events.values()))
        for index, entry in await shown_entries(connection, sorted(wanted - self._events.keys())):
            event = self._events[index] = event_of(entry)
            self._bytes += len(event)
            if has_texts(entry):
                self._with_texts.add(index)
        if notice_ids - self._events.keys():
            self._events.update(await notices(connection, notice_ids))

    def of(self, message: Message) -> bytes:
        """The body of a message that was loaded, or of an example."""
        if message.kind == EXAMPLE:
            return example_event(message.event_id)
        return self._events[message.event_id if message.log_index is None else message.log_index]


def example_event(event_id: str) -> bytes:
    """The event that a test of a webhook sends: the golden example of `campaign.triggered` under an id of its own.

    It is no entry of the log. Its id, and the campaign's, begin with `example.`, which no campaign's does.
    """
    event = orjson.loads(golden_example("campaign.triggered"))
    data = {**event["data"], "campaign_id": event_id}
    return canonical_bytes({**event, "id": event_id, "subject": f"campaign/{event_id}", "data": data})
