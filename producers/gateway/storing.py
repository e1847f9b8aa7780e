"""Accepted events of a request to the agency's topic, and which of them repeat recent ones."""

from __future__ import annotations

from collections.abc import Sequence

from events.validation.verdicts import Admitted
from infra.http.problems import Problem
from infra.kafka.client_config import agency_topic
from infra.observability.telemetry import count
from producers.errors import OutcomeUnknown
from producers.gateway.recent import Recent, Repeat, Stored
from producers.gateway.writer import KafkaWriter, NotStored


class Storage:
    """Kafka, and what this gateway stored there recently."""

    def __init__(self, writer: KafkaWriter) -> None:
        self._writer = writer
        self.recent = Recent()

    async def store_events(self, agency: str, accepted: Sequence[tuple[int, Admitted]]) -> tuple[Stored, list[Repeat]]:
        """The stored events with their offsets, and the repeats. Raises `Problem` unless Kafka acknowledged them."""
        places = [place for place, _ in accepted]
        ids = [event.id for _, event in accepted]
        values = [event.event_bytes for _, event in accepted]
        if not values:
            return Stored([], [], [], []), []
        try:
            offsets = await self._writer.write(agency_topic(agency), values)
        except NotStored:
            raise Problem("kafka-away", retry_after_s=1) from None
        except OutcomeUnknown:
            raise Problem("outcome-unknown", retry_after_s=1) from None
        count("gateway_events_stored", len(offsets), agency=agency)
        stored = Stored(places, ids, offsets, values)
        return stored, self.recent.add(agency, stored)
