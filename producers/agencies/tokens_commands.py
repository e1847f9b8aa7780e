"""`yesser tokens create | list | revoke`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import click
import orjson

from infra.command_line.completion import agency_codes
from infra.command_line.database import with_database
from infra.command_line.display import Column, Grid, show
from infra.command_line.language import localized, print_localized
from infra.command_line.output import json_option, print_confirmation, print_result
from infra.http.callers import KINDS, SCOPES
from infra.postgres.connection import Connection
from infra.settings import Settings
from producers.agencies.tokens import (
    NewToken,
    TokenRequest,
    create_token,
    hash_key,
    list_tokens,
    require_hash_key,
    revoke_token,
)

_DAYS_MAX = 1_095
STATES: Final = {"active": "صالح", "expired": "منتهي المدة", "revoked": "ملغى"}


@click.group()
def tokens() -> None:
    """Create, list and revoke the gateway's bearer tokens."""


@tokens.command("create")
@click.argument("holder", shell_complete=agency_codes)
@click.option("--kind", type=click.Choice(KINDS), default="agency", show_default=True, help="The kind of holder.")
@click.option("--scope", "scopes", type=click.Choice(SCOPES), multiple=True, help="Limit it to these scopes.")
@click.option("--days", type=click.IntRange(1, _DAYS_MAX), default=365, show_default=True, help="Days it is valid.")
@json_option
def create(holder: str, kind: Any, scopes: tuple[Any, ...], days: int, as_json: bool) -> None:
    """Create a token for HOLDER (an agency's code, a partner's or an auditor's id). It is shown only once."""
    settings = Settings().acting_as("administrator")
    request = TokenRequest(kind, holder, days, scopes)
    made = with_database(settings, "tokens", lambda connection: _create(connection, settings, request))
    if as_json:
        click.echo(orjson.dumps(made))
        return
    click.echo(made.token)
    scopes_, until = ", ".join(made.scopes), f"{made.expires_at:%Y-%m-%d}"
    print_localized(
        f"معرّف الرمز {made.key_id}؛ صلاحياته {scopes_} باسم {holder} حتى {until}. احفظه ككلمة مرور: لن يُعرض ثانية.",
        f"Key id {made.key_id}; scopes {scopes_} for {kind} {holder} until {until}. Store it like a password: it cannot"
        " be shown again.",
        err=True,
    )


async def _create(connection: Connection, settings: Settings, request: TokenRequest) -> NewToken:
    await require_hash_key(connection, settings)
    return await create_token(connection, hash_key(settings), request)


@tokens.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List all tokens, without their secrets."""
    rows = with_database(Settings().acting_as("administrator"), "tokens", list_tokens)
    print_result(rows, as_json, lambda: show(tokens_table(rows)))


def tokens_table(rows: Sequence[Mapping[str, Any]]) -> Grid:
    columns = [
        Column("معرّف الرمز", "Key id"),
        Column("النوع", "Kind", drop=2),
        Column("الحامل", "Holder"),
        Column("الحالة", "State"),
        Column("حتى", "Until", drop=1),
        Column("آخر استعمال", "Last used", drop=3),
    ]
    cells = [
        [
            row["key_id"],
            row["kind"],
            row["holder"],
            localized(STATES[row["state"]], row["state"]),
            f"{row['expires_at']:%Y-%m-%d}",
            f"{row['last_used_at']:%Y-%m-%d %H:%M}" if row["last_used_at"] else localized("لم يُستعمل", "never"),
        ]
        for row in rows
    ]
    return Grid(localized("رموز الدخول", "Tokens"), columns, cells)


@tokens.command("revoke")
@click.argument("key_id")
@json_option
def revoke(key_id: str, as_json: bool) -> None:
    """Revoke the token KEY_ID permanently. Gateways refuse it within seconds."""
    holder = with_database(
        Settings().acting_as("administrator"), "tokens", lambda connection: revoke_token(connection, key_id)
    )
    print_confirmation(
        {"key_id": key_id, "holder": holder, "state": "revoked"},
        as_json,
        f"أُلغي رمز {holder} ({key_id}).",
        f"Revoked: {key_id} of {holder}.",
    )
