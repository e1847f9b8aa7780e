"""Options of commands that work through the gateway, for people who have a token and no access to the database."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from infra.command_line.parameters import AgencyCode
from infra.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])
TOKEN_VARIABLE: Final = "YESSER_TOKEN"  # noqa: S105 - the name of a variable

agency_option: Final = click.option(
    "--agency", required=True, envvar="YESSER_AGENCY", show_envvar=True, type=AgencyCode(), help="Your agency."
)
token_option: Final = click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"File with the agency's token; default: the variable {TOKEN_VARIABLE}.",
)


def gateway_option(default: str) -> Callable[[Command], Command]:
    """The option `--gateway`; `default` says what happens without it."""
    help_text = f"The gateway; default: {default}."
    return click.option(
        "--gateway",
        envvar="YESSER_GATEWAY",
        show_envvar=True,
        metavar="ADDRESS",
        callback=address_option,
        help=help_text,
    )


def address_option(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """A callback: an address with a host that can be looked up."""
    if value is None:
        return None
    import httpx

    try:
        url = httpx.URL(value)
        url.raw_host.decode("ascii").encode("idna")  # as the resolver does: it bounds the parts of a name
    except (httpx.InvalidURL, ValueError) as error:
        raise click.BadParameter(f"{value!r} is not an address: {error}.") from None
    if not url.host or (url.port or 0) > 0xFFFF:
        raise click.BadParameter(f"{value!r} is not an address: it has no host, or a port above 65535.")
    return value


def gateway_address(given: str | None) -> str:
    """The address. Raises `UsageError` where none is given and no gateway was started in YESSER_HOME."""
    if given is not None:
        return given
    settings = Settings()
    processes: list[Mapping[str, Any]] = (settings.stack() or {}).get("processes", [])
    port = next((process["port"] for process in processes if process["name"] == "gateway" and process["port"]), None)
    if port is None:
        raise click.UsageError(f"No gateway was started in {settings.home}: give --gateway ADDRESS.")
    scheme = "http" if settings.gateway_certificate is None else "https"
    return f"{scheme}://127.0.0.1:{port}"


def token_of(file: Path | None) -> str:
    """The token. Raises `UsageError` where there is none."""
    token = os.environ.get(TOKEN_VARIABLE) if file is None else file.read_text(encoding="utf-8")
    if not token or not token.strip():
        raise click.UsageError(f"Give the agency's token: --token-file FILE, or set {TOKEN_VARIABLE}.")
    return token.strip()
