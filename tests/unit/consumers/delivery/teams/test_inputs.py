"""What a team, a webhook and a subscription must look like, and what a fault says."""

from __future__ import annotations

import re
from typing import Any

import pytest

from consumers.delivery.teams.inputs import (
    CONTACTS_MAX,
    FILTER_MAX,
    SENTENCES,
    InvalidInput,
    NewSubscription,
    NewTeam,
    NewWebhook,
    validated,
)
from consumers.delivery.teams.teams import masked
from events.values.fields import Model
from tests.every import every

TEAM: dict[str, Any] = {
    "team": "press",
    "name": {"ar": "المكتب الإعلامي", "en": "Press office"},
    "contacts": ["media@health.gov.example", "duty-desk@health.gov.example"],
}
EMAIL: dict[str, Any] = {"team": "press", "route": "email"}
NATIONAL_ID = "1012345672"
ARABIC = re.compile("[\u0600-\u06ff]")


def pointers(model: type[Model], document: object) -> list[str]:
    with pytest.raises(InvalidInput) as raised:
        validated(model, document)
    for fault in raised.value.faults:
        assert ARABIC.search(fault.detail.ar), fault
        assert not ARABIC.search(fault.detail.en), fault
    return [fault.pointer for fault in raised.value.faults]


def test_a_team_reads_arabic_first_unless_it_says_otherwise() -> None:
    assert validated(NewTeam, TEAM).language == "ar"
    assert validated(NewTeam, TEAM | {"language": "en"}).language == "en"


@every(
    ("member", "value", "pointer"),
    [
        ("team", "Press", "/team"),
        ("team", "press office", "/team"),
        ("team", "p" * 64, "/team"),
        ("language", "fr", "/language"),
        ("contacts", [], "/contacts"),
        ("contacts", [f"desk-{n}@health.example" for n in range(CONTACTS_MAX + 1)], "/contacts"),
        ("contacts", ["media@health.example", "Media@health.example"], "/contacts"),
        ("name", "caf\udce9", ""),
        ("name", 99_999_999_999_999_999_999, ""),
        # a name is one line that turns nothing around
        *(
            ("name", {"ar": "مكتب", "en": name}, "/name/en")
            for name in ("", "  ", "Press\noffice", "Press\roffice", "a\u202eb", "\u2067", "x" * 121)
        ),
    ],
)
def test_a_faulty_member_of_a_team_is_named(member: str, value: object, pointer: str) -> None:
    assert pointers(NewTeam, TEAM | {member: value}) == [pointer]


@every(
    "address",
    [
        *("switchboard", "media@localhost", "media@@health.example", "media@health..example", "media@[10.0.0.1]"),
        *("media desk@health.example", "media@health.example, other@health.example", "<media@health.example>"),
        *("media@health.example\r\nBcc: all@health.example", "مكتب@health.example", f"{'m' * 65}@health.example"),
        *("=?utf-8?q?x?=@health.example", "a=?b@health.example"),
        f"media@{'h' * 63}.{'h' * 63}.{'h' * 63}.{'h' * 63}.example",
    ],
)
def test_what_is_no_address_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        validated(NewTeam, TEAM | {"contacts": [address]})
    assert [fault.pointer for fault in raised.value.faults] == ["/contacts/0"]
    assert address not in str(raised.value)


@every(
    ("where", "value"),
    [
        ("name", {"ar": "مكتب", "en": f"Desk {NATIONAL_ID}"}),
        ("name", {"ar": "".join(chr(0x660 + int(digit)) for digit in NATIONAL_ID), "en": "Desk"}),
        ("contacts", [f"{NATIONAL_ID}@health.example"]),
        ("team", f"t-{NATIONAL_ID}"),
    ],
)
def test_a_national_id_is_refused_wherever_it_stands(where: str, value: object) -> None:
    with pytest.raises(InvalidInput) as raised:
        validated(NewTeam, TEAM | {where: value})
    assert [fault.code for fault in raised.value.faults] == ["personal-data"]
    assert NATIONAL_ID not in str(raised.value)


@every("document", [None, [], "press", 7, {}, TEAM | {"owner": "Ali"}, [TEAM]])
def test_what_is_no_team_is_refused(document: object) -> None:
    assert pointers(NewTeam, document)


@every(
    ("more", "pointer"),
    [
        ({"route": "sms"}, "/route"),
        ({"rules": []}, "/rules"),
        ({"rules": ["service-launched", "service-launched"]}, "/rules"),
        ({"services": [f"SVC-{n}" for n in range(FILTER_MAX + 1)]}, "/services"),
        ({"channels": ["tv", "cinema"]}, "/channels/1"),
        ({"types": ["service.launched"]}, "/types/0"),
        ({"from_index": -1}, "/from_index"),
        ({"from_index": 2**60}, "/from_index"),
        ({"from_index": "1"}, "/from_index"),
        ({"from_date": "2026-02-30"}, "/from_date"),
        ({"from_date": "1447-01-01"}, "/from_date"),
        ({"from_index": 1, "from_date": "2026-01-01"}, ""),
        ({"endpoint_id": "ep_abcdefghijklmnop"}, ""),
        ({"endpoint_id": "42", "route": "webhook"}, "/endpoint_id"),
    ],
)
def test_a_faulty_member_of_a_subscription_is_named(more: dict[str, Any], pointer: str) -> None:
    assert pointers(NewSubscription, EMAIL | more) == [pointer]


@every(
    "url",
    [
        *("ftp://a.example/", "//a.example/hook", "https:///hook", "https://a..example/", "https://bücher.example/"),
        *("https://user@a.example/", "https://user:secret@a.example/", "https://a.example\\@b.example/"),
        *("https://a.example/#part", "https://a.example/a b", "https://a.example/\r\nHost: b.example"),
        *("https://[fe80::1%25eth0]/", "https://a.example/" + "x" * 2_048),
    ],
)
def test_a_url_that_readers_could_take_apart_differently_is_refused(url: str) -> None:
    assert pointers(NewWebhook, {"team": "press", "url": url}) == ["/url"]


def test_a_url_of_every_part_is_accepted() -> None:
    url = "https://hooks.health.gov.example:8443/a-b_c/~d;e?team=press&x=%20%2F"
    assert validated(NewWebhook, {"team": "press", "url": url}).url == url


def test_every_sentence_stands_in_both_languages() -> None:
    for sentence in SENTENCES.values():
        assert ARABIC.search(sentence.ar)
        assert re.search("[a-z]", sentence.en)


def test_an_overview_shows_the_first_letter_and_the_domain_of_an_address() -> None:
    assert masked("media@health.gov.example") == "m…@health.gov.example"
