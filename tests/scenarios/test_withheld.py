"""A name goes everywhere the platform sends it, is withheld, and is then searched for byte by byte; an older backup
gives it to nobody again."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from bench.plan_page import address
from infra.backup.catalogue import BackupFolder
from infra.postgres.connection import connected
from infra.principals import SUPERUSER
from infra.private_keys.key_files import read_verifier
from producers.publisher.kafka_publisher import AgencyPublisher
from tests.scenarios.launches import hooked_system, service_event
from tests.scenarios.system import System, own_folder, until
from tests.unit.consumers.delivery.receivers import Receiver, status
from tests.world.consoles import change_password, csrf_of, sign_in
from tests.world.events import encoded, event
from tests.world.mail import MailServer, mail_server, text_of
from tests.world.waits import until as until_true

pytestmark = [pytest.mark.stack, pytest.mark.accept, pytest.mark.timeout(1400)]

NAME: Final = "Sara AL-Ghamdi"
WHY: Final = (
    *("--reason-ar", "طلب صاحبة الاسم", "--reason-en", "The person asked"),
    *("--legal-basis-ar", "نظام حماية البيانات الشخصية", "--legal-basis-en", "Personal Data Protection Law"),
)
PASSWORD: Final = "a password that was chosen"
ADMINISTRATORS: Final = ("first", "second")
NOT_AT_ONCE: Final = {"pg_wal", "yesser.texts-0", "agency.health.events-0"}
"""Folders whose files still have it on the same day: old WAL, and Kafka's until their segments are closed."""


@dataclass
class World:
    """A system, a token of the office, and what was told to whom: `entry` has the name in its text, of `campaign`."""

    system: System
    token: str = ""
    first_passwords: dict[str, str] = field(default_factory=dict)
    campaign: str = ""
    entry: int = -1

    async def ask(self, *words: str, exits: tuple[int, ...] = (0,)) -> Any:
        return await asyncio.to_thread(self.system.ask, *words, exits=exits)

    async def run(self, *words: str, exits: tuple[int, ...] = (0,)) -> Any:
        return await asyncio.to_thread(self.system.run, *words, exits=exits)

    async def ended(self, *words: str) -> tuple[int, bytes]:
        """How a command ends, and all that it says."""
        process = self.system.start(*words)
        output, errors = await asyncio.to_thread(process.communicate)
        return process.returncode, output + errors

    @asynccontextmanager
    async def person(self, username: str) -> AsyncIterator[httpx.AsyncClient]:
        """Somebody at the console, who has chosen a password."""
        async with httpx.AsyncClient(base_url=address(self.system, "console"), timeout=60, verify=False) as client:
            if (first := self.first_passwords.pop(username, None)) is not None:
                assert await sign_in(client, username, first) == 303
                assert (await change_password(client, first, PASSWORD)).status_code == 303
            else:
                assert await sign_in(client, username, PASSWORD) == 303
            yield client

    async def after_two(self, *words: str) -> Any:
        """What a command prints that two people have to confirm: one of them twice is refused."""
        code, said = await self.ended(*words)
        found = re.search(rb"request ([0-9]+)", said)
        assert (code, found is not None) == (1, True), said
        assert found is not None
        confirmed = []
        for name in (ADMINISTRATORS[0], *ADMINISTRATORS):
            async with self.person(name) as person:
                given = {"csrf": await csrf_of(person)}
                confirmed.append((await person.post(f"/approvals/{int(found[1])}/confirm", data=given)).status_code)
        assert confirmed == [303, 409, 303]
        return await self.ask(*words)


def holding(folder: Path) -> set[str]:
    """The folders of the files below that have the name. Some go while it looks."""
    found = set()
    for root, _, names in os.walk(folder):
        for path in (Path(root) / name for name in names):
            with suppress(FileNotFoundError):
                if path.is_file() and not path.is_symlink() and NAME.encode() in path.read_bytes():
                    found.add(path.parent.name)
    return found


async def publish(system: System, *events: bytes) -> None:
    async with AgencyPublisher(system.settings, "health") as publisher:
        for one in events:
            await publisher.add(one)
        await publisher.flush()
    await asyncio.to_thread(system.settle)


def aired(campaign_id: str, outlet: str, on: str = "2026-11-02") -> bytes:
    data = {"campaign_id": campaign_id, "airing_id": "A-1", "channel": "tv", "on": on, "reach": 9}
    text = {"ar": outlet, "en": outlet}
    return encoded(event("awareness.campaign-aired", f"campaign/{campaign_id}", data | {"outlet": text}, id="aired"))


async def test_a_withheld_name_is_in_no_file_every_earlier_proof_holds_and_an_old_backup_gives_it_to_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own_folder() as home, own_folder() as place:
        monkeypatch.setenv("YESSER_BACKUP", str(place))
        async with mail_server() as mails:
            monkeypatch.setenv("YESSER_MAIL_SERVER", f"127.0.0.1:{mails.port}")
            monkeypatch.setenv("YESSER_MAIL_FROM", "campaigns@yesser.example")
            async with hooked_system(home) as (system, hook, _):
                world = World(system)
                await found_team_and_people(world)
                await tell_everybody(world, hook, mails)
                await withhold_everywhere(world, tmp_path, place)
        monkeypatch.delenv("YESSER_BACKUP")
        await asyncio.to_thread(shutil.rmtree, home / "postgres")
        try:
            await restore_and_recover(world, tmp_path / "restored", place)
        finally:
            await world.run("down")


async def found_team_and_people(world: World) -> None:
    """The team gets airings by webhook and by mail; the office has a token; two administrators confirm acts."""
    for route in ("webhook", "email"):
        subscription = ("subscriptions", "add", "health", "press", "--route", route)
        await world.ask(*subscription, "--type", "awareness.campaign-aired")
    await world.ask("teams", "domains", "health", "--domain", "health.example")
    world.token = (await world.ask("tokens", "create", "yesser", "--kind", "office"))["token"]
    for name, role in (("office", "office"), *((name, "administrator") for name in ADMINISTRATORS)):
        world.first_passwords[name] = (await world.ask("accounts", "add", name, "--role", role))["password"]
    async with world.person("office"):
        pass  # has chosen a password, which the backup knows


async def tell_everybody(world: World, hook: Receiver, mails: MailServer) -> None:
    """The name is in a webhook and its answer, in a letter, and in a record that is refused and kept."""
    launched = service_event("service.launched", 1, on="2026-11-01", channels=["web"])
    await publish(world.system, service_event("service.registered", 1, plan_id="P", group=1), launched)
    await hook.until(1, timeout_s=120)
    world.campaign = json.loads(hook.got[0].body)["data"]["campaign_id"]
    hook.answer = status(200, body=NAME.encode())
    await publish(world.system, aired(world.campaign, NAME), aired(world.campaign, NAME, on="2026-02-30"))
    await hook.until(2, timeout_s=60)
    assert NAME.encode() in hook.got[1].body
    await until_true(lambda: bool(mails.messages) and NAME in text_of(mails.messages[-1]), "the letter", 120.0)
    told = await world.ask("find-person", NAME)
    ((world.entry, command),) = {(one["index"], one["command"]) for one in told if not one["is_refused"]}
    assert command.startswith(f"yesser withheld propose {world.entry} /data/outlet ")
    assert any(one["is_refused"] for one in told)


async def withhold_everywhere(world: World, folder: Path, backups: Path) -> None:
    system = world.system
    for name in ("before", "after"):
        await asyncio.to_thread((folder / name).mkdir)
    outside = await elsewhere(world, folder / "before")
    stubborn = folder / "stubborn"
    shutil.copytree(outside[0], stubborn)
    before = await world.ask("commit")
    await world.run("backup", "create", str(backups))
    for kept in (system.home, backups, *outside):
        assert holding(kept), kept

    done = await world.after_two("withheld", "propose", str(world.entry), "/data/outlet", *WHY, "--yes")
    assert len(done["refused_records"]) == 1
    await asyncio.to_thread(system.settle)
    (row,) = await world.ask("withheld", "list")
    assert (row["entry"], row["confirmed_by"]) == (world.entry, [*ADMINISTRATORS])
    await asyncio.to_thread(until, partial(has_no_answer, system), 150, "an answer of the receiver is still there")
    *further, purge = [command.split()[1:] for command in done["further"]]
    for words in further:
        await (world.after_two if words[0] == "erase" else world.ask)(*words)
    purged = await world.ask(*purge)
    assert purged["backups"] == [backup.name for backup in BackupFolder.at(backups).backups()]
    await checkpoint(system)

    # Kafka removes the files of a deleted topic after a minute.
    is_gone = partial(until, lambda: holding(system.home) <= NOT_AT_ONCE, 120, "the name is still in a file")
    await asyncio.to_thread(is_gone)
    assert await world.ask("find-person", NAME, exits=(1,)) == []
    await require_told(world)
    await require_named(world, outside[0], stubborn)
    mirror, export, replay = await elsewhere(world, folder / "after", mirror=outside[0])
    for made in (mirror, export, replay):
        assert not holding(made), made
    assert (await world.ask("withheld", "check"))["withheld"] == 1
    for check in (("audit", "verify", "--database"), ("audit", "commitments"), ("rebuild", "--compare")):
        await world.run(*check)
    assert await world.ask("commit") != before
    vkey = read_verifier(system.settings, None).vkey
    for made in (export, outside[1]):
        verify = [sys.executable, "-I", str(made / "verify.py"), str(made), vkey]
        await asyncio.to_thread(subprocess.run, verify, check=True, stdout=subprocess.DEVNULL)


async def require_named(world: World, mirror: Path, stubborn: Path) -> None:
    """A mirror that follows the log and keeps the text is named; the one that deletes it is not."""
    await world.run("audit", "mirror", str(mirror))
    assert (await world.run("audit", "verify", str(mirror)))["ok"] is True
    shutil.copytree(mirror, stubborn, dirs_exist_ok=True, ignore=shutil.ignore_patterns("texts"))
    assert holding(stubborn) == {"texts"}
    code, said = await world.ended("audit", "verify", str(stubborn))
    assert (code, f"/data/outlet of entry {world.entry}" in said.decode()) == (1, True), said
    checked = await world.run("withheld", "check", str(stubborn), exits=(1,))
    assert [(text["index"], text["pointer"]) for text in checked["held"]] == [(world.entry, "/data/outlet")]


async def restore_and_recover(world: World, folder: Path, backups: Path) -> None:
    """The backup still has the name; nobody reads it there, before the log is recovered and after it."""
    system = world.system
    assert holding(backups), "which docs/privacy.md says"
    await world.run("restore", str(backups))
    assert holding(system.home / "postgres"), "it came back with the database"
    halted = {part["name"]: part for part in (await world.run("up", "--detach", exits=(1,)))["processes"]}
    assert "yesser recover" in halted["registrar"]["halted"]
    await require_unread(world, folder)
    await world.run("recover")
    await asyncio.to_thread(system.until_all_ready)
    await asyncio.to_thread(system.settle)
    await require_told(world)
    assert await world.ask("find-person", NAME, exits=(1,)) == []
    checked = await world.ask("withheld", "check")
    assert (checked["withheld"], checked["lacking"], checked["ok"]) == (1, 0, True)
    await world.run("audit", "verify", "--database")
    await asyncio.to_thread(until, partial(has_no_answer, system), 150, "an answer of the receiver is still there")
    await world.ask("withheld", "purge")
    await checkpoint(system)
    assert holding(system.home) <= NOT_AT_ONCE


async def require_unread(world: World, folder: Path) -> None:
    """Commands, routes and pages that show the text say why they do not, and a mirror gets none."""
    entry = str(world.entry)
    commands = (("find-person", NAME), ("log", "show", entry), ("campaigns", "show", world.campaign))
    for words in (*commands, ("withheld", "show", entry), ("audit", "mirror", str(folder))):
        code, said = await world.ended(*words)
        assert (code, b"The database was restarted or restored" in said) == (75, True), (words, said)
    assert not holding(folder)
    for path, answer in (await routes(world)).items():
        assert (answer.status_code, "restarted or restored" in answer.text) == (503, True), (path, answer.text)
    async with world.person("office") as office:
        page = await office.get(f"/audit/entries/{entry}", headers={"accept-language": "en"})
    assert (page.status_code, NAME in page.text) == (503, False)


async def require_told(world: World) -> None:
    """Routes and pages say that the text is withheld."""
    for path, answer in (await routes(world)).items():
        assert (answer.status_code, "This text was withheld on" in answer.text) == (200, True), (path, answer.text)
    async with world.person("office") as office:
        page = await office.get(f"/audit/entries/{world.entry}")
    assert (page.status_code, "حُجب هذا النص" in page.text, NAME in page.text) == (200, True, False)


async def routes(world: World) -> dict[str, httpx.Response]:
    """The gateway's answers with the text."""
    headers = {"authorization": f"Bearer {world.token}", "accept-language": "en"}
    paths = (f"/v1/proofs/{world.entry}", f"/v1/campaigns/{world.campaign}", "/log/0/texts/000")
    async with httpx.AsyncClient(
        base_url=address(world.system, "gateway"), headers=headers, timeout=60, verify=False
    ) as client:
        return {path: await client.get(path) for path in paths}


async def elsewhere(world: World, folder: Path, mirror: Path | None = None) -> tuple[Path, Path, Path]:
    """A mirror, an export and a replay of the log."""
    mirror, export, replay = mirror or folder / "mirror", folder / "export", folder / "replay"
    await world.run("audit", "mirror", str(mirror))
    await world.run("audit", "export", "--into", str(export))
    await world.run("audit", "replay", str(mirror), "--into", str(replay))
    return mirror, export, replay


def has_no_answer(system: System) -> bool:
    """Whether nothing is kept of what receivers answered to the text."""

    async def count() -> int:
        async with connected(system.settings.acting_as(SUPERUSER), "test") as connection:
            query = "SELECT count(*) FROM delivery.attempt WHERE position($1::bytea IN answer) > 0"
            found: int = await connection.fetchval(query, NAME.encode())
            return found

    return asyncio.run(count()) == 0


async def checkpoint(system: System) -> None:
    """PostgreSQL writes its pages, and removes the files of what was rewritten."""
    async with connected(system.settings.acting_as(SUPERUSER), "test") as connection:
        await connection.execute("CHECKPOINT")
