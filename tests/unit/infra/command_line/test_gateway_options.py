"""A gateway's address and a token as people give them: what is neither is wrong use."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from infra.command_line.gateway_options import TOKEN_VARIABLE, gateway_address, token_of


def test_a_token_is_the_only_word_of_its_file_which_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "token"
    for content in (b"yat_x", b"\xef\xbb\xbfyat_x\r\n", b"  yat_x\n"):
        file.write_bytes(content)
        assert token_of(file) == "yat_x"
    for content in (b"", b"\n", "yat_x".encode("utf-16"), "yat_é".encode(), b"a b"):
        file.write_bytes(content)
        with pytest.raises(click.UsageError, match="holds no token: save the token alone, as plain text"):
            token_of(file)


def test_a_token_comes_from_the_environment_where_no_file_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, " yat_x\n")
    assert token_of(None) == "yat_x"
    monkeypatch.setenv(TOKEN_VARIABLE, "\ufeffyat_x")
    with pytest.raises(click.UsageError, match="YESSER_TOKEN holds no token"):
        token_of(None)
    monkeypatch.setenv(TOKEN_VARIABLE, " ")
    with pytest.raises(click.UsageError, match="--token-file FILE"):
        token_of(None)


def test_an_address_is_taken_as_it_is_and_a_wrong_one_told_before_the_token_is_sent() -> None:
    for address in ("https://gateway.example", "http://127.0.0.1:8080/", "https://[::1]:443/x"):
        assert gateway_address(address) == address
    for wrong in ("https://[::1", "gateway.example", "caf\udce9", ""):
        with pytest.raises(click.UsageError, match="is not an address"):
            gateway_address(wrong)
