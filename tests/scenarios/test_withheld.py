"""A name goes everywhere the platform sends it, is withheld, and is then searched for byte by byte."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from infra.backup.catalogue import BackupFolder
from infra.postgres.connection import connected
from infra.principals import SUPERUSER
from infra.private_keys.key_files import read_verifier
from producers.publisher.kafka_publisher import AgencyPublisher
from tests.scenarios.launches import hooked_system, service_event
from tests.scenarios.system import System, until
from tests.world.events import encoded, event

pytestmark = [pytest.mark.stack, pytest.mark.accept, pytest.mark.timeout(900)]

NAME: Final = "Sara AL-Ghamdi"
WHY: Final = (
    *("--reason-ar", "طلب صاحبة الاسم", "--reason-en", "The person asked"),
    *("--legal-basis-ar", "نظام حماية البيانات الشخصية", "--legal-basis-en", "Personal Data Protection Law"),
)
NOT_AT_ONCE: Final = {"pg_wal", "yesser.texts-0", "agency.health.events-0"}
"""Folders whose files still have it on the same day: old WAL, and Kafka's until their segments are closed."""


def holding(folder: Path) -> set[str]:
    """The folders of the files below that have the name."""
    return {path.parent.name for path in files(folder) if NAME.encode() in path.read_bytes()}


def files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


async def publish(system: System, *events: bytes) -> None:
    async with AgencyPublisher(system.settings, "health") as publisher:
        for one in events:
            await publisher.add(one)
        await publisher.flush()
    await asyncio.to_thread(system.settle)


def aired(campaign_id: str, outlet: str) -> bytes:
    data = {"campaign_id": campaign_id, "airing_id": "A-1", "channel": "tv", "on": "2026-11-02", "reach": 9}
    text = {"ar": outlet, "en": outlet}
    return encoded(event("awareness.campaign-aired", f"campaign/{campaign_id}", data | {"outlet": text}, id="aired"))


async def test_a_withheld_name_is_in_no_file_and_every_earlier_proof_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hooked_system() as (system, hook, _):
        ask, run = partial(asyncio.to_thread, system.ask), partial(asyncio.to_thread, system.run)
        subscription = ("subscriptions", "add", "health", "press", "--route", "webhook")
        await ask(*subscription, "--type", "awareness.campaign-aired")
        launched = service_event("service.launched", 1, on="2026-11-01", channels=["web"])
        await publish(system, service_event("service.registered", 1, plan_id="P", group=1), launched)
        await hook.until(1, timeout_s=120)
        await publish(system, aired(json.loads(hook.got[0].body)["data"]["campaign_id"], NAME))
        await hook.until(2, timeout_s=60)
        assert NAME.encode() in hook.got[1].body
        (place,) = {(place["index"], place["command"]) for place in await ask("find-person", NAME)}

        monkeypatch.setenv("YESSER_BACKUP", str(tmp_path / "backups"))
        for folder in ("before", "after"):
            await asyncio.to_thread((tmp_path / folder).mkdir)
        outside = await elsewhere(system, tmp_path / "before", run)
        before = await ask("commit")
        await run("backup", "create", str(tmp_path / "backups"))
        for kept in (system.home, tmp_path / "backups", *outside):
            assert holding(kept), kept

        entry, command = place
        assert command.startswith(f"yesser withheld propose {entry} /data/outlet ")
        done = await ask("withheld", "propose", str(entry), "/data/outlet", *WHY, "--yes")
        await asyncio.to_thread(system.settle)
        answers = [await ask(*command.split()[1:]) for command in done["further"]]
        purged = answers[-1]
        assert purged["backups"] == [backup.name for backup in BackupFolder.at(tmp_path / "backups").backups()]
        await checkpoint(system)

        # Kafka removes the files of a deleted topic after a minute.
        is_gone = partial(until, lambda: holding(system.home) <= NOT_AT_ONCE, 120, "the name is still in a file")
        await asyncio.to_thread(is_gone)
        assert await ask("find-person", NAME, exits=(1,)) == []
        mirror, export, replay = await elsewhere(system, tmp_path / "after", run, mirror=outside[0])
        for made in (mirror, export, replay):
            assert not holding(made), made
        assert (await ask("withheld", "check"))["withheld"] == 1
        for check in (("audit", "verify", "--database"), ("audit", "commitments"), ("rebuild", "--compare")):
            await run(*check)
        assert await ask("commit") != before
        vkey = read_verifier(system.settings, None).vkey
    for made in (export, outside[1]):
        verify = [sys.executable, "-I", str(made / "verify.py"), str(made), vkey]
        await asyncio.to_thread(subprocess.run, verify, check=True, stdout=subprocess.DEVNULL)


async def elsewhere(system: System, folder: Path, run: Any, mirror: Path | None = None) -> tuple[Path, Path, Path]:
    """A mirror, an export and a replay of the log."""
    mirror, export, replay = mirror or folder / "mirror", folder / "export", folder / "replay"
    await run("audit", "mirror", str(mirror))
    await run("audit", "export", "--into", str(export))
    await run("audit", "replay", str(mirror), "--into", str(replay))
    return mirror, export, replay


async def checkpoint(system: System) -> None:
    """PostgreSQL writes its pages, and removes the files of what was rewritten."""
    async with connected(system.settings.acting_as(SUPERUSER), "test") as connection:
        await connection.execute("CHECKPOINT")
