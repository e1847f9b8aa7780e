"""Every figure of every read model is what its steps add up to, and only the entries of its scope change it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.documents.log.explanations import EarlierSteps
from consumers.explain.figures import EVERYTHING, KeyFigures
from consumers.explain.models import key_text, parse_key
from consumers.explain.shown_models import SHOWN_PLAN, models, shown_plan_id
from consumers.explain.trace import Trace, tracer
from consumers.models.registry import CONSUMERS
from events.wire.entry import Entry
from tests.every import every
from tests.oracle.fold import fold
from tests.oracle.log import EntryDict
from tests.oracle.strategies import campaign_logs, mixed_logs, revenue_logs, world_logs
from tests.world.entries import entry_of
from tests.world.memory_store import MemoryStore
from tests.world.plan import plan_figures

LOGS = st.one_of(mixed_logs(most=90), revenue_logs(), campaign_logs(), world_logs())
TABLES = {
    f"{consumer.name}.{table.name}": (consumer, table) for consumer in CONSUMERS.values() for table in consumer.tables
}
SHOWN = {
    "services": "projections.service",
    "projects": "projections.project",
    "training": "projections.quota",
    "campaigns": "campaigns.campaign",
    "coverage": "campaigns.coverage",
    "partnerships": "revenue.contract",
    "statements": "revenue.statement",
    "accounts": "revenue.account",
    "activity": "projections.activity",
}
"""Name of a shown model → the table with its keys."""


def traced(found: KeyFigures, entries: Sequence[Entry], batch: int = 7, steps_max: int = 10_000) -> Trace:
    async def fold() -> Trace:
        with tracer(found, steps_max) as made:
            for first in range(0, len(entries), batch):
                await made.apply(entries[first : first + batch])
            return made.finish()

    return asyncio.run(fold())


def require_sound(trace: Trace) -> None:
    """The steps lead from the start to the end, without a gap, and the stored rows say the same."""
    values = dict(trace.start)
    for step in trace.steps:
        assert step.changes
        for name, change in step.changes.items():
            assert change.before == values[name] != change.after
            values[name] = change.after
    assert values == trace.end == trace.stored


def sums_of(trace: Trace) -> dict[str, int]:
    """What the steps of each figure that is a whole number add up to."""
    sums = {
        name: trace.start[name] or 0
        for name, value in trace.end.items()
        if isinstance(value, int) and not isinstance(value, bool)
    }
    for step in trace.steps:
        for name, change in step.changes.items():
            if name in sums:
                sums[name] += (change.after or 0) - (change.before or 0)
    return sums


@settings(deadline=None, max_examples=120)
@given(LOGS, st.data())
def test_the_steps_of_a_row_lead_to_what_the_fold_wrote_and_only_entries_of_its_scope_change_it(
    log: list[EntryDict], data: st.DataObject
) -> None:
    entries = [entry_of(made) for made in log]
    name = data.draw(st.one_of(st.sampled_from([*TABLES]), st.sampled_from([*SHOWN])))
    model = models()[name]
    consumer, table = TABLES[SHOWN.get(name, name)]
    store = MemoryStore()
    store.apply(consumer, entries)
    rows: list[Any] = store.rows(table)
    if not rows:
        return
    row = data.draw(st.sampled_from(rows))
    key = model.parse(key_text(table.key_of(row)))
    assert key is not None
    found = model.figures(key, None)
    trace = traced(found, entries)
    require_sound(trace)
    assert trace.exists
    if name in SHOWN:
        assert tuple(found.figures) == model.fields
    else:
        assert key == table.key_of(row)
        own = [column for column in table.columns if column not in table.key]
        assert {column: trace.end[column] for column in own} == {column: getattr(row, column) for column in own}
    assert all(sums == trace.end[name] for name, sums in sums_of(trace).items())
    alone = traced(found, [entry for entry in entries if found.scope.has(entry)], batch=64)
    assert (alone.steps, alone.end) == (trace.steps, trace.end)


@settings(deadline=None, max_examples=30)
@given(LOGS, st.data())
def test_every_figure_of_the_plan_is_the_oracles(log: list[EntryDict], data: st.DataObject) -> None:
    entries = [entry_of(made) for made in log]
    expected = plan_figures(fold(log).plan)
    plan_id = traced(SHOWN_PLAN, entries).end["plan_id"]
    assert shown_plan_id(entry for entry in entries if SHOWN_PLAN.scope.has(entry)) == plan_id
    model = models()["plan"]
    text = data.draw(st.sampled_from([*expected]))
    key = model.parse(text)
    assert key is not None
    found = model.figures(key, plan_id)
    alone = [entry for entry in entries if found.scope.has(entry)]
    trace = traced(found, alone)
    require_sound(trace)
    assert trace.end == expected[text]
    if found.scope != EVERYTHING:
        assert traced(found, entries).steps == trace.steps


@settings(deadline=None, max_examples=20)
@given(revenue_logs(), st.integers(0, 5))
def test_the_steps_that_are_not_kept_are_summed_up(log: list[EntryDict], steps_max: int) -> None:
    entries = [entry_of(made) for made in log]
    signed = next((entry for entry in entries if entry.type == "partnership.signed"), None)
    if signed is None:
        return
    found = models()["partnerships"].figures((signed.data["partnership_id"],), None)
    whole, short = traced(found, entries), traced(found, entries, steps_max=steps_max)
    dropped = max(0, whole.steps_count - steps_max)
    assert (short.end, short.steps_count) == (whole.end, whole.steps_count)
    assert list(short.steps) == list(whole.steps)[dropped:]
    if short.earlier is None:
        assert not dropped
    else:
        earlier = list(whole.steps)[:dropped]
        values = dict(whole.start)
        for step in earlier:
            values |= {name: change.after for name, change in step.changes.items()}
        ends = earlier[0].index, earlier[-1].index
        assert short.earlier == EarlierSteps(count=dropped, first_index=ends[0], last_index=ends[1], after=values)


@every(
    ("name", "text", "key"),
    [
        ("projections.occasion", "workshop/W-1/held", ("workshop/W-1", "held")),
        ("projections.quota", "umm-al-qura/1427/usage", ("umm-al-qura", 1427, "usage")),
        ("campaigns.once", "group-completed/FIVE-YEAR/1", ("group-completed", "FIVE-YEAR/1")),
        ("revenue.transfer", "17/0", (17, 0)),
        ("revenue.transfer", "17", None),
        ("revenue.transfer", "x/0", None),
        ("projections.service", "a/b", None),
    ],
)
def test_a_key_is_written_as_its_parts_with_slashes_between(name: str, text: str, key: tuple[Any, ...] | None) -> None:
    assert parse_key(TABLES[name][1], text) == key
    assert set(TABLES) <= set(models()), "all tables have a model"
