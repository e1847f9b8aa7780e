"""A gateway's address is judged before anything is done."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from infra.command_line.gateway_options import gateway_option


@click.command()
@gateway_option("none")
def shown(gateway: str | None) -> None:
    """Print the address."""
    click.echo(gateway)


@pytest.mark.parametrize("address", ["https://gateway.example", "http://127.0.0.1:8080/", "https://[::1]:443/x"])
def test_an_address_is_taken_as_it_is(address: str) -> None:
    assert CliRunner().invoke(shown, ["--gateway", address]).output == f"{address}\n"


@pytest.mark.parametrize(
    "address",
    [
        "https://x:abc/",
        "https://[::1",
        f"https://{'a' * 64}.example/",
        "https://a..example/",
        "https://x:70000/",
        "https://",
        "gateway.example",
        "caf\udce9",
        "",
    ],
)
def test_what_is_no_address_is_wrong_use(address: str) -> None:
    result = CliRunner().invoke(shown, ["--gateway", address])
    assert result.exit_code == 2
    assert "is not an address" in result.output


def test_the_address_of_the_variable_is_judged_too() -> None:
    assert CliRunner().invoke(shown, env={"YESSER_GATEWAY": "https://x:abc/"}).exit_code == 2
