"""Which connections are one peer's, and how many it may have."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from infra.http.rate_limits import peer_of
from infra.settings import Settings
from producers.gateway.http.protocol import Connections
from tests.every import every


def connections(per_peer_max: int = 2, proxies: str = "", **limits: int) -> Connections:
    settings = Settings(gateway_connections_per_peer_max=per_peer_max, gateway_trusted_proxies=proxies)
    return Connections(settings, **limits)


def test_a_peer_has_its_share_and_gets_it_back_and_all_together_have_a_limit() -> None:
    opened = connections()
    assert [opened.open("192.0.2.1") for _ in range(3)] == [None, None, "too-many-connections"]
    assert opened.open("192.0.2.2") is None
    for _ in range(2):
        opened.close("192.0.2.1")
    assert opened.open("192.0.2.1") is None
    few = connections(connections_max=3)
    assert [few.open(f"192.0.2.{number}") for number in range(4)] == [None, None, None, "overloaded"]
    for number in range(4):
        few.close(f"192.0.2.{number}")
    assert not few._of_peer, "peers without a connection are not kept"
    assert few.open("192.0.2.4") is None


def test_a_trusted_proxy_is_limited_by_the_number_of_all() -> None:
    opened = connections(1, "10.0.0.0/8, 192.0.2.7")
    for proxy in ("10.1.2.3", "192.0.2.7"):
        assert [opened.open(proxy) for _ in range(5)] == [None] * 5
    assert [opened.open("192.0.2.8") for _ in range(2)] == [None, "too-many-connections"]
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
