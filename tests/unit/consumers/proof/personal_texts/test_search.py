from __future__ import annotations

import orjson
import pytest

from consumers.proof.personal_texts.command import TooShort, places, wanted


def test_each_text_that_holds_the_name_is_found_with_its_place() -> None:
    record = {
        "data": {
            "reason": {"ar": "طلبته سارة أحمد", "en": "Asked by S. Ahmad"},
            "partners": [{"ar": "شركة", "en": "x"}, {"ar": "سَارة أحمَد", "en": "y"}],
            "a/b~c": "Sara",
        }
    }
    raw = orjson.dumps(record)
    in_escapes = "".join(f"\\u{ord(mark):04x}" if ord(mark) > 0x7F else mark for mark in raw.decode()).encode()
    for form in (raw, in_escapes):
        assert places(form, wanted("ساره  احمد")) == [
            ("/data/reason/ar", "طلبته سارة أحمد"),
            ("/data/partners/1/ar", "سَارة أحمَد"),
        ]
    assert places(raw, wanted("sara")) == [("/data/a~1b~0c", "Sara")]
    assert places(raw, wanted("شركة x")) == [], "two texts are not one"


def test_a_name_of_a_member_and_bytes_that_are_no_json_are_searched_too() -> None:
    assert places(b'{"Sara Ahmad":1}', wanted("sara ahmad")) == [("/Sara Ahmad", "Sara Ahmad")]
    assert places(b'{"x":"Sara \xff Ahmad', wanted("sara")) == [("", '{"x":"Sara \ufffd Ahmad')]


@pytest.mark.parametrize("text", ["", "س", "- a -", "ـــab"])
def test_so_short_a_text_is_refused(text: str) -> None:
    with pytest.raises(TooShort, match="at least 3"):
        wanted(text)
