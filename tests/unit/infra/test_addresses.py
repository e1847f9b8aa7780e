"""What is no address of a server is refused before anything is asked."""

from __future__ import annotations

import pytest

from infra.addresses import NotAnAddress, server_address
from tests.every import every


def test_an_address_names_its_host() -> None:
    good = ["https://gateway.example", "http://127.0.0.1:8443/", "https://[::1]:443", "https://gateway.example:65535"]
    for given in (*good, "https://xn--mgbauf6hj.example", "https://الخادم.example"):
        assert server_address(given).host, given


@every(
    ("given", "words"),
    [
        ("https://[::1/", "is not an address"),
        ("http://127.0.0.1:99999", "above 65535"),
        ("http://127.0.0.1:0", "below 1"),
        ("http://127.0.0.1:-1", "below 1"),
        ("https:///v1", "no host"),
        ("https://gateway.example ", "its host has a space"),
        ("https://gateway.example :8443", "its host has a space"),
        ("https://gate%41way.example", "its host has a space, a %"),
        ("https://xn--a.example", "is not an address"),
        ("https://xn--.example", "is not an address"),
        ("gateway.example", "write https://HOST"),
        ("gateway.example:8443", "write https://HOST"),
        ("file:///etc/passwd", "write https://HOST"),
        ("", "write https://HOST"),
    ],
)
def test_what_is_no_address_is_told(given: str, words: str) -> None:
    with pytest.raises(NotAnAddress, match=words):
        server_address(given)
