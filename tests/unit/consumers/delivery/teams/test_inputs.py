"""What a team, a webhook and a subscription must look like, and what a fault says."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import click
import pytest
from click.testing import CliRunner

from consumers.delivery.teams.commands.subscriptions import subscriptions
from consumers.delivery.teams.commands.webhooks import webhooks
from consumers.delivery.teams.endpoints import require_deliverable
from consumers.delivery.teams.inputs import (
    CONTACTS_MAX,
    FILTER_MAX,
    SENTENCES,
    InvalidInput,
    NewSubscription,
    NewTeam,
    NewWebhook,
    Redelivery,
    validated,
)
from consumers.delivery.teams.teams import masked
from consumers.delivery.webhooks.addresses import Destinations
from events.faults.model import Model
from tests.every import every

TEAM: dict[str, Any] = {
    "team": "press",
    "name": {"ar": "المكتب الإعلامي", "en": "Press office"},
    "contacts": ["media@health.gov.example", "duty-desk@health.gov.example"],
}
EMAIL: dict[str, Any] = {"team": "press", "route": "email"}
NATIONAL_ID = "1012345672"
ARABIC = re.compile("[\u0600-\u06ff]")


def faults(model: type[Model], document: object) -> list[tuple[str, str]]:
    """The code and the pointer of each, whose sentences stand in both languages."""
    with pytest.raises(InvalidInput) as raised:
        validated(model, document)
    for fault in raised.value.faults:
        assert ARABIC.search(fault.detail.ar), fault
        assert not ARABIC.search(fault.detail.en), fault
    assert NATIONAL_ID not in str(raised.value)
    return [(fault.code, fault.pointer) for fault in raised.value.faults]


def test_a_team_reads_arabic_first_unless_it_says_otherwise() -> None:
    assert validated(NewTeam, TEAM).language == "ar"
    assert validated(NewTeam, TEAM | {"language": "en"}).language == "en"


@every(
    "model, document, pointer",
    [
        *((NewTeam, TEAM | {"team": team}, "/team") for team in ("Press", "press office", "p" * 64)),
        (NewTeam, TEAM | {"language": "fr"}, "/language"),
        (NewTeam, TEAM | {"contacts": []}, "/contacts"),
        (NewTeam, TEAM | {"contacts": [f"desk-{n}@health.example" for n in range(CONTACTS_MAX + 1)]}, "/contacts"),
        (NewTeam, TEAM | {"contacts": ["media@health.example", "Media@health.example"]}, "/contacts"),
        *((NewTeam, TEAM | {"name": name}, "") for name in ("caf\udce9", 99_999_999_999_999_999_999)),
        # a name is one line that turns nothing around
        *(
            (NewTeam, TEAM | {"name": {"ar": "مكتب", "en": name}}, "/name/en")
            for name in ("", "  ", "Press\noffice", "Press\roffice", "a\u202eb", "\u2067", "x" * 121)
        ),
        (NewSubscription, EMAIL | {"route": "sms"}, "/route"),
        (NewSubscription, EMAIL | {"rules": []}, "/rules"),
        (NewSubscription, EMAIL | {"rules": ["service-launched", "service-launched"]}, "/rules"),
        (NewSubscription, EMAIL | {"services": [f"SVC-{n}" for n in range(FILTER_MAX + 1)]}, "/services"),
        (NewSubscription, EMAIL | {"channels": ["tv", "cinema"]}, "/channels/1"),
        (NewSubscription, EMAIL | {"types": ["service.launched"]}, "/types/0"),
        *((NewSubscription, EMAIL | {"from_index": index}, "/from_index") for index in (-1, 2**60, "1")),
        *((NewSubscription, EMAIL | {"from_date": date}, "/from_date") for date in ("2026-02-30", "1447-01-01")),
        (NewSubscription, EMAIL | {"from_index": 1, "from_date": "2026-01-01"}, ""),
        (NewSubscription, EMAIL | {"endpoint_id": "ep_abcdefghijklmnop"}, ""),
        (NewSubscription, EMAIL | {"endpoint_id": "42", "route": "webhook"}, "/endpoint_id"),
        # neither a span nor a message
        (Redelivery, {}, ""),
        (Redelivery, {"message_id": 1, "since": "2026-11-01T08:00:00Z"}, ""),
        (Redelivery, {"until": "2026-11-01T08:00:00Z"}, ""),
        (Redelivery, {"since": "2026-11-01T08:00:00Z", "until": "2026-11-01T08:00:00Z"}, ""),
        *(
            (Redelivery, {"since": time}, "/since")
            for time in ("yesterday", "2026-11-01T08:00:00", "2026-02-30T08:00:00Z")
        ),
        *((Redelivery, {"message_id": number}, "/message_id") for number in (-1, "1")),
    ],
)
def test_a_faulty_member_is_named(model: type[Model], document: object, pointer: str) -> None:
    assert [place for _, place in faults(model, document)] == [pointer]


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
    "member",
    [
        {"name": {"ar": "مكتب", "en": f"Desk {NATIONAL_ID}"}},
        {"name": {"ar": "".join(chr(0x660 + int(digit)) for digit in NATIONAL_ID), "en": "Desk"}},
        {"contacts": [f"{NATIONAL_ID}@health.example"]},
        {"team": f"t-{NATIONAL_ID}"},
    ],
)
def test_a_national_id_is_refused_wherever_it_stands(member: dict[str, Any]) -> None:
    assert faults(NewTeam, TEAM | member) == [("personal-data", "")]


@every("document", [None, [], "press", 7, {}, TEAM | {"owner": "Ali"}, [TEAM]])
def test_what_is_no_team_is_refused(document: object) -> None:
    assert faults(NewTeam, document)


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
    assert [pointer for _, pointer in faults(NewWebhook, {"team": "press", "url": url})] == ["/url"]


def test_what_is_right_is_read() -> None:
    url = "https://hooks.health.gov.example:8443/a-b_c/~d;e?team=press&x=%20%2F"
    assert validated(NewWebhook, {"team": "press", "url": url}).url == url
    assert validated(NewSubscription, EMAIL | {"from_index": 0, "channels": ["tv"]}).channels == ["tv"]
    span = {"since": "2026-11-01T11:00:00+03:00", "until": "2026-11-01T11:00:00Z"}
    since, until = validated(Redelivery, span).span()
    assert (since, until) == tuple(map(datetime.fromisoformat, span.values()))


@every(
    "host",
    [
        *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "017700000001", "1.2.3"),
        *("localhost", "a.localhost", "db.internal", "printer.local", "postgres"),
        *("[::1]", "[::1", "[::ffff:127.0.0.1]", "[::ffff:8.8.8.8]", "[::7f00:1]", "[a76:3]", "[127.0.0.1]"),
        "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
    ],
)
def test_a_host_that_is_inside_or_is_an_address_in_disguise_is_refused(host: str) -> None:
    """Which addresses are inside: `test_webhooks.py`."""
    with pytest.raises(InvalidInput, match="host"):
        require_deliverable(f"https://{host}/hook", Destinations())


def test_a_deployment_may_allow_a_port_for_all_and_anything_for_a_named_host() -> None:
    for host in ("hooks.health.gov.example", "a.example:443", "8.8.8.8", "[2606:4700:4700::1111]", "127.0.0.1.example"):
        require_deliverable(f"https://{host}/hook?y=1", Destinations())
    allowed = Destinations(ports=frozenset({443, 8443}), hosts=frozenset({"127.0.0.1", "receiver"}))
    for url in ("https://a.example:8443/", "http://127.0.0.1:9999/hook", "http://RECEIVER/hook"):
        require_deliverable(url, allowed)
    others = ("http://127.0.0.2:9999/hook", "http://a.example:8443/", "https://other/")
    for url in (*others, "http://a.example/", "https://a.example:22/", "https://a.example:0/"):
        with pytest.raises(InvalidInput):
            require_deliverable(url, allowed)


def test_every_sentence_stands_in_both_languages() -> None:
    for sentence in SENTENCES.values():
        assert ARABIC.search(sentence.ar)
        assert re.search("[a-z]", sentence.en)


def test_an_overview_shows_the_first_letter_and_the_domain_of_an_address() -> None:
    assert masked("media@health.gov.example") == "m…@health.gov.example"


ADD = ("add", "health", "press", "--route", "email", "--from")
BEYOND = "9" * 20


@every(
    "group, arguments",
    [
        *((subscriptions, [*ADD, beginning]) for beginning in (BEYOND, "9" * 17, "9" * 5_000, "2026-11-1")),
        *(
            (webhooks, [command, "ep_" + "a" * 16, "--message", number])
            for command in ("attempts", "redeliver")
            for number in (BEYOND, "0", "-1")
        ),
        (subscriptions, ["end", BEYOND]),
    ],
)
def test_a_beginning_or_a_number_of_a_command_is_a_real_one(group: click.Group, arguments: list[str]) -> None:
    assert CliRunner().invoke(group, arguments).exit_code == 2
