"""What is no address of a server is told before anything is asked."""

from __future__ import annotations

import pytest

from infra.addresses import NotAnAddress, server_address


@pytest.mark.parametrize("given", ["https://gateway.example", "http://127.0.0.1:8443/", "https://[::1]:443"])
def test_an_address_names_its_host(given: str) -> None:
    assert server_address(given).host


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("https://[::1/", "is not an address"),
        ("http://127.0.0.1:99999", "above 65535"),
        ("https:///v1", "no host"),
        ("gateway.example", "write https://HOST"),
        ("gateway.example:8443", "write https://HOST"),
        ("file:///etc/passwd", "write https://HOST"),
        ("", "write https://HOST"),
    ],
)
def test_what_is_no_address_is_told(given: str, words: str) -> None:
    with pytest.raises(NotAnAddress, match=words):
        server_address(given)
