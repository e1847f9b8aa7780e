"""However records arrive in batches, the log is the same: I1, every record has exactly one verdict for ever."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from consumers.registrar.batch import Batch, Reading
from tests.world.records import HEALTH, Record, histories, in_batches, number_all, read, topic_of, verdicts

TOPIC = topic_of(HEALTH)


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

    assert _joined(parts, "entries") == whole.entries
    assert _joined(parts, "subjects") == whole.subjects
    assert _joined(parts, "claims") == whole.claims
    assert _joined(parts, "duplicates") == whole.duplicates
    assert _joined(parts, "refusals") == whole.refusals
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


def _joined(batches: Sequence[Batch], name: str) -> list[object]:
    return [item for batch in batches for item in getattr(batch, name)]
