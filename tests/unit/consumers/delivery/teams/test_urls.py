"""Which URLs can be registered: hosts outside the network, over https, on the ports that are allowed."""

from __future__ import annotations

import pytest

from consumers.delivery.teams.inputs import InvalidInput
from consumers.delivery.teams.urls import require_url
from consumers.delivery.webhooks.addresses import Destinations
from tests.every import every

NOTHING_MORE = Destinations()


@every(
    "host",
    [
        *("hooks.health.gov.example", "hooks.health.gov.example:443", "8.8.8.8", "[2606:4700:4700::1111]"),
        "127.0.0.1.example",
    ],
)
def test_a_public_host_over_https_can_be_registered(host: str) -> None:
    require_url(f"https://{host}/hook?y=1", NOTHING_MORE)


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
    """Which addresses are inside: `test_addresses.py`."""
    with pytest.raises(InvalidInput, match="host"):
        require_url(f"https://{host}/hook", NOTHING_MORE)


def test_a_deployment_may_allow_a_port_for_all_and_anything_for_a_named_host() -> None:
    allowed = Destinations(ports=frozenset({443, 8443}), hosts=frozenset({"127.0.0.1", "receiver"}))
    for url in ("https://a.example:8443/", "http://127.0.0.1:9999/hook", "http://RECEIVER/hook"):
        require_url(url, allowed)
    others = ("http://127.0.0.2:9999/hook", "http://a.example:8443/", "https://other/")
    for url in (*others, "http://a.example/", "https://a.example:22/", "https://a.example:0/"):
        with pytest.raises(InvalidInput):
            require_url(url, allowed)
