"""What entries tell of themselves is what the registrar wrote when it numbered their records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from consumers.registrar.batch import NO_MARK, Batch, Mark, Record, Withheld, record_sha256
from consumers.registrar.recovery.restored import Held, Part, Restored
from events.faults.problems import CONFLICT
from events.validation.validate import validate
from events.validation.verdicts import Agency, Refused
from events.wire.entry import parse_entry
from events.wire.texts import Text
from infra.postgres.verdicts import Known
from tests.every import every
from tests.world.binary_mode import to_binary_mode
from tests.world.logs_with_texts import service_suspended, workshop_held
from tests.world.records import (
    CONTENTS,
    HEALTH,
    PLATFORM,
    RECORDED,
    USUAL,
    histories,
    number_all,
    numbered,
    read,
    registered,
    said,
    topic_of,
    values,
    withheld,
)
from tests.world.records import Record as Sent

TOPIC = topic_of(HEALTH)
REFUSED = Refused((CONFLICT,))
COMPARED = ("entries", "subjects", "claims", "identities", "claim_indexes", "runs", "refusals", "authority", "texts")
WITH_TEXTS = CONTENTS | st.builds(service_suspended, st.sampled_from("ab"), st.sampled_from(("Sara", "Huda")))
"""Some have a free text."""


def held(
    records: Iterable[Record], *, agency: Agency = HEALTH, first: int = 0, end: int | None = None, strict: bool = False
) -> dict[str, Held]:
    """A topic that holds these records; `strict`: all of them are refused."""
    found: dict[int, Any] = {
        record.offset: (record, REFUSED if strict else validate(record.value, record.headers, agency))
        for record in records
    }
    reach = max(found, default=-1) + 1 if end is None else end
    return {topic_of(agency): Held(agency, 0, first, reach, found)}


def restore(
    batch: Batch,
    topics: dict[str, Held],
    known: Known | None = None,
    texts: Mapping[tuple[int, str, bytes], Text] | None = None,
) -> Restored:
    entries = [parse_entry(batch.first_index + i, raw) for i, raw in enumerate(batch.entries)]
    part = Part(entries, batch.entries, topics, texts or {})
    claims = [event.claim for event in part.events]
    return part.restore({claim: known[claim] for claim in claims if claim in known} if known else {})


def texts_of(batch: Batch) -> dict[tuple[int, str, bytes], Text]:
    """What their topic has."""
    return {(index, text.member, text.sha256): text for index, text in batch.texts}


def seen_of(batch: Batch) -> list[int]:
    return batch.sequences["health"].seen if "health" in batch.sequences else []


@given(histories(WITH_TEXTS))
def test_with_whole_topics_everything_is_as_it_was_numbered(records: list[Sent]) -> None:
    batch = number_all([read(HEALTH, records)], {})
    if not batch.entries:
        return
    last_offset = int(parse_entry(0, batch.entries[-1]).address.rpartition("/")[2])
    read_up_to = [record for record in records if record.offset <= last_offset]
    expected = number_all([read(HEALTH, read_up_to)], {})
    assert expected.texts == batch.texts
    found = restore(batch, held(read_up_to), texts=texts_of(batch))
    for name in COMPARED:
        assert getattr(found.batch, name) == getattr(expected, name), name
    assert sorted(found.batch.duplicates) == sorted(expected.duplicates)
    assert sorted(seen_of(found.batch)) == sorted(seen_of(expected))
    assert found.batch.positions == expected.positions
    assert (found.batch.halts, found.unconfirmed) == ({TOPIC: None}, [])
    assert not any(lacking.records or lacking.duplicates for lacking in found.lacking.values())


@given(histories(WITH_TEXTS), st.data())
def test_whatever_a_topic_lacks_the_entries_give_the_same_log(records: list[Sent], data: st.DataObject) -> None:
    batch = number_all([read(HEALTH, records)], {})
    if not batch.entries:
        return
    kept = [record for record in records if data.draw(st.booleans())]
    found = restore(batch, held(kept, end=records[-1].offset + 1))
    for name in ("entries", "subjects", "claims", "identities", "claim_indexes", "runs"):
        assert getattr(found.batch, name) == getattr(batch, name), name
    rows, expected = (
        [(r.index, r.agency, r.address, r.claimed_id, r.claimed_type, r.errors) for r in one.refusals]
        for one in (found.batch, batch)
    )
    assert rows == expected
    assert set(found.batch.duplicates) <= set(batch.duplicates)


def test_a_conflict_with_a_national_id_in_a_header_is_restored_as_it_was_numbered() -> None:
    headers = [*USUAL, ("x-user", b"1000000008")]
    records = [Sent(0, said("a")), Sent(1, said("a", "x"), headers, timestamp=9)]
    batch = number_all([read(HEALTH, records)], {})
    found = restore(batch, held(records))
    assert found.batch.refusals == batch.refusals
    assert found.batch.refusals[0].keep_raw
    assert b"1000000008".hex() not in str(found.batch.refusals)
    assert found.batch.positions == batch.positions == {TOPIC: (2, Mark(None, 9))}
    assert (found.batch.halts, found.unconfirmed) == ({TOPIC: None}, [])


def test_a_topic_that_is_gone_lacks_every_record_and_waits_for_a_person() -> None:
    batch = numbered(said("a"), said("a"), b"{", said("b"))
    found = restore(batch, {TOPIC: Held(HEALTH, 0, None, 0, {})})
    assert (found.lacking[TOPIC].records, found.lacking[TOPIC].duplicates) == (3, 1)
    assert found.batch.positions == {TOPIC: (4, NO_MARK)}
    assert "offset 3 is not that of entry 2" in (found.batch.halts[TOPIC] or "")
    assert [refusal.keep_raw for refusal in found.batch.refusals] == [False]
    assert [index for index, _ in found.unconfirmed] == [0, 1, 2]
    aged = restore(batch, held([], first=4, end=4))
    assert (aged.lacking[TOPIC].records, aged.batch.positions) == (3, {TOPIC: (4, NO_MARK)})
    assert aged.batch.halts == {TOPIC: None}, "records that aged halt nothing"


def test_a_topic_that_grew_again_gives_nothing_of_the_records_that_stand_there_now() -> None:
    batch = numbered(said("a", sequence=1), b"{", said("a", sequence=1), said("b", sequence=2))
    others = values(said("x", sequence=8), b"[", said("y", sequence=9), said("z", sequence=10))
    found = restore(batch, held(others))
    assert (found.lacking[TOPIC].records, found.lacking[TOPIC].duplicates) == (3, 1)
    assert found.batch.sequences["health"].seen == [1, 2]
    assert found.batch.refusals[0].value is None
    assert found.batch.halts[TOPIC] is not None


def test_a_record_that_todays_door_accepts_stays_refused() -> None:
    records = values(said("a"))
    refused = Refused((CONFLICT,), claimed_id="a")
    reading = read(HEALTH, records)
    reading.verdicts = [refused]
    batch = number_all([reading], {})
    found = restore(batch, held(records))
    assert found.batch.refusals == batch.refusals
    assert found.batch.claims == []
    assert found.batch.positions == batch.positions
    assert found.unconfirmed == [(0, TOPIC)], "behind the signed root a person has to say so"


def test_records_that_todays_door_refuses_stay_accepted_and_their_duplicates_too() -> None:
    records = values(said("a", sequence=1), said("a", sequence=2), said("b", sequence=3))
    batch = number_all([read(HEALTH, records)], {})
    found = restore(batch, held(records, strict=True))
    assert (found.batch.claims, found.batch.duplicates) == (batch.claims, batch.duplicates)
    assert found.batch.sequences == batch.sequences
    assert found.batch.halts == {TOPIC: None}
    assert [index for index, _ in found.unconfirmed] == [0, 1]


def test_events_in_binary_mode_are_known_again_by_their_canonical_bytes() -> None:
    value, headers = to_binary_mode(orjson.loads(said("a")))
    records = [Sent(0, value, headers)]
    batch = number_all([read(HEALTH, records)], {})
    for strict in (False, True):
        found = restore(batch, held(records, strict=strict))
        assert found.batch.positions == {TOPIC: (1, Mark(record_sha256(records[0]), None))}


def test_a_conflict_is_confirmed_by_the_event_that_owns_the_id() -> None:
    records = values(said("a"), said("a", "another"))
    batch = number_all([read(HEALTH, records)], {})
    assert restore(batch, held(records)).unconfirmed == []
    owner = batch.claims[0], (batch.identities[0], 0)
    second = Batch(1, RECORDED, entries=batch.entries[1:])
    assert restore(second, held(records[1:]), dict([owner])).unconfirmed == []
    assert restore(second, held(records[1:])).unconfirmed == [(1, TOPIC)]
    batch = numbered(said("a"), first_index=5)
    taken: Known = {batch.claims[0]: (batch.identities[0], 1)}
    assert restore(batch, held(values(said("a"))), taken).unconfirmed == [(5, TOPIC)], "an id that the log knows"


@every("value", [None, True, 1, "x", [], {}, "\u0000"])
@every("name", ["id", "source", "type", "subject", "sequence", "data", "specversion"])
def test_whatever_stands_where_a_duplicate_stood_is_no_error(name: str, value: object) -> None:
    batch = numbered(said("a"), said("a"), said("b"))
    event = orjson.loads(said("other", sequence=1)) | {name: value}
    for contents, headers in [(orjson.dumps(event), USUAL), (b"[]", [("ce_id", b"a"), ("ce_source", b"\xff")])]:
        records = values(said("a"), said("x"), said("b"))
        records[1] = Sent(1, contents, headers)
        found = restore(batch, held(records))
        assert (found.batch.duplicates, found.lacking[TOPIC].duplicates) == ([], 1)
        assert found.batch.positions == batch.positions


def test_a_text_that_is_gone_is_lost_until_an_entry_withholds_it_and_its_record_confirms_all_the_rest() -> None:
    office = Agency("yesser", "office")
    records = values(*(workshop_held(id, name) for id, name in (("a", "Sara"), ("a", "Sara"), ("b", "Huda"))))
    batch = number_all([read(office, records)], {})
    kept = texts_of(batch)
    # Another's text is none of the entry's.
    partners, place = sorted(key for key in kept if key[0] == 1)
    del kept[partners]
    kept[1, "partners", place[2]] = kept.pop(place)
    found = restore(batch, held(records, agency=office), texts=kept)
    assert [(index, text.member) for index, text in found.batch.texts] == [(0, "partners"), (0, "place")]
    lost = [(index, member, salt, orjson.loads(shown)) for index, member, _, salt, shown in found.batch.lost_texts]
    sentence = {"ar": "فُقد هذا النص.", "en": "This text is lost."}
    assert lost == [(1, "partners", None, [sentence]), (1, "place", None, sentence)]
    assert (found.unconfirmed, found.batch.duplicates) == ([], [(topic_of(office), 1, 0)])
    others = values(*(workshop_held(id, "Mona") for id in "aab"))
    found = restore(batch, held(others, agency=office), texts=kept)
    assert found.unconfirmed == [(0, topic_of(office))], "what is not there is not compared"
    assert found.batch.duplicates == []
    batch = numbered(withheld(7, "reason"), agency=PLATFORM, first_index=9)
    found = restore(batch, held(values(withheld(7, "reason")), agency=PLATFORM))
    assert found.batch.withheld == batch.withheld == [Withheld(7, "reason", 9)]


def test_registrations_are_handed_on() -> None:
    batch = numbered(registered("health"), agency=PLATFORM)
    assert batch.authority
    found = restore(batch, held(values(registered("health")), agency=PLATFORM))
    assert found.batch.authority == batch.authority


@every("content", [None, said("a", "the id is 1000000008")])
def test_a_refusal_without_a_hash_is_matched_by_its_kind(content: bytes | None) -> None:
    batch = numbered(content)
    found = restore(batch, held(values(content)))
    assert found.batch.refusals == batch.refusals
    assert found.batch.halts == {TOPIC: None}
    assert restore(batch, held(values(said("other")))).batch.halts[TOPIC] is not None
