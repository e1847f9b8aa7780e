"""`/v1/explain/…`: the entries that made a figure, each with the value before and after it.

Explains a figure for a request: in a thread where few entries can have changed it, else by a process beside.

What the thread folds is read before, in the request's own snapshot. A figure of a million certificates takes minutes
and would delay every other request: a process of the pool explains it (`consumers.api.calculation_pool`).

Whose figures are whose, and what of an explanation each caller sees.

The plan, services, projects, training and coverage are the programme's: every agency may explain them, and of other
agencies' entries it sees index, type, agency and time. Money belongs to the partnership's agency and partner, and to
the treasury. Everything else is for the office and auditors.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Path, Response
from msgspec import structs

from consumers.api.access import may_read, money_scope
from consumers.api.parameters import AsOfIndex, Limit
from consumers.api.reader import JSON, REVALIDATED, ReadAnswer, Reader, Reading
from consumers.api.routes import router_of
from consumers.documents.access_scope import EVERYTHING, AccessScope
from consumers.documents.log.explanations import Change, Explanation, Step
from consumers.explain.database import DatabaseSource, TooManyEntries, database_source
from consumers.explain.explain import (
    Explained,
    KnownSource,
    Request,
    Traced,
    explain,
    explained,
    known_source,
    shown,
    traced,
)
from consumers.explain.models import Model, NoSuchKey, WrongName
from consumers.explain.shown_models import models
from consumers.models.registry import CONSUMERS
from consumers.programme.campaigns.consumer import CONSUMER as CAMPAIGNS
from consumers.replay.as_of.point_in_time import PointInTime
from consumers.replay.as_of.view import NoSuchIndex, View
from consumers.replay.fold.consumer import Consumer
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE
from infra.http.documents import TEXT, answer, problems, schema_of
from infra.http.problems import Problem, changed_entry
from infra.json_documents import to_json
from infra.log.reader import ChangedEntry
from infra.settings import Settings

PROGRAMME: Final = ("plan", "services", "projects", "training", "coverage")
"""Models that every agency may explain, without their money."""
_OF_THE_LOG: Final = ("anomalies", "refusals")
"""Keys of the plan that count events of every agency."""
_PRIVATE_CHANGES: Final = ("reach",)
"""Figures whose single steps belong to the agency that reported them."""
_OWNER: Final = "SELECT owner FROM campaign WHERE campaign_id = $1"
ENTRIES_HERE_MAX: Final = 2_000
"""Entries that are folded in this process: a process of its own needs longer to start than they take."""
REMEMBERED_STEPS_MAX: Final = 100
"""Steps of a trace that is remembered: some hundred kilobytes."""
ALL: Final = tuple(CONSUMERS.values())
Check = Callable[[View], Awaitable[None]]
"""Whether there is an answer, however many entries there are. Raises `Problem`."""
_NO_FIGURE: Final = (NoSuchKey, NoSuchIndex, WrongName)
KEY_LENGTH_MAX: Final = 400
_DOCUMENT: Final = answer(
    "The shape of `yesser audit explain --json`, with the last steps. `ok`: the steps give the figures.",
    schema_of(Explanation),
)
_EARLIER_STEPS: Final = {
    "description": "The address of the steps before these (RFC 8288), if there are any.",
    "schema": TEXT,
}
Name = Annotated[str, Path(max_length=64, description="A read model, such as `plan`, `services` or `statements`.")]
Figure = Annotated[
    str, Path(max_length=KEY_LENGTH_MAX, description="KEY or KEY/FIELD, such as `services/1/launched` of the plan.")
]


async def may_explain(view: View, scope: AccessScope, model: str, key: str) -> bool:
    """Whether the caller may read the figures of this key. The view has the tables of campaigns and revenue."""
    if scope == EVERYTHING:
        return True
    partnership_id = partnership_of(model, key)
    if partnership_id is not None:
        return await read.partnership(await view.use(REVENUE), partnership_id, scope) is not None
    if scope.agency is None:
        return False
    if model == "activity":
        return key.partition("/")[0] == scope.agency
    if model == "campaigns":
        return bool(await (await view.use(CAMPAIGNS)).fetchval(_OWNER, key) == scope.agency)
    return model in PROGRAMME and not (model == "plan" and key in _OF_THE_LOG)


def partnership_of(model: str, key: str) -> str | None:
    """The partnership that a figure is about; None for figures of something else."""
    match model:
        case "partnerships":
            return key
        case "statements":
            return key.partition("/")[0]
        case "accounts":
            return key.partition(":")[2]
        case "plan" if key.startswith("partnerships/"):
            return key.removeprefix("partnerships/")
    return None


def readable(document: Explanation, scope: AccessScope, *, is_money: bool) -> Explanation:
    """The explanation without what belongs to other agencies. Money is shown whole: its reader may read the terms."""
    if scope == EVERYTHING or is_money:
        return document
    steps = (step if may_read(scope, step.agency) else _closed(step) for step in document.steps)
    return structs.replace(document, steps=tuple(steps))


def _closed(step: Step) -> Step:
    hidden = Change(None, None)
    changes = {name: hidden if name in _PRIVATE_CHANGES else change for name, change in step.changes.items()}
    return Step(**structs.asdict(step) | {"id": None, "data": None, "changes": changes})


async def explained_for(
    reader: Reader,
    model: str,
    key: str,
    limit: int,
    as_of_index: int | None = None,
    *,
    derives: bool = False,
    consumers: Sequence[Consumer] = ALL,
    check: Check | None = None,
) -> ReadAnswer[Explained]:
    """The last `limit` entries that changed a figure in scope; `key`: KEY or KEY/FIELD.

    Raises `Problem`: 403, 404 where there is no such figure, 500 for a changed entry, 503 and 429 where too many are
    being explained, and those of `check`, which comes before any calculation.
    """
    scope, named_model = money_scope(reader.caller), models().get(model)
    if named_model is None or "\0" in key:
        raise Problem("not-found")
    name, field = split_figure(named_model, key)
    if named_model.parse(name) is None:
        raise Problem("not-found")
    request = Request(model, name, field, limit, derives and field is not None)

    async def question(view: View) -> KnownSource | None:
        if not await may_explain(view, scope, model, name):
            raise Problem("not-found")
        if check is not None:
            await check(view)
        return await _known(view, request, as_of_index)

    known = await reader.read(consumers, question)
    answer = await _explained(reader, request, known.document, as_of_index)
    document = readable(answer.document, scope, is_money=partnership_of(model, name) is not None)
    return ReadAnswer(replace(answer, document=document), known.state)


@contextmanager
def figure_problems() -> Iterator[None]:
    """Raises the `Problem` of an error: 404 where there is no such figure, 500 for a changed entry."""
    try:
        yield
    except _NO_FIGURE:
        raise Problem("not-found") from None
    except ChangedEntry as error:
        raise changed_entry(error.index) from error


def split_figure(model: Model, path: str) -> tuple[str, str | None]:
    """Key and field of `KEY/FIELD` or `KEY`: the last part is a field where the key before it has such a figure."""
    head, _, last = path.rpartition("/")
    key = model.parse(head) if head else None
    return (head, last) if key is not None and last in model.figures(key, None).figures else (path, None)


async def _known(view: View, request: Request, end: int | None) -> KnownSource | None:
    """What explaining the figure after the first `end` entries needs; None where too many can have changed it."""
    source = DatabaseSource(view, end)
    with figure_problems():
        try:
            return await known_source(source, request, partial(source.few_entries, entries_max=ENTRIES_HERE_MAX))
        except TooManyEntries:
            return None


async def _explained(reader: Reader, request: Request, known: KnownSource | None, end: int | None) -> Explained:
    calculations = reader.reads.explanations
    if known is None:
        answer = await calculations.beside(reader.caller.quota_name, _beside, request, end)
        if answer is None:
            raise Problem("not-found")
        return answer
    # What the entries made of the figures. The tables' figures are never remembered: they may be changed.
    key = (request, known.extent) if request.steps_max <= REMEMBERED_STEPS_MAX else None
    with figure_problems():
        made = await calculations.here(partial(_here, known, request), key)
    return shown(explained(request, made, known.figures), known.known_texts)


def _here(known: KnownSource, request: Request) -> Traced:
    return asyncio.run(traced(known, request))


async def _beside(settings: Settings, request: Request, end: int | None) -> Explained | None:
    """None where there is no such figure."""
    try:
        async with database_source(settings, PointInTime(end)) as source:
            return await explain(source, request)
    except _NO_FIGURE:
        return None


routes: Final = APIRouter(tags=["log"], default_response_class=Response)
router: Final = router_of(routes)


@routes.get(
    "/v1/explain/{model}/{key:path}",
    name="explained",
    summary="The entries that made a figure",
    responses={
        200: {**_DOCUMENT, "headers": {"Link": _EARLIER_STEPS}},
        **problems(400, 401, 403, 404, 422, 429, 500, 503),
    },
)
async def explained_figure(
    request: Reading, model: Name, key: Figure, limit: Limit = 100, as_of_index: AsOfIndex = None
) -> Response:
    """The last `limit` entries that changed a figure, each with the value before and after it.

    Without a field: all figures of the key. `yesser audit explain` without arguments lists the read models and
    their keys. A figure with a long history takes longer. An agency explains the programme's figures and its
    own, and of other agencies' entries sees no data; a partner and the treasury explain money.
    """
    reader = replace(await request.reader(), known=None)  # an explanation has no entity tag
    document = (await explained_for(reader, model, key, limit, as_of_index)).document.document
    headers = {"Cache-Control": REVALIDATED}
    if (earlier := document.before) is not None:
        headers |= request.next_page(as_of_index=earlier)
    return Response(to_json(document), headers=headers, media_type=JSON)
