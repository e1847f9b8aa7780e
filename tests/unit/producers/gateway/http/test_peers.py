"""Which connections are one peer's, and how many it may have."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from infra.http.rate_limits import peer_of
from infra.settings import Settings
from producers.gateway.http.peers import Connections
from tests.every import every


def connections(per_peer_max: int = 2, proxies: str = "", **limits: int) -> Connections:
    settings = Settings(gateway_connections_per_peer_max=per_peer_max, gateway_trusted_proxies=proxies)
    return Connections(settings, **limits)


def test_a_peer_has_its_share_and_gets_it_back() -> None:
    opened = connections()
    assert [opened.open("192.0.2.1") for _ in range(3)] == [None, None, "too-many-connections"]
    assert opened.open("192.0.2.2") is None
    for _ in range(2):
        opened.close("192.0.2.1")
    assert opened.open("192.0.2.1") is None


def test_all_peers_together_have_a_limit() -> None:
    opened = connections(connections_max=3)
    assert [opened.open(f"192.0.2.{n}") for n in range(4)] == [None, None, None, "overloaded"]


def test_a_trusted_proxy_is_limited_by_the_number_of_all() -> None:
    opened = connections(1, "10.0.0.0/8, 192.0.2.7")
    assert [opened.open("10.1.2.3") for _ in range(5)] == [None] * 5
    assert [opened.open("192.0.2.7") for _ in range(5)] == [None] * 5
    assert [opened.open("192.0.2.8") for _ in range(2)] == [None, "too-many-connections"]


def test_a_wrong_address_of_a_proxy_is_refused_with_the_name_of_its_setting() -> None:
    with pytest.raises(ValidationError, match="gateway_trusted_proxies"):
        Settings(gateway_trusted_proxies="10.0.0.1/8")


@every(
    ("host", "peer"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", ""),
        ("x" * 1_000, "x" * 64),
    ],
)
def test_an_ipv6_network_is_one_peer(host: str, peer: str) -> None:
    assert peer_of(host) == peer


def test_peers_without_a_connection_are_not_kept() -> None:
    opened = connections()
    for number in range(100):
        opened.open(str(number))
        opened.close(str(number))
    assert not opened._of_peer
