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
from tests.contract.product_texts import ARABIC
from tests.every import every

TEAM: dict[str, Any] = {
    "team": "press",
    "name": {"ar": "المكتب الإعلامي", "en": "Press office"},
    "contacts": ["media@health.gov.example", "duty-desk@health.gov.example"],
}
EMAIL: dict[str, Any] = {"team": "press", "route": "email"}
NATIONAL_ID = "1012345672"


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


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("team", "Press"),
        ("team", "press office"),
        ("team", "p" * 64),
        ("language", "fr"),
        ("contacts", []),
        ("contacts", [f"desk-{n}@health.example" for n in range(CONTACTS_MAX + 1)]),
        ("contacts", ["media@health.example", "Media@health.example"]),
    ],
)
def test_a_faulty_member_of_a_team_is_named(member: str, value: object) -> None:
    assert pointers(NewTeam, TEAM | {member: value}) == [f"/{member}"]


@every(
    "address",
    [
        "switchboard",
        "media@localhost",
        "media@@health.example",
        "media@health..example",
        "media desk@health.example",
        "media@health.example\r\nBcc: all@health.example",
        "media@health.example, other@health.example",
        "<media@health.example>",
        "مكتب@health.example",
        "media@[10.0.0.1]",
        f"{'m' * 65}@health.example",
        "=?utf-8?q?x?=@health.example",
        "a=?b@health.example",
        f"media@{'h' * 63}.{'h' * 63}.{'h' * 63}.{'h' * 63}.example",
    ],
)
def test_what_is_no_address_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        validated(NewTeam, TEAM | {"contacts": [address]})
    assert [fault.pointer for fault in raised.value.faults] == ["/contacts/0"]
    assert address not in str(raised.value)


@pytest.mark.parametrize("name", ["", "  ", "Press\noffice", "Press\roffice", "a\u202eb", "\u2067", "x" * 121])
def test_a_name_is_one_line_that_turns_nothing_around(name: str) -> None:
    assert pointers(NewTeam, TEAM | {"name": {"ar": "مكتب", "en": name}}) == ["/name/en"]


@pytest.mark.parametrize("where", ["name", "contacts", "team"])
def test_a_national_id_is_refused_wherever_it_stands(where: str) -> None:
    faulty = {
        "name": {"ar": "مكتب", "en": f"Desk {NATIONAL_ID}"},
        "contacts": [f"{NATIONAL_ID}@health.example"],
        "team": f"t-{NATIONAL_ID}",
    }
    with pytest.raises(InvalidInput) as raised:
        validated(NewTeam, TEAM | {where: faulty[where]})
    assert [fault.code for fault in raised.value.faults] == ["personal-data"]
    assert NATIONAL_ID not in str(raised.value)


@pytest.mark.parametrize("faulty", ["caf\udce9", 99_999_999_999_999_999_999])
def test_what_json_cannot_hold_is_a_fault_and_no_bug(faulty: object) -> None:
    assert pointers(NewTeam, TEAM | {"name": faulty}) == [""]


def test_a_national_id_is_found_behind_escapes_of_json() -> None:
    escaped = "".join(chr(0x660 + int(digit)) for digit in NATIONAL_ID)
    with pytest.raises(InvalidInput) as raised:
        validated(NewTeam, TEAM | {"name": {"ar": escaped, "en": "Desk"}})
    assert [fault.code for fault in raised.value.faults] == ["personal-data"]


@pytest.mark.parametrize("document", [None, [], "press", 7, {}, TEAM | {"owner": "Ali"}, [TEAM]])
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
        "ftp://a.example/",
        "https://user@a.example/",
        "https://user:secret@a.example/",
        "https://a.example/#part",
        "https://a.example\\@b.example/",
        "https://a.example/a b",
        "https://a.example/\r\nHost: b.example",
        "https://bücher.example/",
        "https://a..example/",
        "https:///hook",
        "//a.example/hook",
        "https://[fe80::1%25eth0]/",
        "https://a.example/" + "x" * 2_048,
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
