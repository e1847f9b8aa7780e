"""From a figure to the entries that made it.

In: a source, and a model, key and field by name. Out: the figure now, each entry that changed it, and what these
changes add up to.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from consumers.documents.log.explanations import Explanation
from consumers.explain.figures import Explained, Figure
from consumers.explain.models import Model, NoSuchKey, WrongName, key_text, near
from consumers.explain.plan_model import SHOWN_PLAN, shown_plan_id
from consumers.explain.shown_models import models
from consumers.explain.sources import Reach, Source
from consumers.explain.trace import BATCH_ENTRIES, Trace, Tracer, tracer
from events.wire.entry import Entry, parse_entry

STEPS_MAX: Final = 1_000
"""Steps that are kept unless more are asked for."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be explained; without `field` every figure of the key."""

    model: str
    key: str
    field: str | None = None
    steps_max: int = STEPS_MAX


def model_of(request: Request) -> Model:
    """The model of a request. Raises `WrongName`, also for a field that the model has not."""
    known = models()
    model = known.get(request.model)
    if model is None:
        raise WrongName(
            f"There is no read model {request.model}.{near(request.model, known)} `yesser audit explain` lists them."
        )
    if request.field is not None and model.fields and request.field not in model.fields:
        raise _wrong_field(request, model.fields)
    return model


def chosen_figures(request: Request, plan_id: str | None) -> Explained:
    """The figures of a request; `plan_id` is the shown plan where the model needs it. Raises `WrongName`."""
    model = model_of(request)
    key = model.parse(request.key)
    if key is None:
        given = f"{request.key!r} is not a key of {model.name}." if request.key else f"Give a key of {model.name}."
        raise WrongName(f"{given} It is written {model.key_form}.")
    found = model.explained(key, plan_id) if model.needs_plan else model.explained(key)
    if request.field is None:
        return found
    figure: Figure | None = found.figures.get(request.field)
    if figure is None:
        raise _wrong_field(request, found.figures)
    return Explained({request.field: figure}, found.scope, found.row)


async def explain(
    source: Source, request: Request, also: Callable[[Tracer], None] = lambda tracer: None
) -> Explanation:
    """`also` may read the rows of the fold. Raises `WrongName`, `NoSuchKey`, and what the source raises."""
    chosen, reach, trace = await trace_of(source, request, also)
    return explanation_of(request, reach, trace, await source.live(chosen.figures))


async def trace_of(
    source: Source, request: Request, also: Callable[[Tracer], None] = lambda tracer: None
) -> tuple[Explained, Reach, Trace]:
    """The figures, up to where they are explained, and what the entries made of them. See `explain`."""
    model = model_of(request)
    plan_id = None
    if model.needs_plan:
        await source.reach(SHOWN_PLAN.parts)
        plan_id = shown_plan_id([parse_entry(*raw) async for raw in source.entries(SHOWN_PLAN.scope)])
    chosen = chosen_figures(request, plan_id)
    reach = await source.reach(chosen.parts)
    async with traced(source, chosen, request.steps_max) as made:
        trace = made.finish()
        if trace.exists:
            also(made)
    if not trace.exists:
        raise NoSuchKey(await _no_such_key(source, model, chosen, request))
    return chosen, reach, trace


def explanation_of(request: Request, reach: Reach, trace: Trace, live: Mapping[str, Any] | None) -> Explanation:
    """`live`: the figures of the live tables, if there are any."""
    figures = dict(trace.stored if live is None else live)
    return Explanation(
        model=request.model,
        key=request.key,
        field=request.field,
        log_index=reach.log_index,
        is_complete=reach.is_complete,
        figures=figures,
        start=trace.start,
        total=trace.end,
        ok=figures == trace.end,
        steps_count=trace.steps_count,
        earlier=trace.earlier,
        steps=tuple(trace.steps),
    )


@asynccontextmanager
async def traced(source: Source, found: Explained, steps_max: int) -> AsyncIterator[Tracer]:
    """A tracer that has folded the entries of the figures' scope. Call `source.reach` first."""
    with tracer(found.figures, found.row, steps_max) as made:
        batch: list[Entry] = []
        async for index, raw in source.entries(found.scope):
            batch.append(parse_entry(index, raw))
            if len(batch) == BATCH_ENTRIES:
                await made.apply(batch)
                batch = []
        await made.apply(batch)
        yield made


def _wrong_field(request: Request, fields: Any) -> WrongName:
    assert request.field is not None
    return WrongName(
        f"{request.model} has no figure {request.field}.{near(request.field, fields)} It has: {', '.join(fields)}."
    )


async def _no_such_key(source: Source, model: Model, found: Explained, request: Request) -> str:
    known = [] if found.row is None else [key_text(key) for key in await source.keys(found.row)]
    similar = near(request.key.rpartition("/")[2] if model.needs_plan else request.key, known)
    return f"{model.name} has no {request.key}.{similar}"
