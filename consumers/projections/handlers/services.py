"""Services (events.md §3): registered, launched once, suspended and resumed, retired once, reassigned by the office.

`SERVICE` is the service directory; `SERVICE_GROUP` counts by plan and group, whatever plan is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from consumers.fold.anomaly import Anomaly
from consumers.projections.handlers import pending_events
from consumers.projections.handlers.outcome import AppliedAt, Fact, Outcome, applied, contradiction, found_at
from events.wire.entry import Entry
from infra.postgres.unit_of_work import Need, Table, UnitOfWork


@dataclass(slots=True)
class Service:
    """A registered service. `count` = facts that took effect, `registered` included."""

    service_id: str
    plan_id: str
    group_number: int
    name: dict[str, Any]
    owner: str
    launched_on: str | None
    launched_index: int | None
    channels: list[Any] | None
    url: str | None
    suspended: bool
    retired: bool
    first_index: int
    last_index: int
    count: int


@dataclass(slots=True)
class ServiceGroup:
    """Services that name `plan_id` and `group_number`. `launched` = ever; `live` = neither suspended nor retired."""

    plan_id: str
    group_number: int
    registered: int
    launched: int
    live: int
    suspended: int
    retired: int
    first_index: int
    last_index: int


SERVICE: Final = Table("service", Service, key=("service_id",))
SERVICE_GROUP: Final = Table("service_group", ServiceGroup, key=("plan_id", "group_number"))
TABLES: Final[tuple[Table[Any], ...]] = (SERVICE, SERVICE_GROUP)
SQL_FILES: Final = (("consumers.projections.handlers", "services.sql"),)


def required_keys(entry: Entry) -> Iterator[Need]:
    """First round: the service, and how many facts wait for it."""
    if entry.type in TYPES:
        yield SERVICE, (entry.data["service_id"],)
        yield pending_events.need(entry.subject)


def dependent_keys(ws: UnitOfWork, entry: Entry) -> Iterator[Need]:
    """Second round: the counters of its group; of one that is not registered, what `waiting` needs."""
    if entry.type not in TYPES:
        return
    service = ws.get(SERVICE, entry.data["service_id"])
    if service is not None:
        yield SERVICE_GROUP, (service.plan_id, service.group_number)
    elif entry.type == "service.registered":
        yield SERVICE_GROUP, (entry.data["plan_id"], entry.data["group"])
        yield from pending_events.need_facts(ws, entry.subject)
    else:
        yield pending_events.need_agency(entry.subject, entry.agency)


def apply(ws: UnitOfWork, entry: Entry) -> list[Outcome]:
    """Judge one entry; at `registered`, also what waited for it."""
    if entry.type not in TYPES:
        return []
    service = ws.get(SERVICE, entry.data["service_id"])
    if entry.type == "service.registered":
        return [_contradicted(service, entry)] if service is not None else _register(ws, entry)
    if service is None:
        beyond = pending_events.keep(ws, entry)
        return [] if beyond is None else [beyond]
    return [_judge(ws, service, entry, found_at(entry))]


def _contradicted(service: Service, entry: Entry) -> Anomaly:
    rule = "already-registered" if service.owner == entry.agency else "not-owner"
    return contradiction(
        entry, found_at(entry), rule, {"owner": service.owner, "registered_index": service.first_index}
    )


def _register(ws: UnitOfWork, entry: Entry) -> list[Outcome]:
    data, index = entry.data, entry.index
    service = Service(
        service_id=data["service_id"],
        plan_id=data["plan_id"],
        group_number=data["group"],
        name=data["name"],
        owner=entry.agency,
        launched_on=None,
        launched_index=None,
        channels=None,
        url=None,
        suspended=False,
        retired=False,
        first_index=index,
        last_index=index,
        count=1,
    )
    group = ws.get(SERVICE_GROUP, service.plan_id, service.group_number)
    if group is None:
        group = ServiceGroup(service.plan_id, service.group_number, 0, 0, 0, 0, 0, index, index)
    group.registered += 1
    group.last_index = index
    ws.put(SERVICE_GROUP, group)
    ws.put(SERVICE, service)
    found = found_at(entry)
    outcomes: list[Outcome] = [applied(entry, found, _details(service))]
    outcomes += [_judge(ws, service, fact, found) for fact in pending_events.take(ws, entry.subject)]
    return outcomes


def _judge(ws: UnitOfWork, service: Service, fact: Fact, found: AppliedAt) -> Outcome:
    if fact.type != "service.reassigned" and fact.agency != service.owner:
        return contradiction(fact, found, "not-owner", {"owner": service.owner})
    before = _counted(service)
    rule = _RULES[fact.type](service, fact)
    if rule is not None:
        return contradiction(fact, found, rule, _known(service))
    service.last_index = found.index
    service.count += 1
    ws.put(SERVICE, service)
    _count(ws, service, before, found.index)
    return applied(fact, found, _details(service))


def _launch(service: Service, fact: Fact) -> str | None:
    if service.launched_index is not None:
        return "already-launched"
    if service.retired:
        return "not-allowed-now"
    service.launched_on = fact.data["on"]
    service.launched_index = fact.index
    service.channels = fact.data["channels"]
    service.url = fact.data.get("url")
    return None


def _suspend(service: Service, fact: Fact) -> str | None:
    if service.suspended:
        return "already-suspended"
    if service.launched_index is None or service.retired:
        return "not-allowed-now"
    service.suspended = True
    return None


def _resume(service: Service, fact: Fact) -> str | None:
    if not service.suspended:
        return "not-allowed-now"
    service.suspended = False
    return None


def _retire(service: Service, fact: Fact) -> str | None:
    if service.retired:
        return "already-retired"
    service.retired = True
    service.suspended = False
    return None


def _reassign(service: Service, fact: Fact) -> str | None:
    service.owner = fact.data["to"]
    return None


_RULES: Final[dict[str, Callable[[Service, Fact], str | None]]] = {
    "service.launched": _launch,
    "service.suspended": _suspend,
    "service.resumed": _resume,
    "service.retired": _retire,
    "service.reassigned": _reassign,
}
TYPES: Final = frozenset(_RULES) | {"service.registered"}


def _counted(service: Service) -> tuple[int, int, int, int]:
    """What one service adds to launched, live, suspended and retired."""
    launched = service.launched_index is not None
    live = launched and not service.suspended and not service.retired
    return launched, live, service.suspended, service.retired


def _count(ws: UnitOfWork, service: Service, before: tuple[int, int, int, int], index: int) -> None:
    after = _counted(service)
    if after == before:
        return
    group = ws.get(SERVICE_GROUP, service.plan_id, service.group_number)
    if group is None:
        raise LookupError(f"service_group has no row for {service.service_id}: rebuild this consumer")
    group.launched += after[0] - before[0]
    group.live += after[1] - before[1]
    group.suspended += after[2] - before[2]
    group.retired += after[3] - before[3]
    group.last_index = index
    ws.put(SERVICE_GROUP, group)


def _known(service: Service) -> dict[str, Any]:
    return {
        "launched_index": service.launched_index,
        "suspended": service.suspended,
        "retired": service.retired,
    }


def _details(service: Service) -> dict[str, Any]:
    return {
        "service_id": service.service_id,
        "plan_id": service.plan_id,
        "group": service.group_number,
        "owner": service.owner,
        "name": service.name,
    }
