"""Every record gets one verdict, in reading order: an index, a refusal's index, or the index that it repeats.

However records arrive in batches, the log is the same. A bug that numbering meets at one record halts its topic there.
"""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise
from typing import Any
from unittest.mock import Mock

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.registrar import batch as numbering
from consumers.registrar.batch import NO_MARK, Batch, Mark, Reading, has_mark, mark_of, record_sha256
from events.validation.refusal import refusal_event
from events.validation.validate import validate
from events.validation.verdicts import Accepted
from events.wire.entry import entry_bytes, parse_entry
from tests.world.binary_mode import to_binary_mode
from tests.world.records import (
    HEALTH,
    LABOUR,
    PLATFORM,
    RECORDED,
    USUAL,
    Record,
    histories,
    in_batches,
    number_all,
    numbered,
    read,
    registered,
    said,
    topic_of,
    values,
    verdicts,
)

TOPIC, LABOUR_TOPIC = topic_of(HEALTH), topic_of(LABOUR)


def codes(batch: Batch) -> list[str]:
    return [refusal.errors[0]["code"] for refusal in batch.refusals]


def test_accepted_records_take_the_next_indexes_with_their_bytes_verbatim() -> None:
    first, second = said("a"), said("b")
    batch = numbered(first, second, first_offset=5, first_index=40)
    assert batch.entries == [
        entry_bytes(RECORDED, f"{TOPIC}/0/5", first),
        entry_bytes(RECORDED, f"{TOPIC}/0/6", second),
    ]
    assert batch.size == 42
    assert batch.claim_indexes == [40, 41]
    assert batch.subjects == ["initiative/I-1"] * 2


def test_a_reserialised_event_with_another_sequence_is_still_a_duplicate() -> None:
    event = orjson.loads(said("a", sequence=1))
    again = orjson.dumps(
        dict(reversed(event.items())) | {"sequence": f"{2:020d}", "traceparent": None}, option=orjson.OPT_INDENT_2
    )
    batch = numbered(said("a", sequence=1), again)
    assert batch.duplicates == [(TOPIC, 1, 0)]
    assert batch.sequences["health"].seen == [1, 2]
    assert batch.sequences["health"].accepted == [1]


def test_a_used_id_with_other_contents_is_a_conflict_and_the_first_event_still_owns_the_id() -> None:
    batch = numbered(said("a"), said("a", "another"), said("a"), said("a", "another"))
    assert batch.duplicates == [(TOPIC, 2, 0)], "it takes no index"
    assert codes(batch) == ["conflict", "conflict"]
    refusal, _ = batch.refusals
    assert refusal.errors == [{"code": "conflict", "pointer": "", "detail": refusal.errors[0]["detail"]}]
    assert (refusal.index, refusal.address, refusal.claimed_id) == (1, f"{TOPIC}/0/1", "a")
    entry = parse_entry(1, batch.entries[1])
    assert (entry.type, entry.agency) == ("registrar.refused", "platform")
    assert (entry.id, entry.recorded, entry.data["claimed_id"]) == (f"{TOPIC}:0:o1", RECORDED, "a")


def test_a_refused_record_claims_no_id_and_one_with_a_used_id_is_no_conflict() -> None:
    broken = said("a").replace(b'"2005-05-05"', b'"2005-02-30"')
    batch = numbered(broken, said("a"), broken)
    assert [refusal.claimed_id for refusal in batch.refusals] == ["a", "a"]
    assert "conflict" not in codes(batch)
    assert batch.claim_indexes == [1]


def test_what_the_log_holds_already_decides_over_later_batches() -> None:
    one, two, three, four = in_batches(
        [
            [read(HEALTH, values(said("a")))],
            [read(HEALTH, values(said("a"), said("b"), first=1))],
            [read(HEALTH, values(said("a", "x"), said("b"), first=3))],
            [read(HEALTH, values(said("a"), first=5))],
        ]
    )
    assert one.size == 1
    assert two.duplicates == [(TOPIC, 1, 0)]
    assert codes(three) == ["conflict"]
    assert three.duplicates == [(TOPIC, 4, 1)]
    assert (four.entries, four.runs, four.size) == ([], [], three.size)
    assert four.positions[TOPIC][0] == 6, "duplicates alone move the position, and nothing else"


def test_a_run_is_of_consecutive_offsets_and_a_duplicate_a_hole_or_another_topic_ends_it() -> None:
    assert numbered(said("a"), None, said("b"), first_offset=7, first_index=3).runs == [(TOPIC, 7, 3, 3)]
    records = [Record(0, said("a")), Record(1, said("a")), Record(2, said("b")), Record(9, said("c"))]
    batch = number_all([read(HEALTH, records)], {})
    assert batch.runs == [(TOPIC, 0, 0, 1), (TOPIC, 2, 1, 1), (TOPIC, 9, 2, 1)]
    assert batch.duplicates == [(TOPIC, 1, 0)]
    readings = [read(HEALTH, values(said("a"))), read(LABOUR, values(said("b", agency=LABOUR), first=1))]
    assert number_all(readings, {}).runs == [(TOPIC, 0, 0, 1), ("agency.labour.events", 1, 1, 1)]


def test_a_sequence_is_seen_whatever_the_verdict_and_repeats_count_accepted_events_only() -> None:
    broken = said("d", sequence=4).replace(b'"2005-05-05"', b'"2005-02-30"')
    batch = numbered(
        said("a", sequence=1),
        said("a", sequence=2),  # a duplicate
        said("a", "x", sequence=3),  # a conflict
        broken,  # refused
        said("b", sequence=1),  # the same number on another accepted event
        said("c"),
    )
    assert batch.sequences["health"].seen == [1, 2, 3, 4, 1]
    assert batch.sequences["health"].accepted == [1, 1]


def test_a_registration_is_handed_on_with_its_index_and_an_agency_registers_no_other() -> None:
    batch = numbered(registered("health"), registered("yesser", "office"), agency=PLATFORM, first_index=6)
    found = [(change.data["code"], change.data["role"], change.index) for change in batch.authority]
    assert found == [("health", "agency", 6), ("yesser", "office", 7)]
    batch = numbered(registered("labour").replace(b"urn:yesser:agency:platform", b"urn:yesser:agency:health"))
    assert codes(batch) == ["not-authorised"]
    assert batch.authority == []


def test_the_raw_record_of_a_refusal_is_kept_with_its_headers_whose_names_can_be_stored_as_json() -> None:
    records = [
        Record(0, b"{", [("x", b"\xff"), ("y", None)]),
        Record(1, b"{", [("nul\x00", b"v")]),
        Record(2, b"{", [("raw\udcff", b"v")]),
    ]
    batch = number_all([read(HEALTH, records)], {})
    refusal, *strange = batch.refusals
    assert refusal.keep_raw
    assert refusal.value == b"{"
    assert refusal.headers == [["x", "ff"], ["y", None]]
    assert parse_entry(0, batch.entries[0]).data["sha256"] == sha256(b"{").hexdigest()
    stored = [orjson.dumps(refusal.headers) for refusal in strange]
    assert all(b"\\u0000" not in text for text in stored), "jsonb holds no NUL"
    assert stored[0] != stored[1]


def test_nothing_of_a_record_with_personal_data_is_kept() -> None:
    batch = numbered(said("a", "the id is 1000000008"))
    (refusal,) = batch.refusals
    assert refusal.errors[0]["code"] == "personal-data"
    assert (refusal.keep_raw, refusal.value, refusal.headers, refusal.claimed_id) == (False, None, [], None)
    assert b"1000000008" not in batch.entries[0]
    assert "sha256" not in parse_entry(0, batch.entries[0]).data
    assert batch.positions == {TOPIC: (1, Mark(None, 0))}, "it is recognised by its time"


def test_a_national_id_in_a_header_of_a_conflict_is_not_kept_and_what_its_redrive_needs_is() -> None:
    hidden = [("x-user", b"1000000008"), ("x-1000000008", b"x"), ("ce_datacontenttype", "١٠٠٠٠٠٠٠٠٨".encode())]
    event = orjson.loads(said("a", "x"))
    value, attributes = to_binary_mode(event)
    conflict = Record(1, value, [*hidden, *attributes, ("x-trace", b"7")], timestamp=9)
    batch = number_all([read(HEALTH, [Record(0, said("a")), conflict])], {})
    assert codes(batch) == ["conflict"]
    (refusal,) = batch.refusals
    assert (refusal.keep_raw, refusal.value) == (True, value)
    kept = [(name or "", bytes.fromhex(text or "")) for name, text in refusal.headers]
    assert kept == [*attributes, ("x-trace", b"7")]
    assert isinstance(validate(value, kept, HEALTH), Accepted)
    assert parse_entry(1, batch.entries[1]).data["sha256"] == sha256(value).hexdigest(), "a recovery knows it by this"
    assert batch.positions == {TOPIC: (2, Mark(None, 9))}, "no hash is kept over the header"
    accepted = Record(0, said("a"), [*USUAL, ("x-user", b"1000000008")], timestamp=7)
    batch = number_all([read(HEALTH, [accepted])], {})
    assert (codes(batch), batch.positions) == ([], {TOPIC: (1, Mark(None, 7))}), "nor of an accepted record"


def test_the_last_record_is_recognised_by_its_hash_and_never_by_its_time_alone() -> None:
    record = Record(0, said("a"), timestamp=7)
    verdict = read(HEALTH, [record]).verdicts[0]
    mark = mark_of(record, verdict)
    assert mark == Mark(record_sha256(record), None)
    assert has_mark(Record(0, said("a"), timestamp=8), mark)
    assert not has_mark(Record(0, said("b"), timestamp=7), mark)
    assert not has_mark(record, NO_MARK)


def test_an_entry_never_outgrows_its_bundle_however_many_faults_a_record_has() -> None:
    event = orjson.loads(said("a"))
    event["type"] = "sa.gov.yesser.partnership.signed.v1"
    event["data"] = {"terms": {"bands": [{}] * 12_000, "expected": []}}
    worst = orjson.dumps(event)
    batch = numbered(worst)
    assert max(map(len, batch.entries)) < 65_536
    assert len(orjson.dumps(batch.refusals[0].errors)) < 65_536, "the list beside the log is bounded like the entry"


def test_the_same_record_has_one_verdict_however_the_topics_interleave() -> None:
    health = read(HEALTH, values(said("a"), said("a"), said("a", "x")))
    labour = read(LABOUR, values(said("a", "other", agency=LABOUR), None))
    kinds = []
    for order in ([health, labour], [labour, health]):
        batch = number_all(order, {})
        kinds.append({address: kind for address, (kind, _) in verdicts([batch]).items()})
        assert codes(batch).count("conflict") == 1, "ids are scoped by source"
    assert kinds[0] == kinds[1]


@st.composite
def splits(draw: st.DrawFn) -> tuple[list[Record], list[list[Reading]]]:
    """A history, and the same in batches of one or more readings each."""
    records = draw(histories())
    cuts = sorted(draw(st.sets(st.integers(1, len(records)), max_size=8)) | {0, len(records)})
    readings = [read(HEALTH, records[a:b]) for a, b in pairwise(cuts)]
    batches: list[list[Reading]] = [[]]
    for reading, alone in zip(readings, draw(st.lists(st.booleans(), min_size=len(readings))), strict=False):
        if batches[-1] and alone:
            batches.append([])
        batches[-1].append(reading)
    return records, batches


@given(splits())
def test_any_split_into_batches_gives_the_same_log(found: tuple[list[Record], list[list[Reading]]]) -> None:
    records, readings = found
    whole = number_all([read(HEALTH, records)], {})
    parts = in_batches(readings)

    for name in ("entries", "subjects", "claims", "duplicates", "refusals"):
        assert [row for part in parts for row in getattr(part, name)] == getattr(whole, name), name
    assert verdicts(parts) == verdicts([whole])
    assert parts[-1].positions == whole.positions
    assert [n for part in parts for n in part.sequences["health"].seen] == whole.sequences["health"].seen


@given(histories())
def test_every_record_has_exactly_one_verdict(records: list[Record]) -> None:
    batch = number_all([read(HEALTH, records)], {})
    found = verdicts([batch])
    assert found.keys() == {(TOPIC, record.offset) for record in records}
    assert sum(count for *_, count in batch.runs) == len(batch.entries)
    assert sorted(index for kind, index in found.values() if kind == "entry") == list(range(len(batch.entries)))
    assert len({*batch.claims}) == len(batch.claims)
    assert all(index < batch.size for kind, index in found.values() if kind == "duplicate")


def test_a_record_that_cannot_be_refused_halts_its_topic_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_a_bug(**given: Any) -> Any:
        if given["value"] == b"bad":
            raise ValueError(given["value"])
        return refusal_event(**given)

    monkeypatch.setattr(numbering, "refusal_event", with_a_bug)
    health = read(HEALTH, values(said("a"), b"refused", b"bad", said("d"), first=7))
    labour = read(LABOUR, values(said("e", agency=LABOUR)))
    batch = number_all([health, labour], {})
    assert verdicts([batch]) == {
        (TOPIC, 7): ("entry", 0),
        (TOPIC, 8): ("entry", 1),
        (LABOUR_TOPIC, 0): ("entry", 2),
    }
    assert (len(batch.entries), len(batch.subjects), len(batch.claims), len(batch.refusals)) == (3, 3, 2, 1)
    assert [offset for offset, _ in batch.positions.values()] == [9, 1]
    assert batch.halts == {TOPIC: health.fault}
    bug = f"the record at {TOPIC}/0/9 meets a bug of this release (ValueError at {__name__}:"
    assert bug in str(health.fault)


def test_the_first_record_of_a_reading_may_meet_it(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = [read(HEALTH, values(said("a"), said("b"), first=7))]
    monkeypatch.setattr(numbering, "entry_bytes", Mock(side_effect=KeyError("name")))
    known: Any = {}
    batch = number_all(readings, known)
    assert (batch.entries, batch.claims, batch.positions, known) == ([], [], {}, {})
    assert "/0/7 " in str(batch.halts[TOPIC])


def test_a_last_record_whose_headers_meet_it_is_registered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = [read(HEALTH, values(said("a"), first=7))]
    monkeypatch.setattr(numbering, "headers_hold_personal_data", Mock(side_effect=KeyError("name")))
    batch = number_all(readings, {})
    assert len(batch.entries) == 1
    assert batch.positions[TOPIC] == (8, numbering.Mark(None, 0))
    assert batch.halts.keys() == {TOPIC}
