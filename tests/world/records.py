"""Small records of an agency's topic, validated as the registrar does, and the numbering run over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count as counter
from types import MappingProxyType

from hypothesis import strategies as st

from consumers.registrar.batch import Batch, Reading, number
from consumers.registrar.breaker import Breaker
from events.validation.validate import validate
from events.validation.verdicts import Agency
from events.wire.codec import STRUCTURED_HEADERS, build_event
from events.wire.texts import SALT_BYTES
from infra.postgres.verdicts import Known

HEALTH = Agency("health", "agency")
LABOUR = Agency("labour", "agency")
PLATFORM = Agency("platform", "platform")
NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)
RECORDED = "2026-11-25T08:00:00.000000Z"
TIME = "2005-05-05T05:05:05Z"
USUAL: tuple[tuple[str, bytes | None], ...] = tuple(STRUCTURED_HEADERS)


@dataclass(slots=True)
class Record:
    """What the registrar uses of a Kafka record."""

    offset: int
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = USUAL
    timestamp: int = 0


def said(id: str, word: str = "word", *, agency: Agency = HEALTH, sequence: int | None = None) -> bytes:
    """A good event; another `word` makes another event of it."""
    attributes = {} if sequence is None else {"sequence": f"{sequence:020d}"}
    text = {"ar": "نص", "en": word}
    return build_event(
        type="awareness.initiative-announced",
        agency=agency.code,
        id=id,
        subject="initiative/I-1",
        time=TIME,
        data={"initiative_id": "I-1", "name": text, "aim": text, "on": "2005-05-05"},
        **attributes,
    )


def registered(code: str, role: str = "agency") -> bytes:
    """The platform's announcement of an agency."""
    return build_event(
        type="registry.agency-registered",
        agency="platform",
        id=f"agency.{code}",
        subject=f"agency/{code}",
        time=TIME,
        data={"code": code, "name": {"ar": "جهة", "en": "Agency"}, "role": role},
    )


def suspended(code: str, change: str = "suspended", id: str = "") -> bytes:
    """The platform's announcement that an agency is suspended, or resumed."""
    return build_event(
        type=f"registry.agency-{change}",
        agency="platform",
        id=id or f"{change}.{code}",
        subject=f"agency/{code}",
        time=TIME,
        data={"code": code, "reason": {"ar": "سبب", "en": "reason"}},
    )


def withheld(index: int, member: str) -> bytes:
    """The platform's announcement that a text of an entry is withheld."""
    text = {"ar": "سبب", "en": "reason"}
    return build_event(
        type="registry.text-withheld",
        agency="platform",
        id=f"withheld.i{index}.0123456789ab",
        subject=f"entry/{index}",
        time=TIME,
        data={"entry": index, "pointer": f"/data/{member}", "reason": text, "legal_basis": text},
    )


def topic_of(agency: Agency) -> str:
    return f"agency.{agency.code}.events"


def read(agency: Agency, records: Sequence[Record]) -> Reading:
    """The verdicts on records of one topic."""
    verdicts = [validate(record.value, record.headers, agency) for record in records]
    return Reading(topic_of(agency), agency, list(records), verdicts)


def number_all(
    readings: Sequence[Reading],
    known: Known,
    first_index: int = 0,
    *,
    breakers: Mapping[str, Breaker] = MappingProxyType({}),
    now: datetime = NOW,
) -> Batch:
    """The batch of these readings; the same one each time."""
    batch, salts = Batch(first_index, RECORDED), counter()

    def salt() -> bytes:
        return sha256(f"{first_index}/{next(salts)}".encode()).digest()[:SALT_BYTES]

    for _ in number(batch, readings, known, breakers, now, salt):
        pass
    return batch


def values(*contents: bytes | None, first: int = 0) -> list[Record]:
    """Records at consecutive offsets."""
    return [Record(first + i, content) for i, content in enumerate(contents)]


def numbered(*contents: bytes | None, agency: Agency = HEALTH, first_offset: int = 0, first_index: int = 0) -> Batch:
    """One batch of one topic on an empty log."""
    return number_all([read(agency, values(*contents, first=first_offset))], {}, first_index)


def verdicts(batches: Sequence[Batch]) -> dict[tuple[str, int], tuple[str, int]]:
    """(topic, offset) → what became of the record: `entry` at an index, or `duplicate` of an index."""
    found: dict[tuple[str, int], tuple[str, int]] = {}
    for batch in batches:
        for topic, first_offset, first_index, count in batch.runs:
            for i in range(count):
                found[topic, first_offset + i] = ("entry", first_index + i)
        for topic, offset, index in batch.duplicates:
            found[topic, offset] = ("duplicate", index)
    return found


def in_batches(readings: Sequence[Sequence[Reading]]) -> list[Batch]:
    """Batch after batch, each knowing what those before it claimed, as the database would."""
    known: Known = {}
    batches: list[Batch] = []
    size = 0
    for part in readings:
        batch = number_all(part, dict(known), size)
        known |= {
            claim: (identity, index)
            for claim, identity, index in zip(batch.claims, batch.identities, batch.claim_indexes, strict=True)
        }
        size = batch.size
        batches.append(batch)
    return batches


CONTENTS = st.one_of(
    st.builds(
        said, st.sampled_from("abc"), st.sampled_from(("x", "y")), sequence=st.one_of(st.none(), st.integers(1, 5))
    ),
    st.sampled_from([None, b"{", b"[]", b"\xff", said("a").replace(b'"2005-05-05"', b'"2005-02-30"')]),
)


@st.composite
def histories(draw: st.DrawFn, contents: st.SearchStrategy[bytes | None] = CONTENTS) -> list[Record]:
    """Records at growing offsets; some offsets are skipped, as control records of transactions would."""
    records = []
    offset = 0
    for content in draw(st.lists(contents, min_size=1, max_size=25)):
        offset += draw(st.sampled_from((0, 0, 0, 1, 3)))
        records.append(Record(offset, content))
        offset += 1
    return records
