"""The rows that a batch needs: by kind of entry, in two rounds.

Rows that all entries of a kind share are requested once per batch, because certificates are very frequent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

from consumers.programme.campaigns import rows
from consumers.programme.campaigns.handlers.lifecycle import NOTICES, REPORTS
from consumers.programme.projections.handlers import one_time_events, plan, services, training
from consumers.replay.fold.anomaly import COUNTED
from events.wire.entry import Entry
from infra.postgres.unit_of_work import ALL, Need, UnitOfWork

GROUPS: Final = (1, 2, 3)


def required_keys(ws: UnitOfWork, entries: Sequence[Entry], *, names: bool) -> Iterator[Iterable[Need]]:
    """The second round depends on the services, campaigns and certificates that the first one brought.

    `names`: a rule names owners, so the names of the agencies are needed too.
    """
    first = training.certified_keys(entry for entry in entries if entry.type == "training.certified")
    kinds = {"training.certified"} if first else set()
    for entry in entries:
        asks = _FIRST.get(entry.type)
        if asks is not None:
            kinds.add(entry.type)
            first.update(asks(entry))
    first.update(chain.from_iterable(_SHARED.get(kind, ()) for kind in kinds))
    if names and not kinds.isdisjoint(_RULED):
        first.add(_NAMES)
    yield first
    if kinds.isdisjoint(_SECOND):
        return
    yield chain.from_iterable(_SECOND[entry.type](ws, entry) for entry in entries if entry.type in _SECOND)


def _plan(entry: Entry) -> Iterator[Need]:
    yield from plan.required_keys(entry)
    yield from ((services.SERVICE_GROUP, (entry.data["plan_id"], group)) for group in GROUPS)


def _service(entry: Entry) -> Iterator[Need]:
    yield from services.required_keys(entry)
    yield rows.COVERAGE, (entry.data["service_id"],)


def _service_after(ws: UnitOfWork, entry: Entry) -> Iterator[Need]:
    yield from services.dependent_keys(ws, entry)
    coverage = ws.get(rows.COVERAGE, entry.data["service_id"])
    if coverage is not None:
        yield from ((rows.CAMPAIGN, (campaign_id,)) for campaign_id in coverage.campaign_ids)


def _campaign(entry: Entry) -> Iterator[Need]:
    """Keys of an event about a campaign, from its team or the platform."""
    yield rows.CAMPAIGN, (entry.data["campaign_id"],)
    yield COUNTED
    if "service_id" in entry.data:
        yield rows.COVERAGE, (entry.data["service_id"],)
    if "airing_id" in entry.data:
        yield rows.AIRING, (entry.data["campaign_id"], entry.data["airing_id"])


def _airing_after(ws: UnitOfWork, entry: Entry) -> Iterator[Need]:
    campaign = ws.get(rows.CAMPAIGN, entry.data["campaign_id"])
    if campaign is not None and campaign.service_id is not None:
        yield rows.COVERAGE, (campaign.service_id,)


def _agency(entry: Entry) -> tuple[Need, ...]:
    return ((rows.AGENCY_NAME, (entry.data["code"],)),)


_FIRST: Final[dict[str, Callable[[Entry], Iterator[Need] | tuple[Need, ...]]]] = {
    "training.revoked": training.required_keys,
    "training.quota-set": training.required_keys,
    **dict.fromkeys(plan.TYPES, _plan),
    **dict.fromkeys(services.TYPES, _service),
    **dict.fromkeys(one_time_events.TYPES, one_time_events.required_keys),
    **dict.fromkeys({*REPORTS, "campaign.triggered", *NOTICES}, _campaign),
    "registry.agency-registered": _agency,
}

_SECOND: Final[dict[str, Callable[[UnitOfWork, Entry], Iterator[Need]]]] = {
    "training.revoked": training.dependent_keys,
    **dict.fromkeys(services.TYPES, _service_after),
    "awareness.campaign-aired": _airing_after,
}

# Quotas, their runs, agencies and what has fired once are few: all of them, rather than some for each entry.
_OFFICE: Final[Need] = (rows.OFFICE, (rows.SLOT,))
_ONCE: Final[Need] = (rows.ONCE, ALL)
_QUOTAS: Final[Need] = (training.QUOTA, ALL)
_RUNS: Final[Need] = (rows.EVALUATION_RUN, ALL)
_NAMES: Final[Need] = (rows.AGENCY_NAME, ALL)

_RULED: Final = training.TYPES | plan.TYPES | services.TYPES | one_time_events.TYPES
"""The types about which there can be a rule."""

_SHARED: Final[dict[str, tuple[Need, ...]]] = {
    **dict.fromkeys(training.TYPES, (_QUOTAS, _RUNS, _OFFICE, _ONCE)),
    **dict.fromkeys(plan.TYPES, (plan.SHOWN, _OFFICE, _ONCE)),
    **dict.fromkeys(services.TYPES, (plan.SHOWN, _OFFICE, _ONCE)),
    **dict.fromkeys(one_time_events.TYPES, (_OFFICE,)),
    "registry.agency-registered": (_OFFICE,),
}
