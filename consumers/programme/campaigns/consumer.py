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

from consumers.programme.campaigns import rows
from consumers.programme.campaigns.handlers import lifecycle, occurrences
from consumers.programme.campaigns.handlers.occurrences import Owners, quota_part
from consumers.programme.campaigns.handlers.required_keys import GROUPS, required_keys
from consumers.programme.campaigns.handlers.rules import Decision, Occurrence, contradicted, evaluate, why_not
from consumers.programme.campaigns.rules.in_force import rules_in_force, versions_of
from consumers.programme.campaigns.rules.rule import GROUP_COMPLETED, QUOTA_MET, Rule, RuleSet
from consumers.programme.projections.handlers import one_time_events, pending_events, plan, services, training
from consumers.programme.projections.handlers.outcome import Applied
from consumers.replay.fold import anomaly
from consumers.replay.fold.anomaly import Anomaly
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.past_rows import SQL_FILE as PAST_ROWS
from consumers.replay.fold.version import version_of
from events.wire.entry import TYPE_PREFIX, Entry
from infra.postgres.outbox import OutboxEvent
from infra.postgres.unit_of_work import UnitOfWork


@dataclass(slots=True)
class BatchContext:
    """One batch: its rows, the rules, and the events to publish."""

    ws: UnitOfWork
    rules: RuleSet
    decided: list[OutboxEvent] = field(default_factory=list)
    tallies: training.Tallies = field(default_factory=dict)
    seats_left: dict[training.CounterKey, int | None] = field(default_factory=dict)

    def evaluate(self, occurrence: Occurrence, index: int, *, once: str | None = None) -> None:
        """Evaluate the rules about this at entry `index`; with `once` each fires at most once for that name."""
        for rule in self.rules.about(occurrence.moment):
            before = once is not None and self.has_fired(rule, once)
            owner = self._owners(rule, occurrence.agency).of(rule, occurrence.agency)
            decision = evaluate(rule, occurrence, owner, fired_before=before)
            self.record(decision, index)
            proposal = decision.proposal
            if proposal is not None:
                if once is not None:
                    self.ws.put(rows.ONCE, rows.FiredOnce(rule.name, once, proposal.campaign_id, index))
                self.decided.append(lifecycle.decide(self.ws, proposal, self.rules.version, index))

    def contradict(self, found: Anomaly, moment: str) -> None:
        """The fact changed nothing, so no rule about it fires."""
        for rule in self.rules.about(moment):
            self.record(contradicted(rule.name, found.index, found.rule), found.found_index)

    def has_fired(self, rule: Rule, once: str) -> bool:
        """Whether a rule that fires once has fired for this name."""
        return self.ws.get(rows.ONCE, rule.name, once) is not None

    def record(self, decision: Decision, index: int) -> None:
        """Store an evaluation at entry `index`, with its reason."""
        campaign_id = decision.proposal.campaign_id if decision.proposal else None
        row = rows.Evaluation(
            rule=decision.rule,
            cause_index=decision.cause_index,
            part=decision.part,
            rules_version=self.rules.version,
            fired=campaign_id is not None,
            campaign_id=campaign_id,
            reason=dict(decision.reason),
            index=index,
        )
        self.ws.append(rows.EVALUATION, row)

    def count(self, filled: Sequence[training.CounterKey] = ()) -> None:
        """Count the certificates tallied so far, before the counts are read or changed.

        They are evaluations of their quotas that did not fire, but for those of `filled`, which are evaluated next.
        """
        if not self.tallies:
            return
        before = {key: training.counted(self.ws, key, 0).certified for key in self.seats_left if key not in filled}
        training.count_certified(self.ws, self.tallies)
        for key, certified in before.items():
            counted = self.ws.get(training.TRAINING_COUNT, *key)
            quota = self.ws.get(training.QUOTA, *key)
            if counted is not None and quota is not None and counted.certified > certified:
                self._count_evaluations(key, counted, counted.certified - certified, quota.seats)
        self.tallies.clear()

    def _count_evaluations(
        self, key: training.CounterKey, counted: training.TrainingCount, number: int, seats: int
    ) -> None:
        """Add `number` certificates, the last that were counted, to the runs of their quota."""
        part, figure = quota_part(key), counted.certified - counted.revoked
        for rule in self.rules.about(QUOTA_MET):
            why = why_not(figure, seats, fired_before=self.has_fired(rule, part)) or "below"
            known = self.ws.get(rows.EVALUATION_RUN, rule.name, part, why)
            row = known or rows.EvaluationRun(rule.name, part, why, self._first_of(key), 0, 0, None, None)
            row.last_index = counted.last_index
            row.count += number
            row.figure, row.target = figure, seats
            self.ws.put(rows.EVALUATION_RUN, row)

    def _first_of(self, key: training.CounterKey) -> int:
        """The first entry of the tallies that counts here."""
        tallies = self.tallies.items()
        return min(tally.first_index for (on, track), tally in tallies if key in training.counters_of(on, track))

    def forget_seats(self) -> None:
        """Drop the cached seats, before a quota or a revocation changes them."""
        self.count()
        self.seats_left.clear()

    def apply_campaign(self, entry: Entry) -> None:
        """Apply an agency's event about a campaign."""
        found = lifecycle.apply(self.ws, entry)
        if found is not None:
            anomaly.report(self.ws, found)

    def _owners(self, rule: Rule, agency: str) -> Owners:
        """The office, and the name of the owner where the rule's texts need it."""
        office = self.ws.get(rows.OFFICE, rows.SLOT) if rule.owner == "office" else None
        code = None if office is None else office.code
        if "owner" not in rule.placeholders:
            return Owners(code)
        named = self.ws.get(rows.AGENCY_NAME, code or agency)
        return Owners(code, {} if named is None else {named.code: named.name})


def campaigns_consumer(rules: Callable[[], RuleSet]) -> Consumer:
    """The consumer with these rules, which are read when it first applies something."""
    return Consumer(
        name="campaigns",
        schema="campaigns",
        tables=(*rows.TABLES, *anomaly.TABLES, *chain.from_iterable(module.TABLES for module in _SHARED)),
        sql_files=(
            *rows.SQL_FILES,
            anomaly.SQL_FILE,
            PAST_ROWS,
            *chain.from_iterable(module.SQL_FILES for module in _SHARED),
        ),
        required_keys=lambda ws, entries: required_keys(ws, entries, names=rules().names_owner),
        fold=lambda ws, entries: fold(rules(), ws, entries),
        version=version_of("campaigns"),
        rules=lambda: versions_of(rules()),
    )


def fold(rules: RuleSet, ws: UnitOfWork, entries: Sequence[Entry]) -> list[OutboxEvent]:
    """Apply a batch; returns the platform's events that it decides, in order."""
    context = BatchContext(ws, rules)
    for entry in entries:
        handle = _HANDLERS.get(entry.type)
        if handle is not None:
            handle(context, entry)
    context.count()
    return context.decided


_UNREAD: Final = -1
"""Of seats that were not looked up yet: a quota that waits has at least one left."""


def _certified(context: BatchContext, entry: Entry) -> None:
    """Tally a certificate, the most frequent entry; counts are read only when it fills the last seat of a quota."""
    keys = training.counters_of(entry.data["on"], entry.data["track"])
    seats_left = context.seats_left
    fills = False
    for key in keys:
        left = seats_left.get(key, _UNREAD)
        if left == _UNREAD:
            left = _seats_left(context, key)
        if left is not None:
            left -= 1
            fills = fills or left == 0
        seats_left[key] = left
    if fills:
        context.count()
    if training.certify(context.ws, entry, context.tallies) is not None:
        _certified_again(context, entry, keys)
    elif fills:
        filled = [key for key in keys if seats_left[key] == 0]
        context.count(filled)
        for key in filled:
            _evaluate_quota(context, entry, key)
            seats_left[key] = None


def _certified_again(context: BatchContext, entry: Entry, keys: Sequence[training.CounterKey]) -> None:
    """An anomaly: it takes no seat."""
    for key in keys:
        left = context.seats_left[key]
        context.seats_left[key] = None if left is None else left + 1
        if context.ws.get(training.QUOTA, *key) is None:
            continue
        for rule in context.rules.about(QUOTA_MET):
            part, why, index = quota_part(key), "contradicted", entry.index
            known = context.ws.get(rows.EVALUATION_RUN, rule.name, part, why)
            row = known or rows.EvaluationRun(rule.name, part, why, index, index, 0, None, None)
            row.last_index = index
            row.count += 1
            context.ws.put(rows.EVALUATION_RUN, row)


def _seats_left(context: BatchContext, key: training.CounterKey) -> int | None:
    """Seats of a quota minus the net certificates; None where no rule waits for it: no quota, or all have fired."""
    quota = context.ws.get(training.QUOTA, *key)
    if quota is None or quota.seats <= 0:
        return None
    part = quota_part(key)
    if all(context.has_fired(rule, part) for rule in context.rules.about(QUOTA_MET)):
        return None
    return quota.seats - net_of(context.ws, key)


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
    quota = context.ws.get(training.QUOTA, *key)
    seats = quota.seats if quota else 0
    occurrence = occurrences.of_quota(entry, key, net_of(context.ws, key), seats)
    context.evaluate(occurrence, entry.index, once=occurrence.part)


def net_of(ws: UnitOfWork, key: training.CounterKey) -> int:
    """Certificates of a counter that were not revoked."""
    counted = training.counted(ws, key, 0)
    return counted.certified - counted.revoked


def _planned(context: BatchContext, entry: Entry) -> None:
    _keep_office(context.ws, entry.agency, entry.index)
    for outcome in plan.apply(context.ws, entry):
        if isinstance(outcome, Applied):
            for group in GROUPS:
                _evaluate_group(context, entry, outcome.data["plan_id"], group)


def _evaluate_group(context: BatchContext, entry: Entry, plan_id: str, group: int) -> None:
    """Evaluate whether the group of the shown plan reached its target at this entry."""
    shown = plan.shown(context.ws)
    if shown is None or shown.plan_id != plan_id or not context.rules.about(GROUP_COMPLETED):
        return
    counted = context.ws.get(services.SERVICE_GROUP, plan_id, group)
    target = plan.group_target(shown, group)
    occurrence = occurrences.of_group(entry, plan_id, group, counted.launched if counted else 0, target)
    context.evaluate(occurrence, entry.index, once=f"{plan_id}/{group}")


def _service(context: BatchContext, entry: Entry) -> None:
    for outcome in services.apply(context.ws, entry):
        if isinstance(outcome, Anomaly):
            context.contradict(outcome, outcome.type.removeprefix(TYPE_PREFIX).removesuffix(".v1"))
            continue
        if outcome.type == "service.launched":
            lifecycle.launched(context.ws, outcome)
        elif outcome.type == "service.suspended":
            context.decided.extend(lifecycle.suspended(context.ws, outcome))
        elif outcome.type == "service.resumed":
            context.decided.extend(lifecycle.resumed(context.ws, outcome))
        service = context.ws.get(services.SERVICE, outcome.data["service_id"])
        assert service is not None, "what took effect is registered"
        if context.rules.about(outcome.type):
            context.evaluate(occurrences.of_service(outcome, service), entry.index)
        if outcome.type == "service.launched":
            _evaluate_group(context, entry, service.plan_id, service.group_number)


def _announced(context: BatchContext, entry: Entry) -> None:
    for outcome in one_time_events.apply(context.ws, entry):
        if isinstance(outcome, Anomaly):
            context.contradict(outcome, entry.type)
        elif context.rules.about(entry.type):
            context.evaluate(occurrences.of_announcement(entry), entry.index)


def _registered(context: BatchContext, entry: Entry) -> None:
    code = entry.data["code"]
    if context.ws.get(rows.AGENCY_NAME, code) is None:
        context.ws.put(rows.AGENCY_NAME, rows.AgencyName(code, entry.data["name"], entry.index))
    if entry.data["role"] == "office":
        _keep_office(context.ws, code, entry.index)


def _keep_office(ws: UnitOfWork, code: str, index: int) -> None:
    """Keep the first office of the log.

    Its registration comes first in the log, but not in the order of `occurredtime`: there its first plan or quota,
    which only an office may send, may come before it.
    """
    if ws.get(rows.OFFICE, rows.SLOT) is None:
        ws.put(rows.OFFICE, rows.Office(rows.SLOT, code, index))


_HANDLERS: Final[dict[str, Callable[[BatchContext, Entry], None]]] = {
    "training.certified": _certified,
    "training.revoked": _revoked,
    "training.quota-set": _quota_set,
    **dict.fromkeys(plan.TYPES, _planned),
    **dict.fromkeys(services.TYPES, _service),
    **dict.fromkeys(one_time_events.TYPES, _announced),
    **dict.fromkeys(lifecycle.REPORTS, BatchContext.apply_campaign),
    "campaign.triggered": lambda context, entry: context.decided.extend(lifecycle.enter_log(context.ws, entry)),
    **dict.fromkeys(lifecycle.NOTICES, lambda context, entry: lifecycle.note(context.ws, entry)),
    "registry.agency-registered": _registered,
}

_SHARED: Final = (plan, services, pending_events, training, one_time_events)

CONSUMER: Final = campaigns_consumer(rules_in_force)
