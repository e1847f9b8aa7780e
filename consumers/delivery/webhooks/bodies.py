"""The bodies of webhooks: events as they are in the log, and notices; read together and kept for a while."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from consumers.delivery.examples import KIND as EXAMPLE
from consumers.delivery.examples import example_event
from consumers.delivery.notices.body import notices
from consumers.delivery.sending.route import Message
from consumers.documents.teams.notices import NOTICE_NAMES
from infra.log.bundle import event_of
from infra.log.reader import chosen_entries
from infra.postgres.connection import Connection

BYTES_MAX: Final = 16 << 20
"""Beyond it, all that is kept is forgotten."""


class Bodies:
    """Events by their index in the log, and notices by their id."""

    def __init__(self) -> None:
        self._events: dict[int | str, bytes] = {}
        self._bytes = 0

    async def load(self, connection: Connection, messages: Iterable[Message]) -> None:
        """Read the events of these messages. Raises `ChangedEntry`."""
        messages = list(messages)
        wanted = {message.log_index for message in messages if message.log_index is not None}
        notice_ids = {message.event_id for message in messages if message.kind in NOTICE_NAMES}
        if self._bytes > BYTES_MAX:
            self._events = {index: event for index, event in self._events.items() if index in wanted | notice_ids}
            self._bytes = sum(map(len, self._events.values()))
        async for index, entry in chosen_entries(connection, sorted(wanted - self._events.keys())):
            event = self._events[index] = event_of(entry)
            self._bytes += len(event)
        if notice_ids - self._events.keys():
            self._events.update(await notices(connection, notice_ids))

    def of(self, message: Message) -> bytes:
        """The body of a message that was loaded, or of an example."""
        if message.kind == EXAMPLE:
            return example_event(message.event_id)
        return self._events[message.event_id if message.log_index is None else message.log_index]
