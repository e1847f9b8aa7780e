"""The tables of `docs/security.md`, from what tests tried. `python -m tests.security_page` starts the services, tries
everything, and writes them."""

from __future__ import annotations

import asyncio
import logging
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from consumers.console.accounts.accounts import ROLES as ROLES_OF_ACCOUNTS
from infra.postgres.connection import connected
from infra.principals import KAFKA_PRINCIPALS
from tests.integration.consumers.console import tried_routes
from tests.integration.consumers.console.tried_routes import Tried
from tests.integration.infra.kafka import tried_acls
from tests.integration.infra.postgres import tried_outbox, tried_rights
from tests.integration.infra.postgres.tried_outbox import Decided
from tests.integration.infra.postgres.tried_rights import LIMITED, Access, Matrix
from tests.paths import ROOT
from tests.stack import TestStack, corner, folder_in_memory, services

PAGE: Final = ROOT / "docs" / "security.md"
ROLES: Final = "database roles"
ACLS: Final = "kafka users"
OUTBOX: Final = "platform events"
CONSOLE: Final = "console roles"
_PATHS_MAX: Final = 4
"""More paths of a room that answer alike are shown as the room."""


def block(name: str) -> str:
    """The table of this name on the page."""
    found = _pattern(name).search(PAGE.read_text(encoding="utf-8"))
    assert found is not None, f"docs/security.md has no table {name}"
    return found[2]


def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(f"(<!-- {name} -->\n)(.*?)(<!-- end of {name} -->)", re.DOTALL)


def role_table(found: Matrix) -> str:
    """Tables down, roles across. Tables of a schema in which every role may do the same are one row."""
    rows = {}
    for table in dict.fromkeys(table for _, table in found):
        cells = tuple(_letters(found[principal, table]) for principal in LIMITED)
        rows[table] = cells
    return _table(["table", *LIMITED], [[name, *cells] for name, cells in _merged(rows).items()])


def _merged(rows: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The most frequent row of a consumer's schema stands for its tables."""
    merged: dict[str, tuple[str, ...]] = {}
    for schema in dict.fromkeys(name.split(".")[0] for name in rows):
        own = {name: cells for name, cells in rows.items() if name.startswith(f"{schema}.")}
        usual = max(own.values(), key=list(own.values()).count)
        if list(own.values()).count(usual) > 5 and schema not in ("log", "platform"):
            others = " (others)" if len(set(own.values())) > 1 else ""
            own = {name: cells for name, cells in own.items() if cells != usual} | {f"{schema}.*{others}": usual}
        merged |= own
    return merged


def _letters(access: Access) -> str:
    """`S I U D`; a small letter for some columns only."""
    return "".join(
        letter
        for letter, given in (
            ("S", access.reads and not access.reads_some),
            ("s", access.reads_some),
            ("I", access.inserts),
            ("U", access.updates and not access.updates_some),
            ("u", access.updates_some),
            ("D", access.deletes),
        )
        if given
    )


def acl_table(found: Mapping[tuple[str, str], Sequence[str]]) -> str:
    topics = dict.fromkeys(topic for _, topic in found)
    rows = [[topic, *(", ".join(found[user, topic]) for user in KAFKA_PRINCIPALS)] for topic in topics]
    return _table(["topic", *KAFKA_PRINCIPALS], rows)


def outbox_table(found: Decided) -> str:
    types = dict.fromkeys(type_ for _, type_ in found)
    writers = [principal for principal in LIMITED if any(found[principal, type_] for type_ in types)]
    rows = [[type_, *("yes" if found[principal, type_] else "" for principal in writers)] for type_ in types]
    return _table(["type", *writers], rows)


def console_table(found: Tried) -> str:
    """Routes down, roles across. Routes of a room and a method that answer alike are one row."""
    groups: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for route in dict.fromkeys(route for route, _ in found):
        method, _, path = route.partition(" ")
        cells: tuple[str, ...] = tuple(found[route, role] for role in ROLES_OF_ACCOUNTS)
        room = "" if set(cells) == {"yes"} else re.split("[/.?]", path)[1]
        groups.setdefault((room, method, cells), []).append(path.partition("?")[0])
    rows = []
    for room, method in dict.fromkeys((room, method) for room, method, _ in groups):
        own = {cells: paths for (*place, cells), paths in groups.items() if place == [room, method]}
        widest = max(own.values(), key=len)
        for cells, paths in own.items():
            name = f"{method} {', '.join(paths)}"
            if room and paths is widest and len(paths) > _PATHS_MAX:
                name = f"{method} /{room}/…{' (others)' if len(own) > 1 else ''}"
            rows.append([name, *cells])
    return _table(["method and page", *ROLES_OF_ACCOUNTS], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([f"`{row[0]}`", *row[1:]] for row in rows)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def main() -> None:
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it logs each refusal, and most tries are refused
    with folder_in_memory() as folder, services(folder) as stack:
        asyncio.run(_try_all(stack))


async def _try_all(stack: TestStack) -> None:
    with tempfile.TemporaryDirectory() as home:
        async with corner(stack, Path(home)) as settings, connected(settings, "page") as connection:
            tables = await tried_rights.tables_of(connection)
            _replace(ROLES, role_table(await tried_rights.tried(settings, tables)))
            _replace(OUTBOX, outbox_table(await tried_outbox.tried_types(settings)))
            _replace(ACLS, acl_table(await tried_acls.tried(settings)))
            _replace(CONSOLE, console_table(await tried_routes.tried(settings, connection)))


def _replace(name: str, table: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(_pattern(name).sub(lambda found: found[1] + table + found[3], text), encoding="utf-8")


if __name__ == "__main__":
    main()
