"""Publishing one event: the types, the form, the confirmation, the receipt and the verdict."""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final
from urllib.parse import quote, urlencode

import orjson
from fastapi import APIRouter, Response

from consumers.console.data.gateway import Receipt, Reply
from consumers.console.page_request import Visit, Visiting
from consumers.console.pages.workspace.entered import (
    COUNT,
    DATA,
    Entered,
    Group,
    Many,
    Node,
    Values,
    entered,
    explained,
    faults_by_name,
    form_of,
    one,
    with_added,
    without,
)
from consumers.console.pages.workspace.shown import CHOICE_NAMES, elsewhere, faulty, in_words, many_by_name, shown
from consumers.replay.as_of.point_in_time import RIYADH
from events.schema_tools.refusal_examples import golden_example
from events.schema_tools.schema_documents import SENDERS
from events.types.catalogue import CATALOGUE, DOMAINS, EventType, may_send
from events.values.fields import Role
from events.wire.codec import STRUCTURED_CONTENT_TYPE
from events.wire.envelope import EVENT_BYTES_MAX, short_type
from infra.http.parameters import require_known
from infra.http.problems import Problem
from producers.sdk.answers import Answer, EventError, Verdict
from producers.sdk.problems import NotServed, OutcomeUnknown

SEND: Final = "/workspace/send"
FORM: Final = "/workspace/publish/{type_name}"
_ID_LETTERS: Final = 8
_PREFILLED_MAX: Final = 50

routes = APIRouter()


class KnownEvent(Answer):
    """An event that the log has. `index`: of its entry."""

    index: int | None = None


class Check(Answer):
    """What the gateway finds in an event beyond the console's own check."""

    errors: tuple[EventError, ...] = ()
    duplicates: tuple[KnownEvent, ...] = ()


@routes.get("/workspace/publish")
async def types(visit: Visiting) -> Response:
    return visit.page("workspace/types.html", domains=domains_of(visit.caller.require_agency().role))


@routes.get("/workspace/types/{type_name}")
async def one_type(visit: Visiting, type_name: str) -> Response:
    row = sendable_type(visit, type_name)
    example: Any = orjson.loads(golden_example(type_name))
    return visit.page(
        "workspace/type.html",
        row=row,
        sender=SENDERS[row.sender],
        fields=shown(form_of(type_name), dict(_one_of_each(form_of(type_name), DATA)), {}),
        example=orjson.dumps(example, option=orjson.OPT_INDENT_2).decode(),
    )


def _one_of_each(nodes: Sequence[Node], above: str) -> Iterator[tuple[str, list[str]]]:
    """One item of every list, so that its fields are shown."""
    for node in nodes:
        name = f"{above}.{node.name}"
        if isinstance(node, Many):
            yield name + COUNT, ["1"]
        elif isinstance(node, Group):
            yield from _one_of_each(node.members, name)


def domains_of(role: Role) -> list[tuple[Any, Sequence[EventType]]]:
    """The types that a role may send, by domain, in the order of the catalogue."""
    rows = [row for row in CATALOGUE.values() if may_send(role, row)]
    return [(DOMAINS[domain], list(found)) for domain, found in groupby(rows, key=lambda row: row.domain)]


def sendable_type(visit: Visit, type_name: str) -> EventType:
    """The type. Raises `Problem` (404) unless the agency may send it."""
    row = CATALOGUE.get(type_name)
    if row is None or not may_send(visit.caller.require_agency().role, row):
        raise Problem("not-found")
    return row


@routes.get(FORM)
async def form(visit: Visiting, type_name: str) -> Response:
    """An empty form, or one with the texts of the address' parameters. Every form proposes an id of its own."""
    sendable_type(visit, type_name)
    given = visit.request.query_params.multi_items()[:_PREFILLED_MAX]
    require_known((name for name, _ in given if not name.startswith("data.")), ["id", "data.…"])
    values = {name: [text] for name, text in given}
    now = visit.parts.clock().astimezone(RIYADH).strftime("%Y-%m-%dT%H:%M")
    return _form_page(visit, type_name, {"id": [_proposed_id(type_name)], "time": [now], **values})


@routes.post(FORM)
async def check(visit: Visiting, type_name: str) -> Response:
    """Grow or shrink a list, return to the form, or check it: the form with its faults, or the page to confirm."""
    sendable_type(visit, type_name)
    values = await _form_values(visit)
    act, _, rest = one(values, "do").partition(":")
    if act in ("add", "remove"):
        return _form_page(visit, type_name, _changed(type_name, values, act, rest))
    if act == "edit":
        return _form_page(visit, type_name, values)
    found = entered(type_name, visit.caller.require_agency(), values)
    if found.faults:
        return _form_page(visit, type_name, values, found)
    return await _confirm_page(visit, type_name, values, found)


@routes.post(SEND)
async def send(visit: Visiting) -> Response:
    """Send the bytes that were confirmed. The same bytes again are a duplicate, not a second event."""
    event = one(await _form_values(visit), "event").encode()
    try:
        read: Any = orjson.loads(event) if len(event) <= EVENT_BYTES_MAX else None
        id_, type_name = str(read["id"]), short_type(str(read["type"]))
    except (orjson.JSONDecodeError, TypeError, KeyError):
        raise Problem("malformed-request") from None
    sendable_type(visit, type_name)
    try:
        reply = await visit.publish(event, STRUCTURED_CONTENT_TYPE, "publish", type_name, event_id=id_)
    except (NotServed, OutcomeUnknown) as error:
        return _not_sent_page(visit, event, id_, may_be_stored=isinstance(error, OutcomeUnknown))
    if not reply.is_success:
        return _not_sent_page(visit, event, id_, may_be_stored=reply.status == 504, reply=reply)
    receipt = reply.read(Receipt)
    address = receipt.receipt.events[0].address
    visit.parts.receipts[visit.account.username, address] = receipt
    return visit.redirect(f"/workspace/sent/{quote(id_, safe='')}?{urlencode({'address': address})}")


@routes.get("/workspace/sent/{event_id}")
async def sent(visit: Visiting, event_id: str, address: str = "") -> Response:
    """The receipt and the verdict. The page asks again until there is one."""
    verdict: Verdict | None = None
    try:
        path = f"/v1/events/{quote(event_id, safe='')}"
        reply = await (visit.send("GET", path, address=address) if address else visit.send("GET", path))
        if reply.is_success:
            verdict = reply.read(Verdict)
        elif reply.status == 404:
            raise Problem("not-found")
    except NotServed:
        pass
    return visit.page(
        "workspace/sent.html",
        id=event_id,
        verdict=verdict,
        state="unknown" if verdict is None else verdict.state,
        faults=explained(() if verdict is None else verdict.errors),
        receipt=visit.parts.receipts.get((visit.account.username, address)),
        is_waiting=verdict is None or verdict.state == "pending",
    )


async def _form_values(visit: Visit) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, text in (await visit.request.form()).multi_items():
        if isinstance(text, str):
            values.setdefault(name, []).append(text)
    return values


def _proposed_id(type_name: str) -> str:
    """Letters only, so that it cannot look like a person's number."""
    letters = "".join(secrets.choice(string.ascii_lowercase) for _ in range(_ID_LETTERS))
    return f"{type_name.rpartition('.')[2]}-{letters}"


def _changed(type_name: str, values: dict[str, list[str]], act: str, rest: str) -> Values:
    name, _, number = rest.rpartition(":")
    many = many_by_name(form_of(type_name), name)
    if many is None or not number.isascii() or not number.isdigit() or len(number) > 3:
        return values
    return without(values, name, int(number)) if act == "remove" else with_added(values, name, int(number), many.most)


def _form_page(visit: Visit, type_name: str, values: Values, found: Entered | None = None) -> Response:
    faults = {} if found is None else found.faults
    fields = shown(form_of(type_name), values, faults)
    return visit.page(
        "workspace/form.html",
        422 if faults else 200,
        row=sendable_type(visit, type_name),
        fields=fields,
        choice_names=CHOICE_NAMES,
        faulty=list(faulty(fields)),
        faults=faults,
        others=elsewhere(fields, faults),
        id=one(values, "id"),
        time=one(values, "time"),
    )


async def _confirm_page(visit: Visit, type_name: str, values: Values, found: Entered) -> Response:
    """Ask the gateway for the verdict that the event would get now: an id of another event is a fault of the form."""
    known: int | None = None
    is_away = False
    try:
        reply = await visit.send("POST", "/v1/events:validate", found.event_bytes, STRUCTURED_CONTENT_TYPE)
    except (NotServed, OutcomeUnknown):
        is_away = True
    else:
        check = reply.read(Check) if reply.is_success else Check()
        if check.errors:
            found.faults = faults_by_name(check.errors)
            return _form_page(visit, type_name, values, found)
        known = next((row.index for row in check.duplicates), None)
    event = orjson.loads(found.event_bytes)
    return visit.page(
        "workspace/confirm.html",
        row=sendable_type(visit, type_name),
        event=event,
        text=found.event_bytes.decode(),
        pretty=orjson.dumps(event, option=orjson.OPT_INDENT_2).decode(),
        words=in_words(form_of(type_name), found.data),
        values=[(name, text) for name, texts in values.items() if name not in ("do", "csrf") for text in texts],
        known_index=known,
        is_away=is_away,
    )


def _not_sent_page(
    visit: Visit, event: bytes, id_: str, *, may_be_stored: bool, reply: Reply | None = None
) -> Response:
    problem = None if reply is None or not reply.document else reply.problem
    can_repeat = reply is None or reply.status in (429, 500, 502, 503, 504)
    return visit.page(
        "workspace/not-sent.html",
        504 if may_be_stored else 503 if reply is None else reply.status,
        text=event.decode(),
        id=id_,
        may_be_stored=may_be_stored,
        problem=problem,
        faults=explained(() if problem is None else problem.errors),
        can_repeat=can_repeat,
    )
