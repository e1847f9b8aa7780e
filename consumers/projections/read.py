"""What the projections' tables say, in the shapes of events.md §5. `search_path` decides which tables are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from infra.postgres import Connection
from infra.sql import queries

_SQL: Final = queries("consumers.projections", "read.sql")
GROUPS: Final = (1, 2, 3)
COUNTS: Final = ("registered", "launched", "live", "suspended", "retired")

Row = Mapping[str, Any]


async def progress(connection: Connection) -> dict[str, Any]:
    """The projections' own part of `yesser plan`: all but `log_index`, `awareness`, `partnerships`, `anomalies`."""
    plan = await connection.fetchrow(_SQL["shown"])
    plan_id = None if plan is None else plan["plan_id"]
    targets = None if plan is None else plan["targets"]
    (infrastructure,) = await connection.fetch(_SQL["infrastructure"], plan_id)
    applications = await connection.fetch(_SQL["applications"], plan_id)
    return {
        "plan_id": plan_id,
        "infrastructure": {"target": targets["infrastructure_projects"] if targets else 0, **dict(infrastructure)},
        "national_applications": {
            "target": targets["national_applications"] if targets else 0,
            "projects": [dict(row) for row in applications],
        },
        "services": service_groups(targets, await connection.fetch(_SQL["groups"], plan_id)),
        "training": [dict(row) for row in await connection.fetch(_SQL["training"])],
        "refusals": await connection.fetchval(_SQL["refusals"]),
    }


def service_groups(targets: Mapping[str, Any] | None, rows: Iterable[Row]) -> dict[str, Any]:
    """`services` of `yesser plan`: all groups have the same six keys, whether anything is registered in them or not."""
    known = {row["group_number"]: row for row in rows}
    groups = {}
    for number in GROUPS:
        row = known.get(number)
        target = targets["services"][str(number)] if targets else 0
        groups[str(number)] = {"target": target, **{name: row[name] if row else 0 for name in COUNTS}}
    return {"target": sum(group["target"] for group in groups.values()), "groups": groups}


async def plan_name(connection: Connection) -> dict[str, Any] | None:
    """`{name: L, starts_on, ends_on}` of the shown plan, for people."""
    row = await connection.fetchrow(_SQL["shown"])
    return None if row is None else {key: row[key] for key in ("name", "starts_on", "ends_on")}


async def launched_services(connection: Connection) -> int:
    """Services ever launched, of any plan."""
    count: int = await connection.fetchval(_SQL["launched_services"])
    return count


async def anomalies_count(connection: Connection) -> int:
    """How many anomalies the consumer in `search_path` found."""
    count: int = await connection.fetchval(_SQL["anomalies_count"])
    return count


async def anomalies(connection: Connection) -> list[dict[str, Any]]:
    """The anomalies that the consumer in `search_path` found, in no particular order."""
    return [dict(row) for row in await connection.fetch(_SQL["anomalies"])]


async def history(connection: Connection, subject: str) -> list[dict[str, Any]]:
    """The steps of a project or service (`project/…`, `service/…`) in the order in which they took effect."""
    return [dict(row) for row in await connection.fetch(_SQL["history"], subject)]


async def activity(connection: Connection) -> dict[str, Any]:
    """Accepted events per agency and type, and refused records per agency."""
    agencies: dict[str, Any] = {}
    for row in await connection.fetch(_SQL["activity"]):
        counts = agencies.setdefault(row["agency"], {"events": {}, "refusals": None})
        counts["events"][row["type"]] = {key: row[key] for key in ("count", "first_index", "last_index")}
    for row in await connection.fetch(_SQL["refusals_by_agency"]):
        counts = agencies.setdefault(row["agency"], {"events": {}, "refusals": None})
        counts["refusals"] = {key: row[key] for key in ("count", "first_index", "last_index")}
    return agencies
