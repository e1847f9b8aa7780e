"""A log whose events have free texts, as the registrar keeps them: hashes in the entries, the texts beside them."""

from __future__ import annotations

from typing import Any

from events.types.catalogue import FREE_TEXTS
from events.wire.codec import build_event
from events.wire.entry import entry_bytes, parse_entry
from events.wire.texts import in_place_of, new_salt, take_out, withheld_text
from infra.log.ports.bundle_texts import BundleText, TextKey
from tests.world.memory_log import MemoryLog
from tests.world.records import RECORDED, TIME, said, withheld


def service_suspended(id: str, name: str) -> bytes:
    """An event whose reason names somebody."""
    reason = {"ar": f"إجازة {name}", "en": f"{name} is on leave"}
    data: dict[str, Any] = {"service_id": "S-1", "on": "2005-05-05", "reason": reason}
    return build_event(type="service.suspended", agency="health", id=id, subject="service/S-1", time=TIME, data=data)


def workshop_held(id: str, name: str) -> bytes:
    """An event of the office with two texts, of which one is a list."""
    word = {"ar": "نص", "en": "word"}
    place = {"ar": "قاعة", "en": f"The hall of {name}"}
    data = {"workshop_id": "W-1", "topic": word, "on": "2005-05-05", "place": place, "partners": [word, place]}
    kind = "partnership.workshop-held"
    return build_event(type=kind, agency="yesser", id=id, subject="workshop/W-1", time=TIME, data=data)


class LogWithTexts:
    """Entries, and the texts beside them."""

    def __init__(self) -> None:
        self.entries: list[bytes] = []
        self.texts: dict[TextKey, BundleText] = {}

    def add(self, *events: bytes) -> LogWithTexts:
        for event in events:
            self._add(event)
        return self

    def fill(self, size: int) -> LogWithTexts:
        """Add events without a text, up to this size."""
        return self.add(*(said(f"e{index}") for index in range(len(self.entries), size)))

    def withhold(self, index: int, member: str) -> LogWithTexts:
        """Add the entry that withholds a text, and delete the text."""
        by, text = len(self.entries), self.texts[index, member]
        self.add(withheld(index, member))
        sentence = withheld_text(RECORDED, by)
        shown = in_place_of(text.text, sentence)
        self.texts[index, member] = BundleText(
            index=index, member=member, sha256=text.sha256, withheld_by=by, text=shown
        )
        return self

    @property
    def log(self) -> MemoryLog:
        """The log as it is now."""
        log = MemoryLog(self.entries)
        log.stored_texts = [self.texts[key] for key in sorted(self.texts)]
        return log

    def _add(self, event: bytes) -> None:
        index = len(self.entries)
        address = f"agency.health.events/0/{index}"
        plain = entry_bytes(RECORDED, address, event)
        raw, _, texts = take_out(event, event, FREE_TEXTS.get(parse_entry(index, plain).type, ()), new_salt)
        self.entries.append(entry_bytes(RECORDED, address, raw, has_texts=True) if texts else plain)
        for text in texts:
            self.texts[index, text.member] = BundleText(
                index=index,
                member=text.member,
                sha256=text.sha256.hex(),
                salt=text.salt.hex(),
                text=text.written.decode(),
            )
