"""The relay asks real witnesses: the newest checkpoint is served with enough cosignatures, none holds up another."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from consumers.cosigning.cosigning import LOOK_EVERY_S, Cosigning
from consumers.cosigning.submitter import REQUEST_MAX_S
from infra.log.signed_note import LogKey, parse_checkpoint
from infra.observability.telemetry import REGISTRY
from infra.postgres.connection import Connection
from infra.process import lease
from infra.process.leader_election import Term
from infra.settings import Settings
from infra.witnesses.cosignature import cosigner_of, cosigners_of
from infra.witnesses.policy import NotWitnessed, Policy, parse_policy
from tests.integration.consumers.read_api.read_api import read_window
from tests.world.logs import sign, write_signed_log
from tests.world.memory_log import KEY, root_of, sample_entries
from tests.world.waits import intervals, until
from tests.world.witness_process import KILLED_BEFORE_ANSWER, running

SIGNED, GROWN = 700, 900
ENTRIES = sample_entries(1100)
NAMES = ("court", "bank", "guild")
KEYS = {name: LogKey(f"{name}.example/witness", bytes([number]) * 32) for number, name in enumerate(NAMES, 1)}
NOBODY = "http://127.0.0.1:9/"


class Witnesses:
    """Three witnesses, of which some may be away; two must cosign."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stack = ExitStack()
        self.addresses = dict.fromkeys(KEYS, NOBODY)

    def start(self, *names: str, first_run: bool = True, before: str = "") -> None:
        for name in names:
            started = running(self.folder / name, KEYS[name], KEY.verifier, first_run=first_run, before=before)
            self.addresses[name] = self._stack.enter_context(started).address

    def stop(self) -> None:
        self._stack.close()

    @property
    def policy(self) -> Policy:
        lines = [f"witness {name} {cosigner_of(key).vkey} {self.addresses[name]}\n" for name, key in KEYS.items()]
        return parse_policy(f"{''.join(lines)}group enough 2 court bank guild\nquorum enough\n")


@pytest.fixture
def witnesses(tmp_path: Path) -> Iterator[Witnesses]:
    found = Witnesses(tmp_path)
    yield found
    found.stop()


@pytest.fixture
async def term(settings: Settings, connection: Connection) -> Term:
    await write_signed_log(connection, ENTRIES, SIGNED)
    epoch = await lease.claim(connection, "relay", "test", settings)
    assert epoch is not None
    return Term(epoch, asyncio.Event())


async def kept(connection: Connection) -> str | None:
    note: str | None = await connection.fetchval("SELECT note FROM platform.cosigned_checkpoint")
    return note


@asynccontextmanager
async def at_work(settings: Settings, policy: Policy | None, term: Term) -> AsyncIterator[None]:
    """The task of the relay, with the relay's rights."""
    task = asyncio.create_task(Cosigning(settings.acting_as("relay"), policy, term).run())
    try:
        yield
        assert not task.done(), task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until_kept(holds: Callable[[str | None], bool], connection: Connection, within_s: float = 20.0) -> str:
    """The note that is served with its cosignatures, once this holds of it."""

    async def is_kept() -> bool:
        return holds(await kept(connection))

    await until(is_kept, "the cosigned checkpoint is as it should be", within_s, every_s=0.05)
    return await kept(connection) or ""


def cosigned_by(note: str) -> set[str]:
    names = {cosigner_of(key): name for name, key in KEYS.items()}
    return {names[cosigner] for cosigner in cosigners_of(note, list(names))}


async def test_the_served_checkpoint_has_enough_cosignatures_and_the_newest_is_beside_it(
    settings: Settings, connection: Connection, term: Term, witnesses: Witnesses
) -> None:
    witnesses.start("court")
    witnesses.start("bank", before=KILLED_BEFORE_ANSWER)
    async with at_work(settings, witnesses.policy, term):
        await intervals(round(1000 * LOOK_EVERY_S), 2)
    assert await kept(connection) is None, "one of two was killed before its answer"
    witnesses.start("bank", first_run=False)
    witnesses.start("guild")
    policy = witnesses.policy
    async with at_work(settings, policy, term):
        await until_kept(lambda note: note is not None and cosigned_by(note) == set(NAMES), connection)
        await sign(connection, ENTRIES, GROWN)
        note = await until_kept(lambda note: note is not None and f"\n{GROWN}\n" in note, connection)
    policy.require(parse_checkpoint(note, KEY.verifier))
    await sign(connection, ENTRIES, GROWN + 1)
    async with read_window(settings, connection) as window:
        served = (await window.client.get("/log/0/checkpoint")).text
        newest = (await window.client.get("/log/0/checkpoint.newest")).text
    assert served.startswith(note.rpartition("\n\n")[0])
    assert len(cosigned_by(served)) >= 2
    assert newest == KEY.sign_checkpoint(GROWN + 1, root_of(ENTRIES[: GROWN + 1]))

    court = f"witness court {cosigner_of(KEYS['court']).vkey} {witnesses.addresses['court']}\n"
    async with at_work(settings, parse_policy(f"{court}quorum none\n"), term):
        note = await until_kept(lambda note: note is not None and f"\n{GROWN + 1}\n" in note, connection)
        assert cosigned_by(note) == {"court"}
        witnesses.stop()
        await sign(connection, ENTRIES, len(ENTRIES))
        await until_kept(lambda note: note is None, connection)  # the quorum needs nobody: the newest is served
    await connection.execute("INSERT INTO platform.cosigned_checkpoint (size, note) VALUES (1, 'old')")
    async with at_work(settings, None, term):
        await until_kept(lambda note: note is None, connection)  # nor does anybody where there are no witnesses


async def test_one_witness_that_never_answers_changes_nothing_and_two_hold_the_cosigned_one_back(
    settings: Settings, connection: Connection, term: Term, witnesses: Witnesses
) -> None:
    witnesses.start("court")
    async with at_work(settings, witnesses.policy, term):
        await intervals(round(1000 * LOOK_EVERY_S), 2)
        assert await kept(connection) is None, "one of two is not enough"
        assert REGISTRY.get_sample_value("yesser_cosigned_size") == 0, "an alert compares it"
    witnesses.start("guild")
    async with at_work(settings, witnesses.policy, Term(term.epoch - 1, asyncio.Event())):
        await intervals(round(1000 * LOOK_EVERY_S), 2)
    assert await kept(connection) is None, "a relay that was replaced writes nothing"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        witnesses.addresses["bank"] = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        async with at_work(settings, witnesses.policy, term):
            note = await until_kept(lambda note: note is not None, connection, within_s=REQUEST_MAX_S - 1)
    assert cosigned_by(note) == {"court", "guild"}
    lines = [f"witness {name} {cosigner_of(key).vkey}\n" for name, key in KEYS.items()]
    all_three = parse_policy(f"{''.join(lines)}group g all court bank guild\nquorum g\n")
    with pytest.raises(NotWitnessed, match="missing: bank"):
        all_three.require(parse_checkpoint(note, KEY.verifier))


async def test_the_first_cosigned_one_is_the_newest_and_another_history_is_cosigned_by_nobody(
    settings: Settings, connection: Connection, term: Term, witnesses: Witnesses
) -> None:
    witnesses.start("court", "bank")
    policy = witnesses.policy
    cosigning = Cosigning(settings, policy, term)
    async with cosigning.submitters(policy) as submitters:
        asked = [row for row in submitters if row.witness.name != "guild"]
        await cosigning.look(connection, policy, asked[:1])
        ask, later = asked[1].cosignature, len(ENTRIES) - 50

        async def overtaken(*arguments: object) -> str | None:
            await sign(connection, ENTRIES, later)  # signed while the witness was asked
            return await ask(*arguments)  # type: ignore[arg-type]

        asked[1].cosignature = overtaken  # type: ignore[method-assign, assignment]
        await cosigning.look(connection, policy, asked[1:])
        assert await kept(connection) is None
        asked[1].cosignature = ask  # type: ignore[method-assign]
        await cosigning.look(connection, policy, asked)
    assert f"\n{later}\n" in (await kept(connection) or "")
    # The holder of the log's key and of its database signs another tree of a later size.
    forked = [*ENTRIES[:10], b"{}", *ENTRIES[11:]]
    await connection.execute("DELETE FROM platform.cosigned_checkpoint")
    await sign(connection, forked, len(forked))
    async with at_work(settings, policy, term):
        await intervals(round(1000 * LOOK_EVERY_S))
    assert await kept(connection) is None
