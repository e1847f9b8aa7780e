"""`yesser teams`: the agencies' teams, the addresses of their desks, the calendar of their due dates."""

from __future__ import annotations

from datetime import UTC, datetime

import click
from msgspec.structs import asdict

from consumers.delivery.calendar.routes import calendar_now, new_address, revoke_address
from consumers.delivery.due_campaigns import team_of
from consumers.delivery.teams import teams as stored
from consumers.delivery.teams.changes import SQL, Desk, Row, described, put_seals, rotate_teams_key, unsealed_rows
from consumers.delivery.teams.commands.options import agency_argument, asked, change, query, team_argument
from consumers.delivery.teams.endpoints import endpoints_of
from consumers.delivery.teams.inputs import NewContacts, NewDomains, NewTeam
from consumers.delivery.teams.subscriptions import subscriptions_of
from consumers.documents.tables import grid
from consumers.documents.teams.teams import ADDRESSES, NOT_SENT, SUBSCRIPTIONS, TEAM_IN_FULL, TEAMS, TeamInFull
from consumers.documents.teams.webhooks import ACTIVE_SECRETS
from consumers.replay.as_of.query import print_list, show_names_in
from events.errors import Retry
from events.values.bilingual import Bilingual
from infra.command_line.break_glass import break_glass_option
from infra.command_line.completion import registered
from infra.command_line.display import Column, Grid, show
from infra.command_line.language import localized
from infra.command_line.output import json_option, print_confirmation, print_result
from infra.command_line.parameters import AgencyCode
from infra.keys.commands import overlap_option, prepare_option, rotate_by
from infra.keys.rotation import Rotation, prepare_hash_key
from infra.keys.team_seals import team_key_files
from infra.postgres.connection import Connection
from infra.postgres.trail import add_to_trail
from infra.settings import Settings


class RowsChanged(Retry):
    """Rows were changed while you compared them: run the command again."""


_CONTACT_HELP = "A desk's e-mail address, never a person's. Repeat it: the first is written to first, then the next."


@click.group()
def teams() -> None:
    """The teams of agencies that get campaign triggers, and the desks that they are sent to."""


@teams.command("add")
@agency_argument
@team_argument
@click.option("--name-ar", required=True, help="Its name in Arabic.")
@click.option("--name-en", required=True, help="Its name in English.")
@click.option("--contact", "contacts", multiple=True, required=True, metavar="ADDRESS", help=_CONTACT_HELP)
@click.option(
    "--language", type=click.Choice(["ar", "en"]), default="ar", show_default=True, help="What it reads first."
)
@json_option
def add(
    agency: str, team: str, name_ar: str, name_en: str, contacts: tuple[str, ...], language: str, as_json: bool
) -> None:
    """Add a team of an agency, or open a closed one again. It gets nothing until it subscribes."""
    name = {"ar": name_ar, "en": name_en}
    new = asked(NewTeam, team=team, name=name, language=language, contacts=list(contacts))
    change(lambda desk: stored.add_team(desk, agency, new))
    print_confirmation(
        {"agency": agency, "team": team, "name": name, "language": language, "contacts": len(contacts)},
        as_json,
        Bilingual(
            "أُضيف الفريق {}. ليصله شيء: yesser subscriptions add.",
            "Added: {}. To have it get something: yesser subscriptions add.",
        ).format(f"{agency}/{team}"),
    )


@teams.command("list")
@click.argument("agency", type=AgencyCode(), required=False)
@click.option("--closed", is_flag=True, help="Also teams that were closed.")
@json_option
def list_(agency: str | None, closed: bool, as_json: bool) -> None:
    """List the teams, of all agencies or of one."""
    registered(agency)
    rows = query(lambda connection: stored.teams_of(connection, agency, closed=closed))
    print_list(TEAMS, rows, as_json)


@teams.command("show")
@agency_argument
@team_argument
@json_option
def show_(agency: str, team: str, as_json: bool) -> None:
    """Show a team with its webhooks and subscriptions; of addresses, their first letter and their domain."""
    found = query(lambda connection: _in_full(connection, agency, team))
    if not as_json:
        show_names_in(found)
    print_result(
        found,
        as_json,
        lambda: show(
            grid(TEAM_IN_FULL, [found]), grid(ACTIVE_SECRETS, found.endpoints), grid(SUBSCRIPTIONS, found.subscribed)
        ),
    )


@teams.command("contacts")
@agency_argument
@team_argument
@click.option("--contact", "contacts", multiple=True, metavar="ADDRESS", help=f"Replace all. {_CONTACT_HELP}")
@json_option
def contacts_(agency: str, team: str, contacts: tuple[str, ...], as_json: bool) -> None:
    """Show the addresses of a team, or with --contact replace them all.

    Letters go only to addresses that their readers confirmed, or whose domain is registered. --contact asks the others
    again, at most once a day.
    """
    if contacts:
        new = asked(NewContacts, contacts=list(contacts))
        change(lambda desk: stored.set_contacts(desk, agency, team, new.contacts))
    found = query(lambda connection: stored.contacts_of(connection, agency, team))
    tables = [grid(ADDRESSES, found.addresses), *([grid(NOT_SENT, found.not_sent)] if found.not_sent else [])]
    print_result(found, as_json, lambda: show(*tables))


@teams.command("domains")
@agency_argument
@click.option("--domain", "domains", multiple=True, metavar="DOMAIN", help="Replace all. Repeat it for each domain.")
@click.option("--none", "is_none", is_flag=True, help="Remove all.")
@json_option
def domains_(agency: str, domains: tuple[str, ...], is_none: bool, as_json: bool) -> None:
    """Show the domains whose addresses need no confirmation, or with --domain replace them all.

    Register a domain only if the agency alone gives its addresses. Subdomains are domains of their own.
    """
    if domains and is_none:
        raise click.UsageError("Write --domain or --none, not both.")
    if domains or is_none:
        new = asked(NewDomains, domains=list(domains))
        change(lambda desk: stored.set_domains(desk, agency, new.domains))
    found = query(lambda connection: stored.domains_of(connection, agency))
    title = Bilingual("نطاقات {}", "Domains of {}").format(agency)
    rows = [[domain] for domain in found]
    print_result({"domains": found}, as_json, lambda: show(Grid(title, [Column("النطاق", "Domain")], rows)))


@teams.command("close")
@agency_argument
@team_argument
@json_option
def close(agency: str, team: str, as_json: bool) -> None:
    """Close a team.

    Its subscriptions and its calendar's address end, its webhooks are disabled, its contacts are deleted.
    """
    change(lambda desk: stored.close_team(desk, agency, team))
    sentence = Bilingual(
        "لم يعد الفريق {} يستقبل شيئًا، وحُذفت عناوينه.",
        "The team {} gets nothing more, and its addresses are deleted.",
    ).format(f"{agency}/{team}")
    print_confirmation({"agency": agency, "team": team, "state": "closed"}, as_json, sentence)


@teams.command("calendar")
@agency_argument
@team_argument
def calendar(agency: str, team: str) -> None:
    """Print a team's due dates as an iCalendar file."""

    async def feed(connection: Connection) -> bytes:
        return await calendar_now(connection, await team_of(connection, agency, team), Settings(), datetime.now(UTC))

    click.echo(query(feed), nl=False)


@teams.command("calendar-address")
@agency_argument
@team_argument
@click.option("--revoke", is_flag=True, help="End the address, and make no new one.")
@json_option
def calendar_address(agency: str, team: str, revoke: bool, as_json: bool) -> None:
    """Make the address under which a calendar program reads a team's due dates.

    It is shown once, and an earlier one ends.
    """
    if revoke:
        change(lambda desk: revoke_address(desk.connection, agency, team))
        detail = Bilingual(
            "أُلغي عنوان التقويم، ولم يعد يُقرأ به شيء.",
            "The calendar's address is revoked: nothing can be read under it any more.",
        )
        print_confirmation({"agency": agency, "team": team, "address": None}, as_json, detail)
        return
    address = change(lambda desk: new_address(desk.connection, desk.settings, agency, team))
    sentence = Bilingual(
        "أضف هذا العنوان إلى برنامج التقويم. لن يُعرض مرة أخرى، ومن يملكه يرى المواعيد:\n{}",
        "Add this address to the calendar program. It is not shown again, and anyone who has it sees the due"
        " dates:\n{}",
    ).format(address)
    sentence = sentence.plain()  # the address is copied: an invisible isolate would be a part of it
    print_confirmation({"agency": agency, "team": team, "address": address}, as_json, sentence)


@teams.command("seal")
@click.option("--yes", is_flag=True, help="Do not ask: you have compared each row with what it should say.")
@json_option
def seal(yes: bool, as_json: bool) -> None:
    """Seal teams, webhooks and subscriptions that are of an earlier release, or whose row was changed in the database.

    Nothing is sent by a row that has not its seal. Compare each with what its team says it should be.
    """

    async def unsealed(desk: Desk) -> list[Row]:
        return await unsealed_rows(desk.connection, desk.seals)

    rows = change(unsealed)
    lines = [described(table, row) for table, row in rows]
    if rows and not yes:
        click.echo("\n".join(lines), err=True)
        sentence = Bilingual("أهذا ما يجب أن تقوله؟", "Is this what they should say?")
        click.confirm(localized(sentence), abort=True, err=True)

    async def put(desk: Desk) -> None:
        async with desk.connection.transaction():
            await desk.connection.execute(SQL["lock_seals"])
            if await unsealed(desk) != rows:
                raise RowsChanged(RowsChanged.__doc__)
            await put_seals(desk.connection, desk.seals, rows)
            await add_to_trail(desk.connection, "teams seal", f"({len(rows)})")

    if rows:
        change(put)
    print_confirmation({"sealed": lines}, as_json, Bilingual("خُتمت الصفوف: {}.", "Sealed rows: {}.").format(len(rows)))


@teams.command("rotate-key")
@overlap_option
@prepare_option
@break_glass_option
@json_option
def rotate_key(overlap_days: int, prepare: bool, break_glass: str | None, as_json: bool) -> None:
    """Replace the key of the seals of teams, webhooks and subscriptions, and seal them again.

    The gateway and the delivery process go on meanwhile. An interrupted command can be repeated. Needs two people, once
    there is a second administrator.
    """
    settings, now = Settings(), datetime.now(UTC)
    files = team_key_files(settings)

    def done() -> Rotation:
        if prepare:
            return prepare_hash_key(files)
        return change(lambda desk: rotate_teams_key(desk.connection, files, overlap_days, now))

    rotate_by(done, settings, "teams", overlap_days, break_glass, as_json, prepare=prepare)


async def _in_full(connection: Connection, agency: str, team: str) -> TeamInFull:
    found = await stored.one_team(connection, agency, team)
    addresses = () if found.closed_at else (await stored.contacts_of(connection, agency, team)).contacts
    return TeamInFull(
        **asdict(found),
        addresses=tuple(map(stored.masked, addresses)),
        endpoints=tuple(await endpoints_of(connection, agency, team)),
        subscribed=tuple(await subscriptions_of(connection, agency, team)),
    )
