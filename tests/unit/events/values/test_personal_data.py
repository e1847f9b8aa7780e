"""What counts as a national id."""

from __future__ import annotations

from events.values.personal_data import bytes_hold_personal_data, holds_personal_data, looks_personal
from tests.every import every

NATIONAL_ID = "1064971268"


@every(
    "text",
    [
        NATIONAL_ID,
        "2868284007",
        f"({NATIONAL_ID})",
        f"no_{NATIONAL_ID}_",
        f"{NATIONAL_ID}.0",
        f"{NATIONAL_ID}\u0651",  # a combining mark is no letter
        f"½{NATIONAL_ID}²",  # numbers that are no decimal digits
        "١٠٦٤٩٧١٢٦٨",
        "۱۰۶۴۹۷۱۲۶۸",
        "1٠6٤۹712٦8",
        f"123 {NATIONAL_ID}",
    ],
)
def test_a_run_of_ten_digits_that_passes_luhn_is_a_national_id(text: str) -> None:
    assert holds_personal_data(text)


@every(
    "text",
    [
        "",
        "1064971269",
        "3064971264",
        f"{NATIONAL_ID}1",
        f"1{NATIONAL_ID}",
        f"a{NATIONAL_ID}",
        f"ـ{NATIONAL_ID}",  # a tatweel is a letter
        f"{NATIONAL_ID}هـ",
        f"{NATIONAL_ID}٣",
        f"{NATIONAL_ID}\u0966",
        "106497126 8",
        "1.064971268",
        "१०६४९७१२६८",
    ],
)
def test_anything_else_is_not(text: str) -> None:
    assert not holds_personal_data(text)


def test_invalid_bytes_end_a_run_and_an_id_looks_personal_only_as_a_whole() -> None:
    assert bytes_hold_personal_data(b"\xff1064971268\xff")
    assert not bytes_hold_personal_data(b"a1064971268")
    assert looks_personal("1064971269")
    for text in ("R-1064971269", "1064971269\n", "٢٠٦٤٩٧١٢٦٩"):
        assert not looks_personal(text), text
