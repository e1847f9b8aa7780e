"""Options of commands that work through the gateway, for people who have a token and no access to the database."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from infra.command_line.parameters import AgencyCode
from infra.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])
_TOKEN: Final = re.compile("[!-~]+")
TOKEN_VARIABLE: Final = "YESSER_TOKEN"  # noqa: S105 - the name of a variable

agency_option: Final = click.option(
    "--agency",
    envvar="YESSER_AGENCY",
    show_envvar=True,
    type=AgencyCode(),
    help="Your agency; needed only where no gateway is asked, whose token says it.",
)
token_option: Final = click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"File with the agency's token; default: the variable {TOKEN_VARIABLE}.",
)


def gateway_option(default: str) -> Callable[[Command], Command]:
    """The option `--gateway`; `default` says what happens without it."""
    help_text = f"The gateway; default: {default}."
    return click.option("--gateway", envvar="YESSER_GATEWAY", show_envvar=True, metavar="ADDRESS", help=help_text)


def gateway_address(given: str | None) -> str:
    """The address. Raises `UsageError` for what is no address, and where none is given and no gateway was started in
    YESSER_HOME."""
    # Imported here: most commands ask no server.
    from infra.addresses import NotAnAddress, server_address

    if given is not None:
        try:
            server_address(given)
        except NotAnAddress as error:
            raise click.UsageError(str(error)) from None
        return given
    settings = Settings()
    stack = settings.stack()
    if not (port := stack.port_of("gateway")):
        raise click.UsageError(f"No gateway was started in {settings.home}: give --gateway ADDRESS.")
    scheme = "https" if stack.tls or settings.gateway_certificate is not None else "http"
    return f"{scheme}://127.0.0.1:{port}"


def named_agency(agency: str | None) -> str:
    """The agency, where no token says which. Raises `UsageError` if it is not named."""
    if agency is None:
        raise click.UsageError(
            "Name your agency: --agency CODE, or set YESSER_AGENCY. With a gateway it is the token's."
        )
    return agency


def token_of(file: Path | None) -> str:
    """The token. Raises `UsageError` where there is none."""
    if file is not None:
        return token_in(file)
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if not token:
        raise click.UsageError(f"Give the agency's token: --token-file FILE, or set {TOKEN_VARIABLE}.")
    if not _TOKEN.fullmatch(token):
        raise click.UsageError(f"{TOKEN_VARIABLE} holds no token: set it to the token alone.")
    return token


def token_in(file: Path) -> str:
    """The token in a file, which an editor may have begun with a byte order mark. Raises `UsageError`."""
    token = file.read_bytes().decode("utf-8-sig", "replace").strip()
    if not _TOKEN.fullmatch(token):
        raise click.UsageError(f"{file} holds no token: save the token alone, as plain text.")
    return token
