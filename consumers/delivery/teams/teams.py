"""Teams and the addresses of their desks. Addresses are in `delivery.contact` and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from consumers.delivery.recipients import not_sent, recipients_of
from consumers.delivery.teams.changes import SQL, Desk, NotAllowedNow, NotFound, limit_reached, require_open_team
from consumers.delivery.teams.inputs import NewTeam
from consumers.delivery.teams.subscriptions import end_subscriptions
from consumers.documents.document import documents_of
from consumers.documents.teams.teams import Contacts, Team
from events.values.bilingual import Bilingual
from infra.keys.team_seals import TeamSeals
from infra.postgres.connection import Connection

TEAMS_MAX: Final = 100
"""Open teams of an agency."""


async def add_team(desk: Desk, agency: str, new: NewTeam) -> None:
    """Add a team, or open a closed one again. Raises `NotFound` and `NotAllowedNow`."""
    async with desk.changing(agency, "teams add", f"{agency}/{new.team}") as connection:
        if await connection.fetchval(SQL["team_state"], agency, new.team) == "open":
            sentence = Bilingual(
                "الفريق {} موجود. لتغيير عناوينه: yesser teams contacts.",
                "The team {} exists. To change its addresses: `yesser teams contacts`, or PUT …/contacts.",
            ).format(new.team)
            raise NotAllowedNow("already-exists", sentence)
        if await connection.fetchval(SQL["teams_count"], agency) >= TEAMS_MAX:
            raise limit_reached(TEAMS_MAX, Bilingual("أغلق فريقًا لا تحتاج إليه.", "close a team that is not needed."))
        await connection.execute(SQL["put_team"], agency, new.team, new.name.model_dump(), new.language)
        await _put_contacts(connection, desk.seals, agency, new.team, new.contacts)


async def set_contacts(desk: Desk, agency: str, team: str, addresses: Sequence[str]) -> None:
    """Replace the addresses of a team, in the order in which they are written to. Raises `NotFound`."""
    async with desk.changing(agency, "teams contacts", f"{agency}/{team}", f"({len(addresses)})") as connection:
        await require_open_team(connection, agency, team)
        await _put_contacts(connection, desk.seals, agency, team, addresses)


async def close_team(desk: Desk, agency: str, team: str) -> None:
    """Close a team: its subscriptions and its calendar's address end, its webhooks are disabled, its contacts deleted.

    Raises `NotFound`.
    """
    async with desk.changing(agency, "teams close", f"{agency}/{team}") as connection:
        await require_open_team(connection, agency, team)
        for query in ("close_team", "disable_endpoints", "revoke_calendar"):
            await connection.execute(SQL[query], agency, team)
        await end_subscriptions(connection, desk.seals, agency, team)
        await _put_contacts(connection, desk.seals, agency, team, [])


async def teams_of(
    connection: Connection,
    agency: str | None,
    team: str | None = None,
    *,
    closed: bool = False,
    after: str = "",
    limit: int | None = None,
) -> list[Team]:
    """Teams by agency and code, of all agencies where `agency` is None; `closed`: also those that were closed."""
    return documents_of(Team, await connection.fetch(SQL["teams"], agency, team, closed, after, limit))


async def one_team(connection: Connection, agency: str, team: str) -> Team:
    """Raises `NotFound`."""
    rows = await teams_of(connection, agency, team, closed=True)
    if not rows:
        raise NotFound(f"the team {agency}/{team} is not known: see `yesser teams list {agency}`.")
    return rows[0]


async def contacts_of(connection: Connection, agency: str, team: str) -> Contacts:
    """Raises `NotFound`."""
    await require_open_team(connection, agency, team)
    found, now = await recipients_of(connection, agency, team), datetime.now(UTC)
    return Contacts(
        contacts=tuple(recipient.address for recipient in found),
        addresses=tuple(recipient.document(now) for recipient in found),
        not_sent=tuple(await not_sent(connection, agency, team)),
    )


async def set_domains(desk: Desk, agency: str, domains: Sequence[str]) -> None:
    """Replace the domains whose addresses need no confirmation. Raises `NotFound`."""
    async with desk.changing(agency, "teams domains", agency, *sorted(domains)) as connection:
        await connection.execute(SQL["delete_domains"], agency)
        await connection.execute(SQL["add_domains"], agency, [domain.lower() for domain in domains])


async def domains_of(connection: Connection, agency: str) -> list[str]:
    """The domains whose addresses need no confirmation."""
    return [row["domain"] for row in await connection.fetch(SQL["domains"], agency)]


async def _put_contacts(
    connection: Connection, seals: TeamSeals, agency: str, team: str, addresses: Sequence[str]
) -> None:
    """Replace the addresses, and seal the team with them: without the key nobody adds or changes one."""
    await connection.execute(SQL["delete_contacts"], agency, team)
    await connection.execute(SQL["add_contacts"], agency, team, list(addresses))
    (row,) = await connection.fetch(SQL["team_to_seal"], agency, team)
    seal = seals.seal("delivery.team", {**row, "contacts": addresses})
    await connection.execute(SQL["seal_team"], agency, team, seal)


def masked(address: str) -> str:
    """An address as an overview shows it: its first letter and its domain."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"
