"""`/approvals`: what commands ask two people for. The first confirmation proposes it, the second approves it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, cast

import orjson
from fastapi import APIRouter, Path, Response

from consumers.api.parameters import INTEGER_MAX
from consumers.console.page_request import Visiting, only, roles_of
from events.values.bilingual import Bilingual
from infra.http.problems import Problem
from infra.keys.approvals import VALID, Act, may_confirm
from infra.keys.seals import Seals
from infra.postgres.connection import Connection, Pool
from infra.postgres.sql import queries
from infra.postgres.trail import Actor, add_to_trail

routes = APIRouter(dependencies=[only(roles_of("/approvals"))])
ROWS: Final = 100
NAMES: Final[Mapping[Act, Bilingual]] = {
    "accounts add": Bilingual("إضافة حساب", "Add an account"),
    "accounts disable": Bilingual("تعطيل حساب", "Disable an account"),
    "accounts enable": Bilingual("تفعيل حساب", "Enable an account"),
    "accounts password": Bilingual("كلمة مرور جديدة لحساب", "A new password for an account"),
    "accounts seal": Bilingual("ختم حسابات", "Seal accounts"),
    "agencies add": Bilingual("تسجيل جهة بدور مكتب البرنامج", "Register an agency in the role of the office"),
    "agencies certificate": Bilingual("شهادة عميل لجهة", "A client certificate for an agency"),
    "agencies rotate": Bilingual("كلمة مرور كافكا جديدة لجهة", "A new Kafka password for an agency"),
    "agencies suspend": Bilingual("إيقاف جهة", "Suspend an agency"),
    "erase": Bilingual("حذف سجلات من موضوع جهة", "Delete records from an agency's topic"),
    "keys import": Bilingual("استبدال مفاتيح هذا الجهاز", "Replace the keys of a machine"),
    "keys rotate": Bilingual("استبدال مفتاح", "Rotate a key"),
    "recover": Bilingual("استعادة قيود غير موقّعة", "Recover entries that are not signed"),
    "registrar unhalt": Bilingual("رفع توقف موضوع جهة", "Lift the halt of an agency's topic"),
    "tokens create": Bilingual("رمز دخول لمكتب البرنامج", "A token for the office"),
    "tokens seal": Bilingual("ختم رموز دخول لمكتب البرنامج", "Seal tokens of the office"),
    "withheld propose": Bilingual("حجب نص من قيد", "Withhold a text of an entry"),
}
_SQL: Final = queries("consumers.console.pages", "approvals.sql")


@routes.get("/approvals")
async def approvals_page(visit: Visiting) -> Response:
    return await _page(visit)


@routes.post("/approvals/{approval_id}/confirm")
async def confirm_form(visit: Visiting, approval_id: Annotated[int, Path(ge=1, le=INTEGER_MAX)]) -> Response:
    if not await confirm(visit.parts.own, visit.parts.seals, approval_id, visit.account.username):
        return await _page(visit, 409, not_confirmed=approval_id)
    return visit.redirect("/approvals")


async def confirm(pool: Pool, seals: Seals, approval_id: int, username: str) -> bool:
    """Confirm a request as this administrator: its proposal, or its second confirmation.

    Whether it did. False where it is not open any more, or the same person confirmed it first. Raises `Problem` (404).
    """
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(_SQL["locked"], approval_id)
        if row is None:
            raise Problem("no-such-route")
        if row["used_at"] is not None or not may_confirm(row, username, row["now"], seals):
            return False
        which = "first" if row["first_by"] is None else "second"
        confirmed = {**row, f"{which}_by": username, f"{which}_at": row["now"]}
        names = ("approval_id", "first_by", "first_at", "second_by", "second_at")
        await connection.execute(_SQL["confirm"], *(confirmed[name] for name in names), seals.of_approval(confirmed))
        actor = Actor(username)
        await add_to_trail(cast(Connection, connection), "confirm", str(approval_id), row["act"], by=actor)
        return True


async def _page(visit: Visiting, status: int = 200, not_confirmed: int | None = None) -> Response:
    rows = await visit.parts.own.fetch(_SQL["requests"], ROWS)
    username, seals = visit.account.username, visit.parts.seals
    shown = [
        {
            **row,
            "name": NAMES[row["act"]],
            "text": await _text(visit, row),
            "told": orjson.dumps(orjson.loads(row["arguments"]), option=orjson.OPT_INDENT_2).decode(),
            "state": _state(row, seals),
            "until": row["requested_at"] + VALID,
            "may_confirm": may_confirm(row, username, row["now"], seals),
        }
        for row in rows
    ]
    return visit.page("approvals.html", status, rows=shown, not_confirmed=not_confirmed)


async def _text(visit: Visiting, row: Mapping[str, Any]) -> str | None:
    """The text that two people are asked to withhold; once it is, the sentence that says so."""
    if row["act"] != "withheld propose":
        return None
    of = orjson.loads(row["arguments"])
    text = await visit.parts.own.fetchval(_SQL["text"], of["entry"], of["pointer"].rpartition("/")[2])
    return None if text is None else orjson.dumps(orjson.loads(text), option=orjson.OPT_INDENT_2).decode()


def _state(row: Mapping[str, Any], seals: Seals) -> str:
    if row["used_at"] is not None:
        return "used"
    if row["first_by"] is not None and not seals.is_approval(row):
        return "changed"
    if row["second_by"] is None:
        return "expired" if row["now"] - row["requested_at"] > VALID else "open"
    return "expired" if row["now"] - row["second_at"] > VALID else "approved"
