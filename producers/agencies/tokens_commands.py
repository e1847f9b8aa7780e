"""`yesser tokens create | list | seal | revoke`."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import click
import orjson

from events.values.bilingual import Bilingual
from events.values.fields import CODE_PATTERN, ID_PATTERN
from infra.command_line.break_glass import break_glass_option
from infra.command_line.completion import agency_codes
from infra.command_line.database import with_database
from infra.command_line.display import Column, Grid, show, time_text
from infra.command_line.language import localized, print_localized
from infra.command_line.output import json_option, print_confirmation, print_result
from infra.http.callers import KINDS, SCOPES
from infra.keys.access_changes import AccessChanges
from infra.keys.second_person import ask
from infra.log.refusals.read import agency_names
from infra.postgres.connection import Connection
from infra.settings import Settings
from producers.agencies.tokens import (
    NewToken,
    NoToken,
    TokenRequest,
    TokenRow,
    create_token,
    hash_key,
    list_tokens,
    require_hash_key,
    revoke_token,
    seal_token,
    unsealed_of_office,
    unsealed_tokens,
    valid_hash_keys,
)

_DAYS_MAX = 1_095
STATES: Final = {
    "active": Bilingual("صالح", "active"),
    "unsealed": Bilingual("غير مختوم", "unsealed"),
    "changed": Bilingual("متغيّر", "changed"),
    "expired": Bilingual("منتهي المدة", "expired"),
    "revoked": Bilingual("ملغى", "revoked"),
}


class PartnerOfAgency(click.ParamType[str]):
    """AGENCY/PARTNER_ID: a partner by the id that an agency uses for it."""

    name = "partner"

    def convert(self, value: str, parameter: click.Parameter | None, context: click.Context | None) -> str:
        code, _, partner_id = value.partition("/")
        if not re.fullmatch(CODE_PATTERN, code) or not re.fullmatch(ID_PATTERN, partner_id):
            raise click.BadParameter(f"{value!r} is not AGENCY/PARTNER_ID, such as health/ACME.", context, parameter)
        return value


@click.group()
def tokens() -> None:
    """Create, list, seal and revoke the gateway's bearer tokens."""


@tokens.command("create")
@click.argument("holder", shell_complete=agency_codes)
@click.option("--kind", type=click.Choice(KINDS), default="agency", show_default=True, help="The kind of holder.")
@click.option("--scope", "scopes", type=click.Choice(SCOPES), multiple=True, help="Limit it to these scopes.")
@click.option(
    "--partner",
    "partners",
    type=PartnerOfAgency(),
    multiple=True,
    metavar="AGENCY/PARTNER_ID",
    help="A partner's id with the agency that uses it; repeat it for more.",
)
@click.option("--days", type=click.IntRange(1, _DAYS_MAX), default=365, show_default=True, help="Days it is valid.")
@break_glass_option
@json_option
def create(
    holder: str,
    kind: Any,
    scopes: tuple[Any, ...],
    partners: tuple[str, ...],
    days: int,
    break_glass: str | None,
    as_json: bool,
) -> None:
    """Create a token for HOLDER (an agency's code, a partner's or an auditor's name). It is shown only once.

    A partner's token names each of its ids with the agency that uses it: two agencies may use one id for two partners.
    A token of kind office needs two people, once there is a second administrator.
    """
    settings = Settings().acting_as("administrator")
    request = TokenRequest(kind, holder, days, scopes, partners)
    made = with_database(settings, "tokens", lambda connection: _create(connection, settings, request, break_glass))
    if as_json:
        click.echo(orjson.dumps(made))
        return
    click.echo(made.token)
    scopes_, until = ", ".join(made.scopes), f"{made.expires_at:%Y-%m-%d}"
    sentence = Bilingual(
        "معرّف الرمز {key_id}؛ صلاحياته {scopes} باسم {holder} حتى {until}. احفظه ككلمة مرور: لن يُعرض ثانية.",
        "Key id {key_id}; scopes {scopes} for {kind} {holder} until {until}. Store it like a password: it cannot"
        " be shown again.",
    ).format(key_id=made.key_id, scopes=scopes_, holder=holder, until=until, kind=kind)
    print_localized(sentence, err=True)


async def _create(
    connection: Connection, settings: Settings, request: TokenRequest, break_glass: str | None
) -> NewToken:
    await require_hash_key(connection, settings)
    permit = None
    if request.kind == "office":
        request_document = {
            "holder": request.holder,
            "kind": request.kind,
            "scopes": sorted(request.scopes),
            "days": request.days,
        }
        permit = await ask(connection, settings, "tokens create", request_document, break_glass)
    async with connection.transaction():
        if permit is not None:
            await permit.use(connection)
        made = await create_token(connection, hash_key(settings), request)
    await AccessChanges.of(settings).add(connection, "token", made.key_id, "added")
    return made


@tokens.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List all tokens, without their secrets. The state `changed` means that somebody changed the row."""
    settings = Settings().acting_as("administrator")
    keys = valid_hash_keys(settings, datetime.now(UTC))
    _print_tokens(settings, lambda connection: list_tokens(connection, keys), as_json)


def _print_tokens(settings: Settings, listed: Callable[[Connection], Awaitable[list[TokenRow]]], as_json: bool) -> None:
    async def read(connection: Connection) -> tuple[list[TokenRow], Mapping[str, Bilingual]]:
        rows = await listed(connection)
        return rows, await agency_names(connection, {row.holder for row in rows})

    rows, names = with_database(settings, "tokens", read)
    print_result(rows, as_json, lambda: show(tokens_table(rows, names)))


def tokens_table(rows: Sequence[TokenRow], names: Mapping[str, Bilingual]) -> Grid:
    """`names`: of holders that are agencies."""
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
            row.key_id,
            row.kind,
            "\n".join(
                [*([localized(names[row.holder], "\n")] if row.holder in names else []), row.holder, *row.partners]
            ),
            localized(STATES[row.state]),
            f"{row.expires_at:%Y-%m-%d}",
            time_text(row.last_used_at) if row.last_used_at else localized(Bilingual("لم يُستعمل", "never")),
        ]
        for row in rows
    ]
    return Grid(Bilingual("رموز الدخول", "Tokens"), columns, cells)


@tokens.command("seal")
@click.argument("key_ids", nargs=-1, metavar="[KEY_ID]…")
@break_glass_option
@json_option
def seal(key_ids: tuple[str, ...], break_glass: str | None, as_json: bool) -> None:
    """Seal tokens of an earlier release; without KEY_ID, list them.

    The gateway refuses a token without a seal. Seal only those whose kind, holder and scopes you know to be right.
    Tokens of kind office need two people, once there is a second administrator.
    """
    settings = Settings().acting_as("administrator")
    if not key_ids:
        _print_tokens(settings, unsealed_tokens, as_json)
        return

    async def sealed(connection: Connection) -> list[str]:
        unsealed = await unsealed_of_office(connection, key_ids)
        permit = await ask(connection, settings, "tokens seal", {"tokens": unsealed}, break_glass) if unsealed else None
        async with connection.transaction():
            if await unsealed_of_office(connection, key_ids) != unsealed:
                raise NoToken("tokens were changed meanwhile. Nothing was sealed. Run the command again.")
            if permit is not None:
                await permit.use(connection)
            return [await seal_token(connection, hash_key(settings), key_id) for key_id in key_ids]

    holders = with_database(settings, "tokens", sealed)
    named = ", ".join(f"{key_id} ({holder})" for key_id, holder in zip(key_ids, holders, strict=True))
    print_confirmation({"sealed": list(key_ids)}, as_json, Bilingual("خُتمت الرموز: {}.", "Sealed: {}.").format(named))


@tokens.command("revoke")
@click.argument("key_id")
@json_option
def revoke(key_id: str, as_json: bool) -> None:
    """Revoke the token KEY_ID permanently. Gateways refuse it within seconds."""
    settings = Settings().acting_as("administrator")
    changes = AccessChanges.of(settings)
    holder = with_database(settings, "tokens", lambda connection: revoke_token(connection, key_id, changes))
    sentence = Bilingual("أُلغي رمز {holder} ({key_id}).", "Revoked: {key_id} of {holder}.").format(
        holder=holder, key_id=key_id
    )
    print_confirmation({"key_id": key_id, "holder": holder, "state": "revoked"}, as_json, sentence)
