"""Free texts wherever one is shown: as they were sent and, once withheld, that they are. Nothing else changes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import pytest
import pytest_asyncio

from consumers.delivery.sending.route import Message
from consumers.delivery.webhooks.route import Bodies
from consumers.proof.commitments.commitment import hash_read_models
from consumers.registrar.batch import Batch
from consumers.registrar.journal import Journal
from consumers.relay.agency_topics import messages_of
from events.wire.entry import entry_bytes
from events.wire.texts import text_sha256
from infra.cli import foreseen
from infra.http.problems import RESTORED
from infra.log.reader import read_leaves
from infra.postgres.connection import Connection, connected
from infra.postgres.outbox import event_bytes
from infra.process.subprocess_command import subprocess_environment
from infra.settings import Settings
from tests.integration.consumers.api.read_api import CONSUMERS, REGISTER, Window, read_window
from tests.integration.consumers.api.read_story import AGENCIES, Teller
from tests.oracle.entries import registrations
from tests.oracle.fold import with_campaigns
from tests.oracle.log import JsonObject
from tests.stack import TestStack, corner
from tests.world.commands import Yesser
from tests.world.consoles import add_account, console
from tests.world.entries import TEXT
from tests.world.ledger import terms
from tests.world.logs import apply_live, open_journal, sign, write_tree
from tests.world.mail import FIRST, MailServer, add_team, at, desk, mail_server, text_of
from tests.world.registered_texts import register, withhold

pytestmark = pytest.mark.asyncio(loop_scope="module")

Place = tuple[int, str]
"""An entry, and the member of its data."""


def planted(name: str) -> JsonObject:
    return {"ar": f"مزروع-{name}", "en": f"planted-{name}"}


class Planter(Teller):
    """Tells what has texts. `places`: of each text, by its name."""

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[str, Place] = {}

    def plant(self, name: str, agency: str, kind: str, member: str = "reason", /, **data: object) -> None:
        text = planted(name)
        index = self.tell(agency, kind, **data, **{member: [text] if member == "partners" else text})
        self.places[name] = index, member


def story() -> Planter:
    """Each type of which a surface shows a text, once."""
    teller, service, project = Planter(), {"service_id": "SVC"}, {"project_id": "PRJ"}
    for event in registrations(AGENCIES):
        teller.add(event)
    groups = {"1": 1, "2": 0, "3": 0}
    targets = {"infrastructure_projects": 1, "national_applications": 0, "services": groups}
    plan = {"plan_id": "P", "name": TEXT, "starts_on": "2006-01-01", "ends_on": "2010-12-31"}
    teller.tell("yesser", "plan.adopted", **plan, targets=targets)
    fewer = targets | {"infrastructure_projects": 0}
    teller.plant("amended-plan", "yesser", "plan.amended", plan_id="P", targets=fewer)
    teller.tell("health", "service.registered", **service, plan_id="P", group=1, name=TEXT)
    teller.tell("health", "service.launched", **service, on="2006-03-01", channels=["web"])
    teller.plant("suspended", "health", "service.suspended", **service, on="2006-04-01")
    phases = [{"phase": 1, "name": TEXT}]
    about = {"plan_id": "P", "name": TEXT, "kind": "infrastructure", "phases": phases}
    teller.tell("health", "project.registered", **project, **about)
    teller.plant("cancelled", "health", "project.cancelled", **project, on="2006-05-01")
    revoked = {"certificate_id": "NONE", "trainee": "trn_" + "a" * 16, "on": "2006-01-01"}
    teller.plant("revoked", "health", "training.revoked", **revoked)
    workshop = {"workshop_id": "W", "topic": TEXT, "on": "2006-01-01"}
    teller.plant("place", "health", "partnership.workshop-announced", "place", **workshop, partners=[])
    teller.plant("partners", "health", "partnership.workshop-held", "partners", **workshop, place=TEXT)
    teller.sign("health", "PPP", "ACME")
    teller.plant(
        "amended", "health", "partnership.amended", partnership_id="PPP", effective_from="2005-02", terms=terms()
    )
    teller.collect("health", "PPP", "R-1")
    back = {"reversal_id": "B-1", "reverses": "R-1", "amount_halalas": 100, "reversed_on": "2005-01-09"}
    teller.plant("reversed", "health", "revenue.reversed", partnership_id="PPP", **back)
    teller.tell("health", "revenue.period-closed", partnership_id="PPP", period="2005-01")
    for made in with_campaigns(teller.log)[len(teller.log) :]:
        teller.add(made["event"])
    aired = {"airing_id": "A", "channel": "tv", "on": "2006-03-05", "reach": 7}
    teller.plant("outlet", "health", "awareness.campaign-aired", "outlet", campaign_id=campaign_of(teller), **aired)
    return teller


def campaign_of(teller: Planter) -> str:
    """The campaign of the service."""
    data = (entry.data for entry in teller.entries if entry.type == "campaign.triggered")
    return next(str(row["campaign_id"]) for row in data if row["rule"] == "service-launched")


@dataclass(frozen=True)
class World:
    """The log is applied everywhere. `raw`: its entries."""

    settings: Settings
    connection: Connection
    journal: Journal
    teller: Planter
    raw: list[bytes]
    window: Window

    @property
    def yesser(self) -> Yesser:
        return Yesser(subprocess_environment(self.settings))

    def filled(self, text: str) -> str:
        """`{NAME}` is the index of the entry with that text, `{campaign}` the campaign."""
        indexes = {name.replace("-", "_"): index for name, (index, _) in self.teller.places.items()}
        return text.format(campaign=campaign_of(self.teller), **indexes)

    async def grow(self, *entries: bytes) -> None:
        self.raw.extend(entries)
        await self.connection.execute("TRUNCATE log.node, log.checkpoint")
        await write_tree(self.connection, self.raw)
        await sign(self.connection, self.raw, len(self.raw))
        for consumer in CONSUMERS:
            await apply_live(self.connection, consumer, self.raw)

    async def withhold_all(self) -> None:
        places = self.teller.places.values()
        await self.grow(*[entry for place in places for entry in await withhold(self.journal, *place)])


@pytest_asyncio.fixture(loop_scope="module")
async def world(stack: TestStack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    home = tmp_path_factory.mktemp("texts") / "home"
    async with corner(stack, home) as settings, connected(settings, "test", batch=True) as connection:
        teller = story()
        journal = await open_journal(connection, settings)
        await connection.execute("ALTER TABLE log.node DISABLE TRIGGER USER")
        await connection.execute("ALTER TABLE log.checkpoint DISABLE TRIGGER USER")
        for agency in AGENCIES:
            await connection.execute(REGISTER, agency.code, agency.role)
        async with read_window(settings, connection) as window:
            found = World(settings, connection, journal, teller, [], window)
            await found.grow(*await register(journal, teller.log))
            yield found


ROUTES: Final[Mapping[str, str]] = {
    "/v1/services/SVC": "suspended",
    "/v1/projects/PRJ": "cancelled",
    "/v1/campaigns/{campaign}": "outlet",
    "/v1/partnerships/PPP": "amended",
    "/v1/anomalies": "revoked",
    "/v1/anomalies?agency=health": "revoked",
    "/v1/anomalies?index={revoked}": "revoked",
    "/v1/proofs/{place}": "place",
    "/v1/proofs/{partners}": "partners",
    "/v1/explain/services/SVC/state": "suspended",
    "/v1/explain/plan/infrastructure": "amended-plan",
    "/v1/explain/partnerships/PPP": "amended reversed",
    "/v1/explain/revenue.contract_version/PPP/1/reason": "amended",
    "/v1/explain/campaigns.airing/{campaign}/A": "outlet",
    "/v1/explain/projections.occasion/workshop/W/announced": "place",
    "/v1/partnerships/PPP/statements/2005-01/explained/reversed_halalas": "reversed",
}
"""Route → the texts that it shows."""
COMMANDS: Final[Mapping[str, str]] = {
    "services show SVC --json": "suspended",
    "services show SVC --as-of-index {partners} --json": "suspended",
    "services show SVC --as-of-occurred 2030-12-31 --json": "suspended",
    "projects show PRJ --json": "cancelled",
    "campaigns show {campaign}": "outlet",
    "campaigns show {campaign} --json": "outlet",
    "ledger terms PPP": "amended",
    "ledger terms PPP --json": "amended",
    "ledger terms PPP --as-of-index {reversed} --json": "amended",
    "anomalies --json": "revoked",
    "log show {suspended}": "suspended",
    "audit explain services SVC --json": "suspended",
    "audit explain revenue.contract_version PPP/1": "amended",
    "ledger explain PPP 2005-01 reversed_halalas --json": "reversed",
}
PAGES: Final[Mapping[str, str]] = {
    "/campaigns/{campaign}": "outlet",
    "/partnerships/PPP": "amended",
    "/audit/entries/{place}": "place",
    "/audit/entries/{partners}": "partners",
    "/explain/revenue.contract_version/PPP/1/reason": "amended",
    "/explain/campaigns.airing/{campaign}/A": "outlet",
}
"""Of these each language has its own text; pages show both of an entry and of a figure."""
SAYS: Final = {"ar": "حُجب هذا النص", "en": "This text was withheld on"}


HAVE_BYTES: Final = ("/v1/proofs/", "/audit/entries/")
"""These show the entry's own bytes too, which have hashes."""


async def shown(world: World) -> dict[str, str]:
    """Surface → what it shows. A page is one in each language, which comes before its path."""
    found = {}
    for path in ROUTES:
        answer = await world.window.get(world.filled(path))
        assert answer.status_code == 200, (path, answer.text)
        found[path] = answer.text
    for words in COMMANDS:
        found[words] = await world.yesser.output("--lang", "both", *world.filled(words).split())
    for language in SAYS:
        async with console(world.settings) as served, served.signed_in("office", language) as browser:
            for path in PAGES:
                page = await browser.get(world.filled(path))
                assert page.status_code == 200, (path, page.text)
                found[f"{language}{path}"] = page.text
    return found


async def sent(world: World, bodies: Bodies, mails: MailServer, name: str) -> dict[str, str]:
    """What a webhook, the agency's topic and a letter say of the airing."""
    index, campaign_id, now = world.teller.places["outlet"][0], campaign_of(world.teller), at("2006-03-06T09:00+03:00")
    message = Message(1, "e1", "health", "press", "e1", "aired", "e", index, campaign_id, False, 0, now)
    async with desk(world.settings, world.connection, mails, now) as press:
        await press.put("aired", name, campaign_id=campaign_id, log_index=index, lane=name)
        await press.send()
        await bodies.load(press.own, [message])
    async with connected(world.settings.acting_as("relay"), "test") as connection:
        (in_topic,) = await messages_of(connection, [(index, campaign_id)])
    letter = text_of(mails.messages[-1])
    return {"webhook": bodies.of(message).decode(), "topic": in_topic.value.decode(), "letter": letter}


def says(surface: str, text: str, words: Mapping[str, str]) -> bool:
    """Whether the text says it, in the language of its reader or in both."""
    return all(word in text for language, word in words.items() if surface[:2] == language or surface[:2] not in SAYS)


async def test_each_surface_shows_a_text_and_once_it_is_withheld_says_so(world: World) -> None:
    await add_account(world.connection, "office", "office")
    await add_team(world.connection, FIRST)
    names = {**ROUTES, **COMMANDS} | {f"{language}{path}": PAGES[path] for language in SAYS for path in PAGES}
    names |= dict.fromkeys(("webhook", "topic", "letter"), "outlet")
    hashes = [found for (found,) in await world.connection.fetch("SELECT encode(sha256, 'hex') FROM log.text")]
    bodies = Bodies()
    async with mail_server() as mails:
        before = await shown(world) | await sent(world, bodies, mails, "before")
        await world.withhold_all()
        after = await shown(world) | await sent(world, bodies, mails, "after")
    for surface, text in before.items():
        assert [name for name in names[surface].split() if not says(surface, text, planted(name))] == [], surface
    index, _ = world.teller.places["outlet"]
    as_sent = orjson.dumps(world.teller.log[index]["event"]).decode()
    assert (before["webhook"], before["topic"]) == (as_sent, as_sent), "byte for byte"
    for surface, text in after.items():
        assert says(surface, text, SAYS), surface
        assert [word for word in ("planted", "مزروع") if word in text] == [], surface
    for surface, text in [*before.items(), *after.items()]:
        if not surface.removeprefix("ar").removeprefix("en").startswith(HAVE_BYTES):
            assert [found for found in hashes if found in text] == [], surface


async def test_no_surface_shows_a_text_of_a_restored_copy_before_the_registrar_has_compared_it(world: World) -> None:
    await add_account(world.connection, "office", "office")
    verified = await world.connection.fetchval("SELECT verified_copy FROM log.state")
    assert verified == await world.connection.fetchval("SELECT log.copy_name()")
    await world.connection.execute("UPDATE log.state SET verified_copy = 'before the restore'")
    try:
        for path in ROUTES:
            answer = await world.window.get(world.filled(path), accept_language="en")
            assert (answer.status_code, answer.json()["detail"]) == (503, RESTORED.en), (path, answer.text)
        for words in COMMANDS:
            ended = await world.yesser.run(*world.filled(words).split())
            assert ended.exception is not None, words
            said = foreseen(ended.exception) or ""
            assert said.startswith("The database was restarted or restored"), (words, ended.exception)
        async with console(world.settings) as served, served.signed_in("office", "en") as browser:
            for path in PAGES:
                page = await browser.get(world.filled(path))
                assert (page.status_code, RESTORED.en in page.text) == (503, True), path
    finally:
        await world.journal.note_verified()
    assert await world.connection.fetchval("SELECT verified_copy FROM log.state") == verified


async def test_the_proof_and_the_page_of_an_entry_name_what_withholds_its_text(world: World) -> None:
    await add_account(world.connection, "office", "office")
    index, member = world.teller.places["place"]
    size = len(world.raw)
    await world.grow(*await withhold(world.journal, index, member))
    kept, gone = (await world.window.json(f"/v1/proofs/{index}"))["texts"]
    assert (kept["member"], "withheld_by" in kept) == ("partners", False)
    assert (gone["member"], gone["withheld_by"], "salt" in gone) == ("place", size, False)
    assert (kept["text"], text_sha256(bytes.fromhex(kept["salt"]), b"[]").hex()) == ("[]", kept["sha256"])
    async with console(world.settings) as served, served.signed_in("office") as browser:
        page = (await browser.get(f"/audit/entries/{index}")).text
    assert (">/data/place<" in page, f'<a href="/audit/entries/{size}">' in page) == (True, True)


async def test_a_text_changed_in_the_database_is_not_shown_as_proven(world: World) -> None:
    await add_account(world.connection, "office", "office")
    index, member = world.teller.places["suspended"]
    warning = "This entry is not as it was signed"
    for text, is_changed in ((None, False), ('{"ar":"x","en":"another"}', True)):
        if text is not None:
            await world.connection.execute("ALTER TABLE log.text DISABLE TRIGGER USER")
            await world.connection.execute(
                "UPDATE log.text SET value = $3 WHERE index = $1 AND member = $2", index, member, text
            )
        async with console(world.settings) as served, served.signed_in("office") as browser:
            page = (await browser.get(f"/audit/entries/{index}")).text
        assert (warning in page) == is_changed


async def test_withholding_changes_no_leaf_no_commitment_and_no_row_that_a_rebuild_gives(world: World) -> None:
    values = [event_bytes(commitment.event()) for commitment in await hash_read_models(world.connection)]
    recorded, address = world.teller.log[-1]["recordedtime"], "agency.platform.events/0"
    entries = [entry_bytes(recorded, f"{address}/{number}", value) for number, value in enumerate(values)]
    await world.journal.commit(Batch(world.journal.size, recorded, entries=entries, subjects=[""] * len(entries)))
    await world.grow(*entries)
    size = len(world.raw)
    tables = [f"{consumer.schema}.{table.name}" for consumer in CONSUMERS for table in consumer.stored_tables]

    async def found() -> tuple[Any, ...]:
        """Rows with hashes of texts, leaves, and each commitment after its check. A rebuild gives the same rows."""
        every = [await world.connection.fetch(f"SELECT t::text FROM {table} t") for table in tables]
        rows = sorted(row for table in every for (row,) in table if "sha256" in row)
        leaves = await read_leaves(world.connection, 0, size)
        await world.yesser.output("rebuild", "--compare")
        return rows, leaves, await world.yesser.document("audit", "commitments")

    before = await found()
    assert len(before[0]) >= len(world.teller.places)
    await world.withhold_all()
    assert await found() == before
