"""Services (events.md §3): registered, launched once, suspended and resumed, retired once, reassigned by the office.

`SERVICE` is the service directory; `SERVICE_GROUP` counts by plan and group, whatever plan is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from consumers.programme.projections.handlers.life_cycle import LifeCycle, reassign
from consumers.replay.fold.anomaly import Fact
from events.values.data import Data
from events.wire.entry import Entry
from infra.postgres.unit_of_work import Need, Table, UnitOfWork


@dataclass(slots=True)
class Service:
    """A registered service. `count` = facts that took effect, `registered` included."""

    service_id: str
    plan_id: str
    group_number: int
    name: Data
    owner: str
    launched_on: str | None = None
    launched_index: int | None = None
    channels: list[Any] | None = None
    url: str | None = None
    suspended: bool = False
    retired: bool = False
    state: str = "registered"
    first_index: int = 0
    last_index: int = 0
    count: int = 1


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
SQL_FILES: Final = (("consumers.programme.projections.handlers", "services.sql"),)


def _register(ws: UnitOfWork, entry: Entry) -> Service:
    data, index = entry.data, entry.index
    service = Service(
        service_id=data["service_id"],
        plan_id=data["plan_id"],
        group_number=data["group"],
        name=data["name"],
        owner=entry.agency,
        first_index=index,
        last_index=index,
    )
    key = service.plan_id, service.group_number
    group = ws.get(SERVICE_GROUP, *key) or ServiceGroup(*key, 0, 0, 0, 0, 0, index, index)
    group.registered += 1
    group.last_index = index
    ws.put(SERVICE_GROUP, group)
    ws.put(SERVICE, service)
    return service


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


def _state(service: Service) -> str:
    if service.retired:
        return "retired"
    if service.suspended:
        return "suspended"
    return "registered" if service.launched_index is None else "live"


def _counted(service: Service) -> tuple[int, int, int, int]:
    """What one service adds to launched, live, suspended and retired."""
    return service.launched_index is not None, service.state == "live", service.suspended, service.retired


def _count(ws: UnitOfWork, service: Service, before: tuple[int, ...], index: int) -> None:
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


def _known(service: Service) -> Data:
    return {name: getattr(service, name) for name in ("launched_index", "suspended", "retired")}


_RULES: Final[dict[str, Callable[[Service, Fact], str | None]]] = {
    "service.launched": _launch,
    "service.suspended": _suspend,
    "service.resumed": _resume,
    "service.retired": _retire,
    "service.reassigned": reassign,
}
TYPES: Final = frozenset(_RULES) | {"service.registered"}
_LIFE_CYCLE: Final = LifeCycle("service", SERVICE, _register, _RULES, _state, _known, _counted, _count)
required_keys: Final = _LIFE_CYCLE.required_keys
apply: Final = _LIFE_CYCLE.apply


def dependent_keys(ws: UnitOfWork, entry: Entry) -> Iterator[Need]:
    """Second round: what a life cycle needs, and the counters of the service's group."""
    yield from _LIFE_CYCLE.dependent_keys(ws, entry)
    service = _LIFE_CYCLE.row(ws, entry)
    if service is not None:
        yield SERVICE_GROUP, (service.plan_id, service.group_number)
    elif entry.type == "service.registered":
        yield SERVICE_GROUP, (entry.data["plan_id"], entry.data["group"])
