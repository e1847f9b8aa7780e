"""What the tables must hold because of an entry is what the registrar wrote when it registered the record."""

from __future__ import annotations

from dataclasses import fields
from hashlib import sha256

from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.proof.audit.derived import Ranges, RefusalRow, Row, derive, first_difference
from tests.every import every
from tests.world.records import HEALTH, Record, histories, number_all, read


@settings(deadline=None)
@given(histories())
def test_an_entry_gives_the_rows_that_were_written_for_it(records: list[Record]) -> None:
    batch = number_all([read(HEALTH, records)], {}, 7)
    derived = [derive(index, raw) for index, raw in enumerate(batch.entries, 7)]
    claims = [(i, d.event_id) for i, d in enumerate(derived, 7) if d.event_id is not None]
    expected = zip(batch.claim_indexes, zip(batch.claims, batch.identities, strict=True), strict=True)
    assert claims == [(i, (claim.hex(), identity.hex())) for i, (claim, identity) in expected]
    refusals = {refusal.index: refusal for refusal in batch.refusals}
    assert {i: d.refusal for i, d in enumerate(derived, 7) if d.refusal is not None} == {
        i: RefusalRow(*(getattr(refusal, member.name) for member in fields(RefusalRow)))
        for i, refusal in refusals.items()
    }
    for index, refusal in refusals.items():
        kept = None if refusal.value is None else sha256(refusal.value).hexdigest()
        assert derived[index - 7].sha256 == kept
    addresses = [(topic, first + i) for topic, first, _, count in batch.runs for i in range(count)]
    assert [(d.agency, d.topic, d.offset) for d in derived] == [("health", *address) for address in addresses]
    if "health" in batch.sequences:
        assert [d.sequence for d in derived if d.sequence is not None] == batch.sequences["health"].accepted


@every(
    ("found", "index"),
    [
        ([(0, "a"), (1, "b")], None),
        ([(0, "a"), (1, "x")], 1),
        ([(1, "b")], 0),
        ([(0, "a")], 1),
        ([(0, "a"), (0, "x"), (1, "b")], 0),
        ([(0, "a"), (1, "b"), (9, "x")], 9),
        ([(-1, "x"), (0, "a"), (1, "b")], -1),
    ],
)
def test_the_first_index_that_differs_is_named(found: list[Row], index: int | None) -> None:
    difference = first_difference("log.event_id", found, [(0, "a"), (1, "b")])
    assert (None if difference is None else difference.index) == index


@given(st.lists(st.integers(0, 30)))
def test_ranges_are_the_set_of_their_numbers(numbers: list[int]) -> None:
    ranges = Ranges()
    for number in numbers:
        ranges.add(number)
    assert {n for start, end in ranges.pairs() for n in range(start, end)} == set(numbers)
    assert all(end < start for (_, end), (start, _) in zip(ranges.pairs(), ranges.pairs()[1:], strict=False))
    assert all((n in ranges) == (n in set(numbers)) for n in range(31))
