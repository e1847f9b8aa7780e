"""From a figure to the entries that made it, and to the formula by which it follows from others.

In: a source, and a model, key and field by name. Out: the figure now, each entry that changed it, what these changes
add up to and, where it is asked for, how the figure follows.

Where the entries come from: the database with its index of events, a log elsewhere, an export, or what was read.

Each source gives the entries of a scope in log order. Only the database also has the figures as the live tables hold
them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import starmap
from typing import Any, Final, Protocol

import orjson
from msgspec import structs

from consumers.documents.document import TEXT_NOT_HERE, Name
from consumers.documents.log.explanations import Change, Explanation, Figures, Step
from consumers.documents.names import Code, Names, registered
from consumers.explain.derivations import Derivation, derivation_of
from consumers.explain.figures import KeyFigures, Part, Scope
from consumers.explain.models import Model, NoSuchKey, WrongName, key_text, near
from consumers.explain.shown_models import SHOWN_PLAN, models, shown_plan_id
from consumers.explain.trace import BATCH_ENTRIES, Trace, Tracer, tracer
from consumers.proof.audit.authenticated import AuthenticatedLog
from consumers.proof.audit.export import TextsOf, earlier_texts, selected_entries
from consumers.proof.audit.source import Export
from consumers.replay.as_of.point_in_time import occurred_on
from consumers.revenue.consumer import CONSUMER as REVENUE
from events.wire.entry import Entry, has_texts, parse_entry, recorded_time
from events.wire.texts import hashes_in, is_text_hash
from infra.json_documents import to_json
from infra.log.ports.tree import Progress

Raw = tuple[int, bytes]
STEPS_MAX: Final = 1_000
"""Steps that are kept unless more are asked for."""
EntriesOf = Callable[[Scope], Awaitable[Sequence[Raw]]]


class NotByOccurrence(WrongName):
    """The ledger has no state by an occurred date, since its periods close in log order: use --as-of-recorded."""


@dataclass(frozen=True, slots=True)
class Reach:
    """`log_index`: the number of entries of the log that are explained. `is_complete`: whether the source has all of
    them; of an export only the chosen ones are known."""

    log_index: int
    is_complete: bool = True


class Source(Protocol):
    """A log to explain figures from. One without live tables has no figures to compare with, and no keys at hand."""

    async def reach(self, parts: Iterable[Part]) -> Reach:
        """How far figures of these parts are explained."""

    def entries(self, scope: Scope) -> AsyncIterator[Raw]:
        """The entries of the scope, within reach."""

    async def all_entries(self, scope: Scope) -> list[Raw]:
        """The same, of a scope that has few."""
        return [raw async for raw in self.entries(scope)]

    async def live(self, chosen: KeyFigures) -> Figures | None:
        """The figures as live tables hold them at the end of the reach."""
        return None

    async def keys(self, part: Part) -> list[tuple[Any, ...]]:
        """Some keys of the table of a part, to suggest one."""
        return []

    async def texts(self, hashes: Sequence[str]) -> Mapping[str, bytes]:
        """Hash → the JSON of the free text, as far as the source has them."""
        return {}

    def names(self) -> Names:
        """Those in the entries that were read, where these are all that the source has."""
        return {}


class _EntriesAlone(Source):
    """A source without tables: its names are those of the registrations among the entries that were read, its texts
    those beside them."""

    def __init__(self, texts_of: TextsOf) -> None:
        self._names: dict[Code, Name] = {}
        self._texts_of = texts_of
        self._with_texts: dict[str, Raw] = {}
        """Hash of a text → its entry, of those that were read."""

    async def texts(self, hashes: Sequence[str]) -> Mapping[str, bytes]:
        """Raises `WrongText` for one that does not give its hash."""
        entries = sorted({self._with_texts[found] for found in hashes if found in self._with_texts})
        texts = [text for index, raw in entries for text in await self._texts_of(index, raw)]
        return {text.sha256: text.text.encode() for text in texts}

    def _read(self, entry: Raw) -> Raw:
        self._with_texts |= dict.fromkeys(hashes_in(entry[1]) if has_texts(entry[1]) else (), entry)
        return entry

    def names(self) -> Names:
        return self._names

    def _is_wanted(self, scope: Scope, entry: Entry) -> bool:
        """Whether the entry is of the scope. A name that it registers is kept."""
        if (found := registered(entry)) is not None:
            self._names.setdefault(*found)
        return scope.has(entry)


class OutsideSource(_EntriesAlone):
    """A log at an address or in a folder. Every entry is proven before it is folded."""

    def __init__(self, log: AuthenticatedLog, end: int, progress: Progress, texts_of: TextsOf) -> None:
        super().__init__(texts_of)
        self._log = log
        self._end = end
        self._progress = progress

    async def reach(self, parts: Iterable[Part]) -> Reach:
        return Reach(self._end)

    async def entries(self, scope: Scope) -> AsyncIterator[Raw]:
        wanted = partial(self._is_wanted, scope)
        async for entry in selected_entries(self._log, 0, self._end, wanted, self._progress):
            yield self._read(entry)


class ExportSource(_EntriesAlone):
    """An export, up to `end` entries of its log, and of these those recorded by an instant."""

    def __init__(self, export: Export, end: int, recorded: datetime | None = None) -> None:
        super().__init__(earlier_texts(export.folder))
        self._export = export
        self._end = end
        if recorded is not None:
            entries = starmap(parse_entry, export.entries())
            self._end = next((entry.index for entry in entries if entry.recorded > recorded_time(recorded)), end)

    async def reach(self, parts: Iterable[Part]) -> Reach:
        return Reach(self._end, is_complete=False)

    async def entries(self, scope: Scope) -> AsyncIterator[Raw]:
        for index, raw in self._export.entries():
            if index < self._end and self._is_wanted(scope, parse_entry(index, raw)):
                yield self._read((index, raw))


@dataclass(frozen=True, slots=True)
class OccurredSource(Source):
    """Of another source the entries that had occurred by a date (`YYYY-MM-DD`). No table has these figures."""

    source: Source
    date: str

    async def reach(self, parts: Iterable[Part]) -> Reach:
        """Raises `NotByOccurrence`, and what the source raises."""
        own = list(parts)
        if any(part.consumer.name == REVENUE.name for part in own):
            raise NotByOccurrence(NotByOccurrence.__doc__)
        return await self.source.reach(own)

    async def entries(self, scope: Scope) -> AsyncIterator[Raw]:
        async for index, raw in self.source.entries(scope):
            if occurred_on(parse_entry(index, raw)) <= self.date:
                yield index, raw

    async def keys(self, part: Part) -> list[tuple[Any, ...]]:
        return await self.source.keys(part)

    async def texts(self, hashes: Sequence[str]) -> Mapping[str, bytes]:
        return await self.source.texts(hashes)

    def names(self) -> Names:
        return self.source.names()


@dataclass(frozen=True, slots=True)
class KnownSource(Source):
    """Entries, their texts and live figures that were read before, so that no connection waits for a fold.

    `figures`: those of the live tables, None where the entries were not applied to all of them alike.
    """

    known_reach: Reach
    known_entries: Mapping[Scope, Sequence[Raw]]
    figures: Figures | None
    known_texts: Mapping[str, bytes]

    @property
    def extent(self) -> tuple[tuple[Scope, int], ...]:
        """The same for the same entries: the log only grows."""
        return tuple((scope, entries[-1][0] if entries else -1) for scope, entries in self.known_entries.items())

    async def reach(self, parts: Iterable[Part]) -> Reach:
        return self.known_reach

    async def entries(self, scope: Scope) -> AsyncIterator[Raw]:
        for raw in self.known_entries[scope]:
            yield raw

    async def live(self, chosen: KeyFigures) -> Figures | None:
        return self.figures


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be explained; without `field` every figure of the key. `derives`: also how the figures follow."""

    model: str
    key: str
    field: str | None = None
    steps_max: int = STEPS_MAX
    derives: bool = False


@dataclass(frozen=True, slots=True)
class Explained:
    """The entries that made the figures and, where it was asked for, how the figures follow."""

    document: Explanation
    derivation: Derivation


@dataclass(frozen=True, slots=True)
class Traced:
    """What the entries made of the figures, up to `reach`."""

    reach: Reach
    trace: Trace
    derivation: Derivation


def model_of(request: Request) -> Model:
    """The model of a request. Raises `WrongName`, also for a field that the model has not."""
    known = models()
    model = known.get(request.model)
    if model is None:
        raise WrongName(
            f"There is no read model {request.model}.{near(request.model, known)} `yesser audit explain` lists them."
        )
    if request.field is not None and model.fields and request.field not in model.fields:
        raise _wrong_field(request.model, request.field, model.fields)
    return model


async def explain(source: Source, request: Request) -> Explained:
    """Raises `WrongName`, `NoSuchKey`, and what the source raises."""
    chosen, reach = await _question(source, request, source.all_entries)
    traced = await _traced(source, request, chosen, reach)
    found = explained(request, traced, await source.live(chosen))
    return shown(found, await source.texts(hashes_in(to_json(found.document))))


async def known_source(source: Source, request: Request, entries_of: EntriesOf) -> KnownSource:
    """What explaining needs, read before. Raises `WrongName`, and what `source` and `entries_of` raise."""
    entries: dict[Scope, Sequence[Raw]] = {}

    async def known(scope: Scope) -> Sequence[Raw]:
        entries[scope] = await entries_of(scope)
        return entries[scope]

    chosen, reach = await _question(source, request, known)
    await known(chosen.scope)
    hashes = [found for own in entries.values() for _, raw in own for found in hashes_in(raw)]
    return KnownSource(reach, entries, await source.live(chosen), await source.texts(hashes))


async def traced(source: Source, request: Request) -> Traced:
    """As `explain`, without the figures of the live tables."""
    return await _traced(source, request, *await _question(source, request, source.all_entries))


def explained(request: Request, traced: Traced, live: Figures | None) -> Explained:
    """`live`: the figures of the live tables, if there are any."""
    trace, figures = traced.trace, dict(traced.trace.stored if live is None else live)
    document = Explanation(
        model=request.model,
        key=request.key,
        field=request.field,
        log_index=traced.reach.log_index,
        is_complete=traced.reach.is_complete,
        figures=figures,
        start=trace.start,
        total=trace.end,
        ok=figures == trace.end,
        steps_count=trace.steps_count,
        earlier=trace.earlier,
        steps=tuple(trace.steps),
    )
    return Explained(document, traced.derivation)


def shown(found: Explained, texts: Mapping[str, bytes]) -> Explained:
    """The explanation as it is read: with these texts in place of the hashes of which figures and entries are made."""
    document, put = found.document, partial(_with_texts, texts)

    def figures(of: Figures) -> Figures:
        return {name: put(value) for name, value in of.items()}

    def step(of: Step) -> Step:
        changes = {name: Change(put(change.before), put(change.after)) for name, change in of.changes.items()}
        return structs.replace(of, data=put(of.data), changes=changes)

    earlier = document.earlier
    whole = structs.replace(
        document,
        figures=figures(document.figures),
        start=figures(document.start),
        total=figures(document.total),
        earlier=earlier and structs.replace(earlier, after=figures(earlier.after)),
        steps=tuple(map(step, document.steps)),
    )
    return replace(found, document=whole)


def _with_texts(texts: Mapping[str, bytes], value: Any) -> Any:
    """A value of JSON with these texts."""
    if is_text_hash(value):
        written = texts.get(value["sha256"])
        return structs.asdict(TEXT_NOT_HERE) if written is None else orjson.loads(written)
    if isinstance(value, dict):
        return {name: _with_texts(texts, member) for name, member in value.items()}
    return [_with_texts(texts, item) for item in value] if isinstance(value, list) else value


async def _question(source: Source, request: Request, entries_of: EntriesOf) -> tuple[KeyFigures, Reach]:
    """The figures of a request, and how far they are explained."""
    model, plan_id = model_of(request), None
    if model.needs_plan:
        await source.reach(SHOWN_PLAN.parts)
        plan_id = shown_plan_id(parse_entry(*raw) for raw in await entries_of(SHOWN_PLAN.scope))
    key = model.parse(request.key)
    if key is None:
        mistake = f"{request.key!r} is not a key of {model.name}." if request.key else f"Give a key of {model.name}."
        raise WrongName(f"{mistake} It is written {model.key_form}.")
    chosen = model.figures(key, plan_id)
    if request.field is not None:
        if request.field not in chosen.figures:
            raise _wrong_field(request.model, request.field, chosen.figures)
        chosen = KeyFigures({request.field: chosen.figures[request.field]}, chosen.scope, chosen.row)
    return chosen, await source.reach(chosen.parts)


async def _traced(source: Source, request: Request, chosen: KeyFigures, reach: Reach) -> Traced:
    model, derivation = model_of(request), Derivation()
    async with folded(source, chosen, request.steps_max) as made:
        trace = made.finish()
        if trace.exists and request.derives:
            key = model.parse(request.key)
            assert key is not None, "it was parsed before"
            derivation = derivation_of(model.name, key, request.field, made)
    if not trace.exists:
        known = [] if chosen.row is None else [key_text(key) for key in await source.keys(chosen.row)]
        similar = near(request.key.rpartition("/")[2] if model.needs_plan else request.key, known)
        raise NoSuchKey(f"{model.name} has no {request.key}.{similar}")
    return Traced(reach, trace, derivation)


@asynccontextmanager
async def folded(source: Source, chosen: KeyFigures, steps_max: int) -> AsyncIterator[Tracer]:
    """A tracer that has folded the entries of the figures' scope. Call `source.reach` first."""
    with tracer(chosen, steps_max) as made:
        batch: list[Entry] = []
        async for index, raw in source.entries(chosen.scope):
            batch.append(parse_entry(index, raw))
            if len(batch) == BATCH_ENTRIES:
                await made.apply(batch)
                batch = []
        await made.apply(batch)
        yield made


def _wrong_field(model: str, field: str, fields: Iterable[str]) -> WrongName:
    return WrongName(f"{model} has no figure {field}.{near(field, fields)} It has: {', '.join(fields)}.")
