"""Texts of a real log, served by a real gateway: who may read them, and three mirrors around a withholding."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import httpx

from consumers.proof.audit.mirror import write_mirror
from consumers.proof.audit.port import MirrorPort, http_port
from consumers.proof.audit.texts import TextsReport, WatchedLog
from infra.kafka.client_config import agency_topic
from infra.log.ports.tree import require_tree
from infra.log.signed_note import Verifier
from infra.postgres.connection import Connection
from infra.private_keys.key_files import load_keys, log_key_files
from infra.settings import Settings
from producers.agencies.tokens import TokenRequest, create_token, hash_key
from producers.sdk.answers import Proof
from producers.sdk.client import AgencyClient
from tests.world.logs_with_texts import service_suspended, workshop_held
from tests.world.records import said, withheld
from tests.world.registrars import at_work, until_signed, until_size
from tests.world.senders import serving
from tests.world.topics import HEALTH_TOPIC, PLATFORM_TOPIC, make_topics, send
from tests.world.waits import until

NAME = "Sara Alqahtani"
FOUNDED = 3


async def report(folder: Path, key: Verifier) -> TextsReport | None:
    watched = WatchedLog(MirrorPort(folder, key))
    checkpoint = await watched.checkpoint()
    await require_tree(watched, checkpoint.size, checkpoint.root)
    return await watched.report()


def files_with_the_name(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and NAME.encode() in path.read_bytes()]


async def test_three_mirrors_around_a_withholding_forget_the_same_and_prove_the_same(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    settings = settings.model_copy(update={"checkpoint_interval_ms": 50, "gateway_port": 0})
    suspension = service_suspended("s1", NAME)
    await make_topics(settings, "yesser")
    async with at_work(settings, connection, "health"), serving(settings) as gateway:
        tokens = {
            kind: (await create_token(connection, hash_key(settings), request)).token
            for kind, request in (
                ("auditor", TokenRequest("auditor", "court-of-audit", 1)),
                ("agency", TokenRequest("agency", "health", 1)),
            )
        }
        address = f"http://127.0.0.1:{gateway.port}/log/0/"
        await send(settings, HEALTH_TOPIC, said("a"), suspension, said("b"))
        await until_size(connection, FOUNDED + 3)
        await send(settings, agency_topic("yesser"), workshop_held("w1", NAME))
        await until_size(connection, FOUNDED + 4)
        await until_signed(connection)
        key = load_keys(log_key_files(settings)).history.keys[0]

        async def mirrored(name: str) -> Path:
            async with http_port(address, key, tokens["auditor"]) as port:
                await write_mirror(port, tmp_path / name, key)
            return tmp_path / name

        async def grown(*members: str, size: int) -> None:
            records = [withheld(FOUNDED + (1 if member == "reason" else 3), member) for member in members]
            own_ids = [record.replace(b"0123456789ab", b"%012x" % (size + n)) for n, record in enumerate(records)]
            await send(settings, PLATFORM_TOPIC, *own_ids)
            await until(lambda: is_served(size), "the withholding is signed and served")

        async def is_served(size: int) -> bool:
            async with httpx.AsyncClient(base_url=address, trust_env=False, verify=False) as client:
                return (await client.get("checkpoint")).text.split("\n")[1] == str(size)

        async def texts(kind: str | None, name: str = "000") -> httpx.Response:
            headers = {} if kind is None else {"authorization": f"Bearer {tokens[kind]}"}
            async with httpx.AsyncClient(base_url=address, headers=headers, trust_env=False, verify=False) as client:
                return await client.get(f"texts/{name}")

        answer = await texts("auditor")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        rows = [json.loads(line) for line in answer.text.splitlines()]
        found = [(row["index"] - FOUNDED, row["member"]) for row in rows]
        assert found == [(1, "reason"), (3, "partners"), (3, "place")]
        assert json.loads(rows[0]["text"])["en"] == f"{NAME} is on leave"
        assert [(await texts(kind)).status_code for kind in (None, "agency")] == [401, 403]
        for name in ("001", "000.p/7", "0", "..", "x000/000"):
            assert (await texts("auditor", name)).status_code in (400, 404), name

        async def proof() -> Proof:
            async with AgencyClient(f"http://127.0.0.1:{gateway.port}", tokens["agency"]) as client:
                return await client.proof(FOUNDED + 1, key.vkey)

        proven = await proof()
        assert sha256(proven.event).digest() == sha256(suspension).digest(), "as its receipt has it"

        before = await mirrored("before")
        assert files_with_the_name(before) == ["000"]
        assert await report(before, key) == TextsReport(3, 0, 0, [])
        await grown("reason", size=FOUNDED + 5)
        between = await mirrored("between")
        assert await report(between, key) == TextsReport(2, 1, 0, [])
        await grown("partners", "place", size=FOUNDED + 7)
        after = await mirrored("after")
        again = await proof()
        assert again.entry == proven.entry, "the entry keeps its bytes"
        assert NAME not in again.model_dump_json()
        assert b"was withheld" in again.event
        for name in ("before", "between"):
            await mirrored(name)
        assert (await texts("auditor")).text == (after / "texts/000").read_text(encoding="utf-8")
    for folder in (before, between, after):
        assert files_with_the_name(folder) == []
        assert await report(folder, key) == TextsReport(0, 3, 0, [])
        for file in ("checkpoint", "texts/000", f"tile/entries/000.p/{FOUNDED + 7}"):
            assert (folder / file).read_bytes() == (after / file).read_bytes()
