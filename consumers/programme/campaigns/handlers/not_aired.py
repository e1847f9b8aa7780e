"""The moment `not-aired`: a launched service without an airing on a channel, some working days after its launch.

It depends on the clock, so the fold does not decide it: the timers ask here, and publish what they get. The trigger's
id, time and texts follow from the rows alone, so asking again at any later time gives the same event.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime
from typing import Final

from consumers.programme.campaigns.handlers.occurrences import Owners, service_parts
from consumers.programme.campaigns.handlers.rules import Proposal, proposal
from consumers.programme.campaigns.rows import Coverage
from consumers.programme.campaigns.rules.rule import NOT_AIRED, Rule
from consumers.programme.projections.handlers.services import Service
from events.values.working_days import after_working_days, riyadh_date
from events.wire.entry import recorded_time

MEDIA: Final = {
    "tv": {"ar": "التلفزيون", "en": "television"},
    "radio": {"ar": "الإذاعة", "en": "radio"},
    "print": {"ar": "الصحافة", "en": "print"},
}
_MIDNIGHT_IN_RIYADH: Final = "T21:00:00.000000Z"


def campaign_id(rule: Rule, launched_index: int, channel: str) -> str:
    """The id of the campaign for a launch and a channel: there is only one."""
    return f"{rule.name}.i{launched_index}.{channel}"


def due_at(rule: Rule, coverage: Coverage) -> str | None:
    """When the rule comes due for a service, in the form of `recordedtime`; None while it is not launched or suspended.

    That is 00:00 in Riyadh after the last working day: counted from the launch's recorded date, without the working
    days on which the service was suspended.
    """
    if coverage.launched_recorded is None or coverage.suspended_from is not None:
        return None
    days = rule.after_working_days + coverage.days_suspended
    return after_working_days(riyadh_date(coverage.launched_recorded), days) + _MIDNIGHT_IN_RIYADH


def not_aired(
    rule: Rule,
    channel: str,
    service: Service,
    coverage: Coverage,
    known: Container[str],
    owners: Owners,
    now: datetime,
) -> Proposal | None:
    """The campaign that `rule`, one about `not-aired`, proposes for a service and a channel at `now`; None if none.

    `known` holds the ids of the service's campaigns: none is proposed twice. A retired service has none.
    """
    due = due_at(rule, coverage)
    index = service.launched_index
    if rule.when != NOT_AIRED or channel not in rule.channels or index is None or service.retired:
        return None
    if due is None or recorded_time(now) < due or getattr(coverage, channel) > 0:
        return None
    name = campaign_id(rule, index, channel)
    if name in known:
        return None
    owner = owners.of(rule, service.owner)
    if owner is None:
        return None
    parts = {
        **service_parts(service),
        "cause": f"i{index}",
        "owner": owner.name,
        "medium": MEDIA[channel],
        "days": rule.after_working_days,
    }
    return proposal(rule, name, index, due, owner, service.service_id, (channel,), parts)
