"""A free text stands beside its entry, and a repeat is recognised by the salts that are kept, while they are."""

from __future__ import annotations

from typing import Any

import orjson

from consumers.registrar.batch import Batch, Withheld, number
from events.validation.texts import is_same
from events.validation.validate import validate
from events.validation.verdicts import Accepted
from events.wire.codec import STRUCTURED_HEADERS, build_event
from events.wire.entry import entry_bytes, event_bytes, has_texts, parse_entry
from events.wire.texts import Kept, put_back, text_sha256
from infra.postgres.verdicts import Known
from tests.world.records import HEALTH, NOW, PLATFORM, RECORDED, TIME, numbered, read, said, topic_of, values, withheld

REASON = {"ar": "إجازة سارة", "en": "Sara is on leave"}


def suspended(id: str, reason: dict[str, str] | None = None) -> bytes:
    data: dict[str, Any] = {"service_id": "S-1", "on": "2005-05-05", "reason": reason or REASON}
    return build_event(type="service.suspended", agency="health", id=id, subject="service/S-1", time=TIME, data=data)


def as_written(event: bytes) -> bytes:
    """The same event with its members in another order, with spaces and escapes."""
    document = orjson.loads(event)
    return orjson.dumps(dict(reversed(document.items())), option=orjson.OPT_INDENT_2).replace(b"Sara", rb"S\u0061ra")


def test_an_entry_has_the_hash_of_a_text_and_all_other_bytes() -> None:
    for sent in (suspended("a"), as_written(suspended("a"))):
        batch = numbered(said("first"), sent)
        (index, text) = batch.texts[0]
        assert (index, text.member, orjson.loads(text.written)) == (1, "reason", REASON)
        assert text.sha256 == text_sha256(text.salt, text.written)
        assert [has_texts(entry) for entry in batch.entries] == [False, True]
        assert parse_entry(1, batch.entries[1]).data["reason"] == {"sha256": text.sha256.hex()}
        assert b"Sara" not in batch.entries[1]
        assert rb"\u0061" not in batch.entries[1]
        whole = put_back(event_bytes(batch.entries[1]), {text.sha256.hex(): text.written})
        assert whole == sent
        assert entry_bytes(RECORDED, f"{topic_of(HEALTH)}/0/1", sent, has_texts=True) == put_back(
            batch.entries[1], {text.sha256.hex(): text.written}
        )


def test_each_text_has_a_salt_of_its_own() -> None:
    first, second = (text for _, text in numbered(suspended("a"), suspended("b")).texts)
    assert first.written == second.written
    assert first.salt != second.salt
    assert first.sha256 != second.sha256


def test_a_repeat_in_the_same_batch_is_a_duplicate_and_another_text_a_conflict() -> None:
    batch = numbered(suspended("a"), as_written(suspended("a")), suspended("a", {"ar": "إجازة", "en": "x"}))
    assert batch.duplicates == [(topic_of(HEALTH), 1, 0)]
    assert [refusal.errors[0]["code"] for refusal in batch.refusals] == ["conflict"]


def after(first: Batch, sent: bytes, kept: dict[str, Kept] | None) -> Batch:
    """The next batch, which has one record and knows what the database knows."""
    known: Known = {first.claims[0]: (first.identities[0], 0)}
    batch = Batch(first.size, RECORDED, kept={} if kept is None else {0: kept})
    for _ in number(batch, [read(HEALTH, values(sent, first=1))], known, {}, NOW):
        pass
    return batch


def test_a_repeat_is_compared_under_the_salts_that_are_kept() -> None:
    first = numbered(suspended("a"))
    kept = first.kept[0]
    assert after(first, as_written(suspended("a")), kept).duplicates
    assert after(first, suspended("a", {"ar": "إجازة", "en": "x"}), kept).refusals


def test_a_withheld_text_is_not_compared_but_all_the_rest_is() -> None:
    first = numbered(suspended("a"))
    kept = {member: Kept(text.sha256, None) for member, text in first.kept[0].items()}
    assert after(first, suspended("a"), kept).duplicates
    assert after(first, suspended("a", {"ar": "إجازة", "en": "x"}), kept).duplicates
    assert after(first, suspended("a").replace(b"2005-05-05", b"2005-05-06"), kept).refusals


def test_an_entry_of_the_first_form_is_compared_whole() -> None:
    event = validate(suspended("a"), STRUCTURED_HEADERS, HEALTH)
    other = validate(suspended("a", {"ar": "إجازة", "en": "x"}), STRUCTURED_HEADERS, HEALTH)
    assert isinstance(event, Accepted)
    assert isinstance(other, Accepted)
    assert is_same(event, event.identity, None)
    assert not is_same(other, event.identity, None)


def test_the_platforms_entry_says_which_text_is_withheld() -> None:
    batch = numbered(withheld(7, "reason"), agency=PLATFORM, first_index=9)
    assert batch.withheld == [Withheld(7, "reason", 9)]
    assert batch.texts == []
