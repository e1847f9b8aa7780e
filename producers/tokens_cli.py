"""`yesser tokens create | list | revoke`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import click
import orjson
import uvloop

from infra.http.callers import KINDS, SCOPES
from infra.postgres import Connection, connect
from infra.settings import Settings
from producers.tokens import Asked, create_token, hash_key, list_tokens, revoke_token

Answer = TypeVar("Answer")
_DAYS_MAX = 1_095


@click.group()
def tokens() -> None:
    """Make, list and revoke the bearer tokens of the gateway."""


@tokens.command("create")
@click.argument("holder")
@click.option("--kind", type=click.Choice(KINDS), default="agency", show_default=True, help="Who holds it.")
@click.option("--scope", "scopes", type=click.Choice(SCOPES), multiple=True, help="Less than its kind may do.")
@click.option("--days", type=click.IntRange(1, _DAYS_MAX), default=365, show_default=True, help="Until it expires.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def create(holder: str, kind: Any, scopes: tuple[Any, ...], days: int, as_json: bool) -> None:
    """Make a token of HOLDER (an agency's code, a partner's or an auditor's id). It is shown once and never again."""
    settings = Settings()
    asked = Asked(kind, holder, days, scopes)
    made = _with_connection(settings, lambda connection: create_token(connection, hash_key(settings), asked))
    if as_json:
        click.echo(orjson.dumps(made))
        return
    click.echo(made.token)
    click.echo(
        f"Key id {made.key_id}; may {', '.join(made.scopes)} as {kind} {holder} until {made.expires_at:%Y-%m-%d}."
        " Keep it like a password: it cannot be shown again.",
        err=True,
    )


@tokens.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_(as_json: bool) -> None:
    """List all tokens, without what is secret."""
    rows = _with_connection(Settings(), list_tokens)
    if as_json:
        click.echo(orjson.dumps(rows))
        return
    for row in rows:
        used = f"last used {row['last_used_at']:%Y-%m-%d %H:%M}" if row["last_used_at"] else "never used"
        click.echo(
            f"{row['key_id']:<12} {row['kind']:<8} {row['holder']:<20} {row['state']:<8}"
            f" until {row['expires_at']:%Y-%m-%d}  {used}"
        )


@tokens.command("revoke")
@click.argument("key_id")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def revoke(key_id: str, as_json: bool) -> None:
    """End the token KEY_ID for ever. Gateways refuse it within seconds."""
    holder = _with_connection(Settings(), lambda connection: revoke_token(connection, key_id))
    if as_json:
        click.echo(orjson.dumps({"key_id": key_id, "holder": holder, "state": "revoked"}))
    else:
        click.echo(f"Revoked: {key_id} of {holder}.")


def _with_connection(settings: Settings, work: Callable[[Connection], Awaitable[Answer]]) -> Answer:
    async def run() -> Answer:
        connection = await connect(settings, "tokens")
        try:
            return await work(connection)
        finally:
            await connection.close()

    return uvloop.run(run())
