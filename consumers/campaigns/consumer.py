"""Campaigns: folds the plan, the services and the training figures into its own tables, and evaluates the rules on what
took effect.

Flows in: entries. Flows out: campaigns with their state, every evaluation with its reason, and the platform's events
`campaign.triggered`, `campaign.paused` and `campaign.resumed`. It reports anomalies of campaign events only; those of
plans, services and certificates are the projections'.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from consumers.campaigns import rows
from consumers.campaigns.handlers import lifecycle
from consumers.campaigns.handlers.required_keys import GROUPS, INITIATIVE, required_keys
from consumers.campaigns.handlers.rules import (
    DEFAULT_RULES,
    RULES_VERSION,
    Decision,
    RuleInput,
    contradicted,
    evaluate,
)
from consumers.campaigns.rows import EVALUATION, OFFICE, ONCE, SLOT, Evaluation, FiredOnce, Office
from consumers.fold.anomaly import ANOMALY, Anomaly
from consumers.fold.consumer import Consumer
from consumers.fold.version import version_of
from consumers.projections.handlers import one_time_events, pending_events, plan, services, training
from consumers.projections.handlers.outcome import Applied
from events.errors import Halt
from events.wire.entry import Entry
from infra.postgres.outbox import OutboxEvent
from infra.postgres.unit_of_work import UnitOfWork

_TRACKS: Final = {
    "usage": {"ar": "الاستخدام", "en": "usage"},
    "specialist": {"ar": "التخصص", "en": "specialist"},
    "leadership": {"ar": "القيادة", "en": "leadership"},
}
_YEARS: Final = {
    "gregorian": {"ar": "{} م", "en": "{} CE"},
    "umm-al-qura": {"ar": "{} هـ", "en": "{} AH"},
}


@dataclass(slots=True)
class BatchContext:
    """One batch: its rows, and the events to publish."""

    ws: UnitOfWork
    decided: list[OutboxEvent] = field(default_factory=list)
    tallies: training.Tallies = field(default_factory=dict)
    seats_left: dict[training.CounterKey, int | None] = field(default_factory=dict)

    def evaluate(self, occurrence: RuleInput, index: int, *, once: str | None = None) -> None:
        """Evaluate the rule at entry `index`; with `once` it fires at most once for that name."""
        before = once is not None and self.ws.get(ONCE, occurrence.rule, once) is not None
        decision = evaluate(_RULES[occurrence.rule], occurrence, fired_before=before)
        self.record(decision)
        proposal = decision.proposal
        if proposal is not None:
            if once is not None:
                self.ws.put(ONCE, FiredOnce(occurrence.rule, once, proposal.campaign_id, index))
            self.decided.append(lifecycle.decide(self.ws, proposal, index))

    def record(self, decision: Decision) -> None:
        """Store an evaluation with its reason."""
        campaign_id = decision.proposal.campaign_id if decision.proposal else None
        row = Evaluation(
            rule=decision.rule,
            cause_index=decision.cause_index,
            part=decision.part,
            rules_version=RULES_VERSION,
            fired=campaign_id is not None,
            campaign_id=campaign_id,
            reason=dict(decision.reason),
        )
        self.ws.append(EVALUATION, row)

    def count(self) -> None:
        """Count the certificates tallied so far, before the counts are read or changed."""
        training.count_certified(self.ws, self.tallies)
        self.tallies.clear()

    def forget_seats(self) -> None:
        """Drop the cached seats, before a quota or a revocation changes them."""
        self.count()
        self.seats_left.clear()

    def apply_campaign(self, entry: Entry) -> None:
        """Apply an agency's event about a campaign."""
        found = lifecycle.apply(self.ws, entry)
        if found is not None:
            self.ws.append(ANOMALY, found)


def fold(ws: UnitOfWork, entries: Sequence[Entry]) -> list[OutboxEvent]:
    """Apply a batch; returns the platform's events that it decides, in order."""
    context = BatchContext(ws)
    for entry in entries:
        handle = _HANDLERS.get(entry.type)
        if handle is not None:
            handle(context, entry)
    context.count()
    return context.decided


def _certified(context: BatchContext, entry: Entry) -> None:
    """Tally a certificate, the most frequent entry; counts are read only when it fills the last seat of a quota."""
    if training.certify(context.ws, entry, context.tallies) is not None:
        return
    keys = training.counters_of(entry.data["on"], entry.data["track"])
    for key in keys:
        if key not in context.seats_left:
            context.seats_left[key] = _seats_left(context.ws, key)
    for key in keys:
        left = context.seats_left[key]
        if left is not None and left > 1:
            context.seats_left[key] = left - 1
        elif left is not None:
            context.count()
            _evaluate_quota(context, entry, key)
            context.seats_left[key] = None


def _seats_left(ws: UnitOfWork, key: training.CounterKey) -> int | None:
    """Seats of a quota minus the net certificates; None if there is no quota, or it was reached."""
    quota = ws.get(training.QUOTA, *key)
    if quota is None or quota.seats <= 0 or ws.get(ONCE, "quota-met", _quota_part(key)) is not None:
        return None
    return quota.seats - _net(ws, key)


def _quota_set(context: BatchContext, entry: Entry) -> None:
    _keep_office(context.ws, entry.agency, entry.index)
    context.forget_seats()
    training.apply(context.ws, entry)
    _evaluate_quota(context, entry, (entry.data["calendar"], entry.data["year"], entry.data["track"]))


def _revoked(context: BatchContext, entry: Entry) -> None:
    context.forget_seats()
    training.apply(context.ws, entry)


def _evaluate_quota(context: BatchContext, entry: Entry, key: training.CounterKey) -> None:
    """Evaluate whether the net certificates reached the quota's seats at this entry."""
    calendar, year, track = key
    quota = context.ws.get(training.QUOTA, *key)
    part = _quota_part(key)
    occurrence = RuleInput(
        rule="quota-met",
        cause_index=entry.index,
        recorded=entry.recorded,
        owner=_office(context.ws),
        parts={
            "track": _TRACKS[track],
            "year": {language: text.format(year) for language, text in _YEARS[calendar].items()},
        },
        part=part,
        figure=_net(context.ws, key),
        target=quota.seats if quota else 0,
    )
    context.evaluate(occurrence, entry.index, once=part)


def _net(ws: UnitOfWork, key: training.CounterKey) -> int:
    counted = ws.get(training.TRAINING_COUNT, *key)
    return counted.certified - counted.revoked if counted else 0


def _quota_part(key: training.CounterKey) -> str:
    return "-".join(map(str, key))


def _planned(context: BatchContext, entry: Entry) -> None:
    _keep_office(context.ws, entry.agency, entry.index)
    for outcome in plan.apply(context.ws, entry):
        if isinstance(outcome, Applied):
            for group in GROUPS:
                _evaluate_group(context, entry, outcome.details["plan_id"], group)


def _evaluate_group(context: BatchContext, entry: Entry, plan_id: str, group: int) -> None:
    """Evaluate whether the group of the shown plan reached its target at this entry."""
    shown = plan.shown(context.ws)
    if shown is None or shown.plan_id != plan_id:
        return
    counted = context.ws.get(services.SERVICE_GROUP, plan_id, group)
    occurrence = RuleInput(
        rule="group-completed",
        cause_index=entry.index,
        recorded=entry.recorded,
        owner=_office(context.ws),
        parts={"plan_id": plan_id, "group": group},
        part=str(group),
        figure=counted.launched if counted else 0,
        target=plan.group_target(shown, group),
    )
    context.evaluate(occurrence, entry.index, once=f"{plan_id}/{group}")


def _service(context: BatchContext, entry: Entry) -> None:
    for outcome in services.apply(context.ws, entry):
        if isinstance(outcome, Anomaly):
            if outcome.type.endswith(".service.launched.v1"):
                context.record(contradicted("service-launched", outcome.index, outcome.rule))
        elif outcome.type == "service.launched":
            _service_launched(context, entry, outcome)
        elif outcome.type == "service.suspended":
            context.decided.extend(lifecycle.suspended(context.ws, outcome))
        elif outcome.type == "service.resumed":
            context.decided.extend(lifecycle.resumed(context.ws, outcome))


def _service_launched(context: BatchContext, entry: Entry, fact: Applied) -> None:
    lifecycle.launched(context.ws, fact)
    occurrence = RuleInput(
        rule="service-launched",
        cause_index=fact.index,
        recorded=fact.recorded,
        owner=fact.details["owner"],
        parts={"name": fact.details["name"]},
        service_id=fact.data["service_id"],
    )
    context.evaluate(occurrence, entry.index)
    _evaluate_group(context, entry, fact.details["plan_id"], fact.details["group"])


def _initiative(context: BatchContext, entry: Entry) -> None:
    for outcome in one_time_events.apply(context.ws, entry):
        if isinstance(outcome, Anomaly):
            context.record(contradicted("initiative-announced", entry.index, outcome.rule))
            continue
        occurrence = RuleInput(
            rule="initiative-announced",
            cause_index=entry.index,
            recorded=entry.recorded,
            owner=entry.agency,
            parts={"name": entry.data["name"], "aim": entry.data["aim"]},
        )
        context.evaluate(occurrence, entry.index)


def _registered(context: BatchContext, entry: Entry) -> None:
    if entry.data["role"] == "office":
        _keep_office(context.ws, entry.data["code"], entry.index)


def _keep_office(ws: UnitOfWork, code: str, index: int) -> None:
    """Keep the first office of the log.

    Its registration comes first in the log, but not in the order of `occurredtime`: there its first plan or quota,
    which only an office may send, may come before it.
    """
    if ws.get(OFFICE, SLOT) is None:
        ws.put(OFFICE, Office(SLOT, code, index))


def _office(ws: UnitOfWork) -> str:
    """The first office. A quota or a plan exists, so it was kept with it at the latest."""
    office = ws.get(OFFICE, SLOT)
    if office is None:
        raise Halt("the log names no office before an event that only an office may send; run `yesser audit verify`")
    return office.code


_HANDLERS: Final[dict[str, Callable[[BatchContext, Entry], None]]] = {
    "training.certified": _certified,
    "training.revoked": _revoked,
    "training.quota-set": _quota_set,
    **dict.fromkeys(plan.TYPES, _planned),
    **dict.fromkeys(services.TYPES, _service),
    INITIATIVE: _initiative,
    "awareness.campaign-acknowledged": BatchContext.apply_campaign,
    "awareness.campaign-aired": BatchContext.apply_campaign,
    "awareness.campaign-completed": BatchContext.apply_campaign,
    "campaign.triggered": lambda context, entry: lifecycle.enter_log(context.ws, entry),
    "campaign.paused": lambda context, entry: lifecycle.note(context.ws, entry),
    "campaign.resumed": lambda context, entry: lifecycle.note(context.ws, entry),
    "campaign.escalated": lambda context, entry: lifecycle.note(context.ws, entry),
    "registry.agency-registered": _registered,
}


_RULES: Final = {rule.name: rule for rule in DEFAULT_RULES}

_SHARED: Final = (plan, services, pending_events, training, one_time_events)

CONSUMER: Final = Consumer(
    name="campaigns",
    schema="campaigns",
    tables=(*rows.TABLES, ANOMALY, *chain.from_iterable(module.TABLES for module in _SHARED)),
    sql_files=(
        *rows.SQL_FILES,
        ("consumers.fold", "anomaly.sql"),
        *chain.from_iterable(module.SQL_FILES for module in _SHARED),
    ),
    required_keys=required_keys,
    fold=fold,
    version=version_of("campaigns"),
)
