"""A campaign's lifecycle: decided, in the log, acknowledged, aired, completed, paused, resumed (events.md §3, §6).

A campaign is paused exactly while its service's last `suspended` has no later `resumed`; only the service's entries
decide that. `campaign.paused` and `campaign.resumed` notify the teams; as entries they change nothing. They follow the
trigger: what happens before it is in the log waits for it, and where newer rules decide a campaign that was never
triggered, nothing is published of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from consumers.programme.campaigns.handlers.rules import Proposal, campaign_event, trigger
from consumers.programme.campaigns.handlers.texts import fill, text_in
from consumers.programme.campaigns.rows import AIRING, CAMPAIGN, COVERAGE, ROUTE, Airing, Campaign, Coverage, Route
from consumers.programme.campaigns.rules.rule import Text
from consumers.programme.projections.handlers.outcome import Applied
from consumers.replay.fold.anomaly import Anomaly, anomaly
from events.values.data import Data
from events.values.working_days import after_working_days, count_working_days, riyadh_date
from events.wire.entry import Entry
from infra.postgres.outbox import OutboxEvent
from infra.postgres.unit_of_work import UnitOfWork

_PAUSED: Final = {
    "ar": "الخدمة موقوفة بالقيد {cause}: {why}",
    "en": "The service is suspended by entry {cause}: {why}",
}
_RESUMED: Final = {
    "ar": "عادت الخدمة بالقيد {cause}؛ مُدّد الموعد بعدد أيام العمل التي توقفت فيها: {days}.",
    "en": "The service was resumed by entry {cause}; the due date moved by the working days lost: {days}.",
}
_OF_TRIGGER: Final = (
    *("campaign_id", "rule", "rules_version", "kind", "cause_index", "owner", "channels", "due_on", "brief", "reason"),
)
"""What a campaign has of its trigger as it is."""

REPORTS: Final = frozenset(
    f"awareness.campaign-{what}" for what in ("acknowledged", "aired", "airing-corrected", "completed")
)
"""What a team says of its campaign."""
NOTICES: Final = frozenset({"campaign.paused", "campaign.resumed", "campaign.escalated"})
"""What the platform says of a campaign after its trigger."""


def coverage_of(ws: UnitOfWork, service_id: str, index: int) -> Coverage:
    """The service's row, created at `index` if there is none."""
    known = ws.get(COVERAGE, service_id)
    return known or Coverage(service_id, None, None, None, 0, [], 0, 0, 0, index, index, 0)


def decide(ws: UnitOfWork, proposal: Proposal, rules_version: int, index: int) -> OutboxEvent:
    """Store a campaign that a rule decided at entry `index`; returns its trigger to publish."""
    event = trigger(proposal, rules_version)
    campaign = _begin(event.data, index)
    ws.put(CAMPAIGN, campaign)
    _join_service(ws, campaign, index)
    return event


def enter_log(ws: UnitOfWork, entry: Entry) -> list[OutboxEvent]:
    """Apply the entry `campaign.triggered`: from here on the campaign exists, with the entry's data.

    Returns what happened to its service meanwhile, to publish.
    """
    data, index = entry.data, entry.index
    campaign = ws.get(CAMPAIGN, data["campaign_id"])
    if campaign is None:
        # The fold did not decide it: a timer did, or earlier rules. The log is authoritative.
        campaign = _begin(data, index)
    elif campaign.triggered_index is None:
        _adopt(campaign, data)
    else:
        return []
    campaign.triggered_index = index
    waiting = [_announcement(campaign, _Change(**change)) for change in campaign.waiting]
    campaign.waiting = []
    _touch(ws, campaign, index)
    _join_service(ws, campaign, index)
    _add_to_route(ws, campaign, entry)
    return waiting


def note(ws: UnitOfWork, entry: Entry) -> None:
    """Count another platform event about a campaign; only an escalation changes its state."""
    campaign = ws.get(CAMPAIGN, entry.data["campaign_id"])
    if campaign is not None:
        campaign.escalated = campaign.escalated or entry.type == "campaign.escalated"
        _touch(ws, campaign, entry.index)
        _add_to_route(ws, campaign, entry)


def launched(ws: UnitOfWork, fact: Applied) -> None:
    """The service is launched: its coverage is counted from now on."""
    _change_coverage(ws, fact, launched_index=fact.index, launched_recorded=fact.recorded)


def suspended(ws: UnitOfWork, fact: Applied) -> Iterator[OutboxEvent]:
    """The service is suspended: its running campaigns are paused."""
    coverage = _change_coverage(ws, fact, suspended_from=riyadh_date(fact.recorded))
    reason = fill(_PAUSED, {"cause": f"i{fact.index}", "why": text_in(fact.data["reason"], fact.index)})
    for campaign in _running(ws, coverage):
        yield from _announce(ws, campaign, _Change("paused", fact.index, fact.recorded, campaign.days_added, reason))


def resumed(ws: UnitOfWork, fact: Applied) -> Iterator[OutboxEvent]:
    """The service is resumed: the due dates of its running campaigns move by the working days lost."""
    coverage = coverage_of(ws, fact.data["service_id"], fact.found_index)
    today = riyadh_date(fact.recorded)
    days = count_working_days(coverage.suspended_from or today, today)
    _change_coverage(ws, fact, suspended_from=None, days_suspended=coverage.days_suspended + days)
    reason = fill(_RESUMED, {"cause": f"i{fact.index}", "days": days})
    for campaign in _running(ws, coverage):
        campaign.days_added += days
        campaign.due_on = after_working_days(campaign.due_on, days)
        _touch(ws, campaign, fact.found_index)
        yield from _announce(ws, campaign, _Change("resumed", fact.index, fact.recorded, campaign.days_added, reason))


def apply(ws: UnitOfWork, entry: Entry) -> Anomaly | None:
    """Apply what a team reports about its campaign, or return the anomaly."""
    campaign = ws.get(CAMPAIGN, entry.data["campaign_id"])
    if campaign is None or campaign.triggered_index is None:
        return anomaly(entry, "unknown-campaign", {})
    if campaign.owner != entry.agency:
        return anomaly(entry, "not-owner", {"owner": campaign.owner})
    data, index = entry.data, entry.index
    airing = ws.get(AIRING, campaign.campaign_id, data["airing_id"]) if "airing_id" in data else None
    match entry.type.removeprefix("awareness.campaign-"):
        case "aired":
            if airing is not None:
                return anomaly(entry, "already-aired", {"index": airing.index})
            _air(ws, campaign, entry)
        case "airing-corrected":
            if airing is None:
                return anomaly(entry, "unknown-airing", {})
            airing.reach, airing.corrected_index = data["reach"], index
            ws.put(AIRING, airing)
        case "acknowledged":
            if campaign.acknowledged_index is not None:
                return anomaly(entry, "already-acknowledged", {"index": campaign.acknowledged_index})
            campaign.acknowledged_index = index
            campaign.acknowledged_by = data["by"]
            campaign.acknowledged_at = entry.recorded
        case "completed":
            if campaign.completed_index is not None:
                return anomaly(entry, "already-completed", {"index": campaign.completed_index})
            campaign.completed_index = index
    _touch(ws, campaign, index)
    _add_to_route(ws, campaign, entry)
    return None


def _air(ws: UnitOfWork, campaign: Campaign, entry: Entry) -> None:
    data = entry.data
    airing = Airing(
        campaign_id=campaign.campaign_id,
        airing_id=data["airing_id"],
        index=entry.index,
        channel=data["channel"],
        outlet=data["outlet"],
        aired_on=data["on"],
        reach=data["reach"],
        corrected_index=None,
    )
    ws.put(AIRING, airing)
    _add_airing(campaign, airing.channel)
    if campaign.kind == "specific" and campaign.service_id is not None:
        coverage = coverage_of(ws, campaign.service_id, entry.index)
        _add_airing(coverage, airing.channel)
        coverage.last_index = entry.index
        coverage.count += 1
        ws.put(COVERAGE, coverage)


def _add_airing(row: Campaign | Coverage, channel: str) -> None:
    setattr(row, channel, getattr(row, channel) + 1)


def _add_to_route(ws: UnitOfWork, campaign: Campaign, entry: Entry) -> None:
    """What took effect goes to the teams; an anomaly does not."""
    ws.append(ROUTE, Route(entry.index, campaign.campaign_id, entry.type, campaign.owner, campaign.service_id))


def _touch(ws: UnitOfWork, campaign: Campaign, index: int) -> None:
    campaign.state = _state(campaign)
    campaign.last_index = index
    campaign.count += 1
    ws.put(CAMPAIGN, campaign)


def _state(campaign: Campaign) -> str | None:
    if campaign.triggered_index is None:
        return None
    if campaign.completed_index is not None:
        return "completed"
    return "triggered" if campaign.acknowledged_index is None else "acknowledged"


def _join_service(ws: UnitOfWork, campaign: Campaign, index: int) -> None:
    """Add a specific campaign to its service's row, so that a suspension finds it."""
    if campaign.service_id is None:
        return
    coverage = coverage_of(ws, campaign.service_id, index)
    if campaign.campaign_id not in coverage.campaign_ids:
        coverage.campaign_ids.append(campaign.campaign_id)
        coverage.last_index = index
        coverage.count += 1
        ws.put(COVERAGE, coverage)


def _change_coverage(ws: UnitOfWork, fact: Applied, **changes: Any) -> Coverage:
    coverage = coverage_of(ws, fact.data["service_id"], fact.found_index)
    for name, value in changes.items():
        setattr(coverage, name, value)
    coverage.last_index = fact.found_index
    coverage.count += 1
    ws.put(COVERAGE, coverage)
    return coverage


def _running(ws: UnitOfWork, coverage: Coverage) -> Iterator[Campaign]:
    """Campaigns of the service that are not completed, including those whose trigger is not in the log yet."""
    for campaign_id in coverage.campaign_ids:
        campaign = ws.get(CAMPAIGN, campaign_id)
        if campaign is not None and campaign.completed_index is None:
            yield campaign


@dataclass(frozen=True, slots=True)
class _Change:
    """What happened to a campaign's service at entry `index`. `days_added`: by how much the campaign was then moved."""

    kind: str
    index: int
    recorded: str
    days_added: int
    reason: Text


def _announce(ws: UnitOfWork, campaign: Campaign, change: _Change) -> Iterator[OutboxEvent]:
    """Announce a change now, or when the campaign's trigger is in the log."""
    if campaign.triggered_index is not None:
        yield _announcement(campaign, change)
    else:
        campaign.waiting.append(asdict(change))
        ws.put(CAMPAIGN, campaign)


def _announcement(campaign: Campaign, change: _Change) -> OutboxEvent:
    """`campaign.paused` or `campaign.resumed`; the id contains the service's entry, so that each one is distinct."""
    due_on = after_working_days(campaign.triggered_due_on, change.days_added)
    suffix = f".i{change.index}"
    return campaign_event(change.kind, campaign, change.recorded, change.index, change.reason, suffix, due_on=due_on)


def _adopt(campaign: Campaign, data: Data) -> None:
    """Take the entry's data, even if the current rules would decide differently."""
    for name in ("rules_version", "owner", "channels", "brief", "reason"):
        setattr(campaign, name, data[name])
    campaign.triggered_due_on = data["due_on"]
    campaign.due_on = after_working_days(data["due_on"], campaign.days_added)
    campaign.urgency = data.get("urgency", "normal")


def _begin(data: Data, index: int) -> Campaign:
    """A new campaign from its trigger's data, not in the log yet."""
    return Campaign(
        **{name: data[name] for name in _OF_TRIGGER},
        service_id=data.get("service_id"),
        triggered_due_on=data["due_on"],
        urgency=data.get("urgency", "normal"),
        first_index=index,
        last_index=index,
    )
