"""Asks every route of the console in the session of each role, once with ids of its own and once with those of others:
of another agency with its partner, and for a campaign team also of another team of its agency."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal, get_args

import httpx
import pytest
from nacl.public import PrivateKey
from starlette.types import ASGIApp

from consumers.console.accounts.accounts import ROLES, Role
from consumers.console.checks.jobs import Checks
from consumers.console.page_request import roles_of
from consumers.console.pages.campaigns import report_pages, webhooks
from consumers.console.web import assets
from consumers.delivery.secrets import publish_key
from infra.http.callers import Kind
from infra.kafka.admin import admin_client, ensure_agency_topic
from infra.postgres.connection import Connection
from infra.private_keys.key_files import log_key_files
from infra.process.http_server import listening, running
from infra.settings import Settings
from tests.integration.consumers.api.read_api import lay_down
from tests.integration.consumers.api.read_story import Teller, story
from tests.integration.consumers.console.asked_routes import ASKED, CONSTANTS, Asked, World, requests_of
from tests.oracle.fold import with_campaigns
from tests.oracle.log import EntryDict
from tests.page_rules import faults_of
from tests.world.consoles import add_account, console, csrf_of, local_issuer, sign_in, write_console_key
from tests.world.entries import TEXT
from tests.world.logs import raw_entries, sign, write_tree
from tests.world.memory_log import KEY
from tests.world.senders import GatewayHarness, run_gateway

Reach = Literal["", "yes", "own", "agency", "all"]
"""Refused; answered, and there is no id to give; with ids of its own only; of its agency's teams; of everybody."""
_ORDER: Final = get_args(Reach)
Tried = Mapping[tuple[str, Role], Reach]
"""(method and path, role) → how far the role reaches."""
_NOTHING_DONE: Final = {
    "/account/password": 422,
    "/sign-in/oidc/callback": 401,
    "/sign-in/oidc/logout": 400,
    "/campaigns/new-team": 409,
    "/campaigns/{campaign_id}/correct": 422,
    "/campaigns/webhooks/{endpoint_id}/redeliver": 409,
}
"""What a form of the role's own may answer here: no password is given, a team's team exists, no airing was reported, no
message was sent, the provider signed nobody in or out."""
REQUEST: Final = """INSERT INTO console.approval (act, arguments, digest, operator)
VALUES ('erase', '{}', sha256(convert_to(E'erase\\n{}', 'UTF8')), 'desk') RETURNING approval_id"""
REFUSAL: Final = """INSERT INTO log.refusal (index, agency, address, claimed_id, errors)
VALUES ($1, $2, $3, $4, '[{"code": "not-json", "pointer": "", "detail": "No."}]')"""
_MARKS: Final = (
    *("service_id", "project_id", "campaign_id", "team", "endpoint_id"),
    *("partnership_id", "partner", "claimed_id"),
)
"""Ids of others by which an answer is known to show what is theirs."""
_ROWS: Final = """
SELECT row FROM (
    SELECT to_jsonb(t) AS row FROM delivery.team t UNION ALL SELECT to_jsonb(t) FROM delivery.contact t
    UNION ALL SELECT to_jsonb(t) FROM delivery.endpoint t UNION ALL SELECT to_jsonb(t) FROM delivery.subscription t
    UNION ALL SELECT to_jsonb(t) FROM delivery.endpoint_secret t UNION ALL SELECT to_jsonb(t) FROM delivery.message t
    UNION ALL SELECT to_jsonb(t) FROM delivery.calendar_feed t
) found WHERE row ->> 'team' = ANY($1) OR row ->> 'endpoint_id' = ANY($2) ORDER BY row::text"""


@dataclass(frozen=True, slots=True)
class Others:
    """Ids of others, and those that no page shows to somebody who may not read them."""

    reach: Reach
    world: World

    def shown_by(self, asked: Asked, answer: Answer) -> bool:
        """Whether an answer shows what is theirs, beyond what was asked for."""
        marks = [self.world[name] for name in _MARKS]
        return answer.is_given and any(mark in answer.text for mark in marks if mark not in asked.text)


@dataclass(frozen=True, slots=True)
class Answer:
    """`text` has the address of a redirect too; of an answer without an end it is empty."""

    status: int
    text: str

    @property
    def is_given(self) -> bool:
        return self.status < 400


async def tried(settings: Settings, connection: Connection) -> Tried:
    """How far each role reaches on each route, as the console answered. Fails where what is another's was changed."""
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(report_pages, "APPLIED_WAIT_S", 0.0)  # nobody reads what is sent
        patches.setattr(webhooks, "EXAMPLE_WAIT_S", 0.0)
        patches.setattr(Checks, "start", lambda *_: False)  # no process reads the whole log here
        write_console_key(settings)
        async with admin_client(settings) as admin:
            await ensure_agency_topic(admin, "yesser", settings)
        with local_issuer() as issuer:
            served = settings.model_copy(update={"console_oidc_issuer": issuer})
            async with run_gateway(served, connection) as gateway:
                return await _tried(gateway, await _lay_down(connection, gateway))


async def _tried(gateway: GatewayHarness, worlds: Mapping[str, World]) -> Tried:
    address = f"http://127.0.0.1:{gateway.gateway.port}"
    strangers = [worlds["labour"], worlds["second"]]
    before = await _rows(gateway.connection, strangers)
    found: dict[tuple[str, Role], Reach] = {}
    faults: list[str] = []
    security = {
        "security_contact": "mailto:security@yesser.example",
        "security_expires": datetime.max.replace(tzinfo=UTC),
    }
    settings = gateway.settings.model_copy(update={"console_gateway": address, **security})
    async with console(settings) as served, _over_http(served.app) as base:
        async with _browser(base, "labour") as browser:
            upload_id = await browser.upload(worlds["labour"])
        requests = [*requests_of(served.parts)]
        for role in ROLES:
            theirs = {"upload_id": upload_id, "username": role}
            others = [Others("all", {**worlds["labour"], **theirs})]
            if role == "team":
                others.insert(0, Others("agency", {**worlds["second"], **theirs}))
            async with _browser(base, role) as browser:
                sends = role in roles_of("/workspace")
                own = {**worlds[role], "upload_id": await browser.upload(worlds[role]) if sends else "none"}
                for method, asked in requests:
                    found[f"{method} {asked.path}", role] = await browser.reach(method, asked, own, others)
                faults += browser.faults
    assert not faults, "\n".join(faults)
    assert await _rows(gateway.connection, strangers) == before, "what is another's was changed"
    assert await gateway.stored("labour") == []
    return found


@dataclass(frozen=True, slots=True)
class _Browser:
    """Somebody who is signed in."""

    client: httpx.AsyncClient
    username: str
    csrf: str
    faults: list[str] = field(default_factory=list)
    """Answers that say nothing about rights: the request is not what its route takes."""

    async def reach(self, method: str, asked: Asked, own: World, others: Sequence[Others]) -> Reach:
        """How far the answers go. Others' ids come first: after the role's own request its own may be gone."""
        found: Reach = "yes"
        for other in others:
            for world in _mixed(asked, own, other.world):
                found = "own" if found == "yes" else found
                given = asked.of(world)
                answer = await self.answer(method, given)
                self.note(answer.status < 500, method, given, answer)
                is_named = answer.is_given and given.path != asked.of(own).path
                found = other.reach if is_named or other.shown_by(given, answer) else found  # the farthest is last
        given = asked.of(own)
        answer = await self.answer(method, given)
        if answer.status in (403, 404):
            self.note(found in ("yes", "own"), method, given, answer)
            return ""
        if answer.text.startswith("<!doctype html>"):
            self.faults.extend(f"{method} {given.path} as {self.username}: {fault}" for fault in faults_of(answer.text))
        self.note(answer.is_given or answer.status == _NOTHING_DONE.get(asked.path), method, given, answer)
        return max([found, *(other.reach for other in others if other.shown_by(given, answer))], key=_ORDER.index)

    def note(self, is_sound: bool, method: str, given: Asked, answer: Answer) -> None:
        if not is_sound:
            self.faults.append(f"{method} {given} as {self.username}: {answer.status} {_words(answer.text)}")

    async def upload(self, world: World) -> str:
        """The id of a file that it gives to the console."""
        (asked,) = ASKED["POST /workspace/files"]
        answer = await self.answer("POST", asked.of(world))
        return answer.text.rpartition("/")[2]

    async def answer(self, method: str, given: Asked) -> Answer:
        options: dict[str, Any] = {"params": given.fields or None}
        if method == "POST":
            options = {"data": {**given.fields, "csrf": self.csrf}}
        if given.file is not None:
            options["files"] = {given.file[0]: ("given.txt", given.file[1])}
        async with self.client.stream(method, given.path, **options) as answer:
            endless = answer.headers.get("content-type", "").startswith("text/event-stream")
            text = "" if endless else (await answer.aread()).decode("utf-8", "replace")
            return Answer(answer.status_code, text + answer.headers.get("location", ""))


def _words(page: str) -> str:
    """Of a page's main part, some."""
    return " ".join(re.sub("<[^>]*>", " ", page.partition("<main")[2]).split())[:300]


def _mixed(asked: Asked, own: World, other: World) -> Iterator[World]:
    """Each id of another's beside own ones, and all of them."""
    assert asked.names() <= own.keys(), f"{asked}: say in `ASKED` what its parameters are"
    names = [name for name in sorted(asked.names()) if own[name] != other[name]]
    for name in names:
        yield {**own, name: other[name]}
    if len(names) > 1:
        yield {**own, **{name: other[name] for name in names}}


@asynccontextmanager
async def _over_http(app: ASGIApp) -> AsyncIterator[str]:
    """Over HTTP: an answer without an end has a beginning."""
    with listening("127.0.0.1", 0, "") as listener:
        async with running(app, listener):
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@asynccontextmanager
async def _browser(base: str, username: str) -> AsyncIterator[_Browser]:
    async with httpx.AsyncClient(base_url=base, timeout=60, cookies={"yesser-language": "en"}, verify=False) as client:
        assert await sign_in(client, username) == 303
        yield _Browser(client, username, await csrf_of(client))


async def _rows(connection: Connection, strangers: Sequence[World]) -> list[Any]:
    """What is kept of the others' teams and webhooks."""
    names = ([world[name] for world in strangers] for name in ("team", "endpoint_id"))
    return [row["row"] for row in await connection.fetch(_ROWS, *names)]


async def _lay_down(connection: Connection, gateway: GatewayHarness) -> dict[str, World]:
    """The log of two agencies with a partner each, teams of theirs, and an account for each role.

    The world of each role, by its name; `labour` is another agency's, `second` another team's.
    """
    log = _log()
    await lay_down(connection, log)
    raw = raw_entries(log)
    await write_tree(connection, raw)
    await sign(connection, raw, len(raw))
    key_file = log_key_files(gateway.settings).vkey
    await asyncio.to_thread(key_file.parent.mkdir, parents=True, exist_ok=True)
    await asyncio.to_thread(key_file.write_text, f"{KEY.verifier.vkey}\n")
    for index, agency in enumerate(("health", "labour")):
        await connection.execute(REFUSAL, index, agency, f"agency.{agency}.events/0/{index}", f"refused-{agency}")
    await publish_key(connection, [PrivateKey.generate()])
    health, labour = _of_agency(log, "health", "ACME"), _of_agency(log, "labour", "GLOBEX")
    second = {**health, "service_id": "SVC-SECOND", "campaign_id": _campaign(log, "SVC-SECOND")}
    office = {"agency": "yesser", "address": "agency.yesser.events/0/0", "campaign_id": _campaign(log, None)}
    worlds = {
        "office": {**health, **office, **await _team(gateway, "yesser", "office-desk")},
        "agency": {**health, **await _team(gateway, "health", "desk")},
        "team": {**health, **await _team(gateway, "health", "press", "SVC-health")},
        "second": {**second, **await _team(gateway, "health", "second-desk", "SVC-SECOND")},
        "labour": {**labour, **await _team(gateway, "labour", "labour-desk")},
    }
    worlds["team"]["new_team"] = "press"
    for role in ("partner", "treasury", "auditor", "administrator"):
        worlds[role] = worlds["agency"]
    for role in ROLES:
        holder = "health" if role in ("agency", "team") else None
        partners = ("health/ACME",) if role == "partner" else ()
        await add_account(connection, role, role, holder, team="press" if role == "team" else None, partners=partners)
    await add_account(connection, "labour", "agency", "labour")
    approval_id = str(await connection.fetchval(REQUEST))
    return {name: {**world, "username": name, "approval_id": approval_id} for name, world in worlds.items()}


def _log() -> list[EntryDict]:
    """The story, a second campaign of health's, and an entry about a refusal of each agency."""
    teller = Teller(story())
    service = {"service_id": "SVC-SECOND", "plan_id": "FIVE-YEAR", "group": 1, "name": TEXT}
    teller.tell("health", "service.registered", **service)
    launched = {"service_id": "SVC-SECOND", "on": "2006-03-01", "channels": ["web"]}
    teller.tell("health", "service.launched", **launched)
    return with_campaigns(teller.log)


def _of_agency(log: Sequence[EntryDict], agency: str, partner: str) -> dict[str, str]:
    partnership_id = f"PPP-{agency.upper()}"
    signed = next(
        entry
        for entry in log
        if entry["event"]["subject"] == f"partnership/{partnership_id}" and "partner" in entry["event"]["data"]
    )
    return {
        **CONSTANTS,
        "agency": agency,
        "activity": f"{agency}/service.launched",
        "partner": partner,
        "partnership_id": partnership_id,
        "service_id": f"SVC-{agency}",
        "project_id": f"PRJ-{agency}",
        "campaign_id": _campaign(log, f"SVC-{agency}"),
        "index": str(signed["index"]),
        "address": signed["from"],
        "claimed_id": f"refused-{agency}",
        "refusal": str(("health", "labour").index(agency)),
        "new_team": "newcomers",
        "name": next(iter(assets.by_address())).removeprefix(assets.PREFIX),
    }


def _campaign(log: Sequence[EntryDict], service_id: str | None) -> str:
    """Of a service; of the programme's office where there is none."""
    data = [entry["event"]["data"] for entry in log if "campaign.triggered" in entry["event"]["type"]]
    return next(str(row["campaign_id"]) for row in data if row.get("service_id") == service_id)


async def _team(gateway: GatewayHarness, agency: str, team: str, service_id: str | None = None) -> dict[str, str]:
    """A team with a webhook and a subscription, as its agency makes them."""
    kind: Kind = "office" if agency == "yesser" else "agency"
    headers = {} if agency == "health" else await gateway.another(kind, agency)

    async def made(path: str, **document: object) -> Any:
        answer = await gateway.client.post(path, json={"team": team, **document}, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()

    await made("/v1/teams", name={"ar": "فريق", "en": team}, contacts=[f"{team}@{agency}.example"])
    webhook = await made("/v1/webhooks", url=f"https://{team}.example/hook")
    services = {} if service_id is None else {"services": [service_id]}
    subscription = await made("/v1/subscriptions", route="email", **services)
    expected = {"type": "awareness.initiative-announced", "subject": f"initiative/{team}", "every_days": 30}
    answer = await gateway.client.post("/v1/expectations", json=expected, headers=headers)
    return {
        "team": team,
        "endpoint_id": webhook["endpoint_id"],
        "subscription_id": str(subscription["subscription_id"]),
        "expectation_id": str(answer.json()["expectation_id"]),
    }
