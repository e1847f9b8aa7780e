"""Where webhooks may go."""

from __future__ import annotations

import pytest

from consumers.delivery.webhooks.addresses import AddressRefused, Destinations, destinations, is_public, require_url
from infra.settings import Settings
from tests.every import every

INSIDE = [
    *("0.0.0.0", "10.1.2.3", "127.0.0.1", "127.9.9.9", "172.16.0.1", "192.168.1.1", "localhost", ""),
    *("100.100.100.200", "169.254.169.254", "192.0.0.192", "fd00:ec2::254"),  # metadata of clouds
    *("100.64.0.1", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1"),
    *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8"),
    *("64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "2002:7f00:1::", "2002:808:808::1"),
    *("100::1", "2001::1", "2001:db8::1", "3fff::1", "fc00::1", "fec0::1", "ff02::1"),
    *("fe80::1", "fe80::1%eth0", "2a00:1450::1%eth0"),
]


OUTSIDE = ["8.8.8.8", "93.184.216.34", "1.1.1.1", "2a00:1450:4001::1", "2606:4700::1111"]


@every(("address", "found"), [*((address, False) for address in INSIDE), *((address, True) for address in OUTSIDE)])
def test_an_address_inside_a_network_is_no_host_on_the_internet(address: str, found: bool) -> None:
    assert is_public(address) is found


@every(
    "url",
    [
        *("http://hooks.example/a", "ftp://hooks.example/a", "//hooks.example/a", "file:///etc/passwd", ""),
        *("https://hooks.example:8443/a", "https://hooks.example:99999/", "https:///a", "https://[::1/"),
        *("https://user@hooks.example/a", "https://user:word@hooks.example/a"),
    ],
)
def test_a_url_that_webhooks_may_not_go_to_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        require_url(url, Destinations())


def test_https_at_the_allowed_ports_is_not() -> None:
    allowed = destinations(Settings(webhook_ports="8443,9443"))
    for url in ("https://hooks.example/a?b=c", "https://hooks.example:443/", "https://hooks.example:8443/"):
        assert require_url(url, allowed) == "hooks.example"


def test_a_host_that_the_deployment_names_may_be_plain_and_at_any_port() -> None:
    allowed = destinations(Settings(webhook_hosts="inside.example, 127.0.0.1"))
    assert require_url("http://inside.example:8080/", allowed) == "inside.example"
    assert require_url("http://127.0.0.1:9/", allowed) == "127.0.0.1"
    for url in ("http://a.inside.example/", "http://u@inside.example/", "ftp://inside.example/", "http://127.0.0.2/"):
        with pytest.raises(AddressRefused):
            require_url(url, allowed)
