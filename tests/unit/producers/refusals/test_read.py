"""What became of a refused record, and what may be sent in its place."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from events.faults.problems import CODES
from events.validation.verdicts import Accepted, Agency, Refused
from infra.log.refusals.documents import Fault
from producers.refusals.documents import CannotRedrive, explained
from producers.refusals.read import Record, headers_of
from producers.refusals.redrive import validate_again
from tests.world.events import event

EVENT = event("service.resumed", "service/S", {"service_id": "S", "on": "2006-01-01"}, datacontenttype=...)


def refusal(value: bytes | None, *, kept: bool = True, code: str = "health", binary: bool = False) -> Record:
    headers: list[tuple[str, bytes | None]] = [("content-type", b"application/cloudevents+json")]
    if binary:
        headers = [("content-type", b"application/json")]
        headers += [(f"ce_{name}", str(text).encode()) for name, text in EVENT.items() if name != "data"]
    return Record(7, Agency(code, "agency"), kept, value, headers)


def test_every_code_has_a_remedy_in_both_languages() -> None:
    rows = [explained(Fault(code=code, pointer="", detail="A text is due.")) for code in CODES]
    assert all(row.remedy and row.remedy["ar"] and row.remedy["en"] for row in rows)
    assert {row.detail_ar for row in rows} == {"المطلوب نص."}
    assert not explained(Fault(code="of-a-later-release", pointer="", detail="")).remedy


def test_a_record_in_binary_mode_is_sent_again_as_the_structured_event_that_it_says_without_null_headers() -> None:
    kept = refusal(orjson.dumps(EVENT["data"]), binary=True)
    verdict = validate_again(kept, None)
    assert isinstance(verdict, Accepted)
    assert orjson.loads(verdict.event_bytes)["data"] == EVENT["data"]
    empty, null = headers_of([("ce_traceparent", "")]), headers_of([("ce_traceparent", None)])
    assert (empty, null) == ([("ce_traceparent", b"")], [("ce_traceparent", None)])
    assert isinstance(validate_again(replace(kept, headers=kept.headers + empty), None), Refused)
    assert isinstance(validate_again(replace(kept, headers=kept.headers + null), None), Accepted)


def test_a_corrected_event_gets_what_it_lacks_and_is_judged() -> None:
    short = {name: value for name, value in EVENT.items() if name not in ("specversion", "source")}
    assert isinstance(validate_again(refusal(b"{}"), orjson.dumps(short, option=orjson.OPT_INDENT_2)), Accepted)
    again = validate_again(refusal(b"{}"), orjson.dumps({**EVENT, "source": "urn:yesser:agency:moe"}))
    assert isinstance(again, Refused)
    assert [found.code for found in again.faults] == ["foreign-source"]


def test_nothing_is_sent_where_nothing_was_kept_or_the_platform_itself_spoke() -> None:
    again = validate_again(refusal(None), None)
    assert isinstance(again, Refused)
    assert again.faults[0].code == "tombstone", "a record without a value was kept, and is refused again"
    with pytest.raises(CannotRedrive, match="--from"):
        validate_again(refusal(None, kept=False), None)
    with pytest.raises(CannotRedrive, match="an event of the platform"):
        validate_again(refusal(b"{}", code="platform"), None)
