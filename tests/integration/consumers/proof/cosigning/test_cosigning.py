"""The relay asks witnesses: the newest checkpoint is served with enough cosignatures, none holds up another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from consumers.proof.cosigning.cosigning import PAUSE_MAX_S, Cosigning, Submitter
from consumers.proof.witness.witness import Witness
from infra.log.signed_note import LogKey, parse_checkpoint
from infra.observability.telemetry import REGISTRY
from infra.postgres.connection import Connection, connected
from infra.process import lease
from infra.process.leader_election import Term
from infra.settings import Settings
from infra.witnesses.cosignature import cosigner_of, cosigners_of
from infra.witnesses.policy import NotWitnessed, Policy, parse_policy
from tests.integration.consumers.api.read_api import read_window
from tests.world.logs import sign, write_signed_log
from tests.world.memory_log import KEY, root_of, sample_entries
from tests.world.processes import Clock
from tests.world.waits import until
from tests.world.witness import MemoryState
from tests.world.witness_process import running

SIGNED, GROWN = 700, 900
ENTRIES = sample_entries(1100)
NAMES = ("court", "bank", "guild")
KEYS = {name: LogKey(f"{name}.example/witness", bytes([number]) * 32) for number, name in enumerate(NAMES, 1)}
COSIGNERS = {name: cosigner_of(key) for name, key in KEYS.items()}


def policy_of(quorum: str = "enough", least: str = "2") -> Policy:
    lines = [f"witness {name} {cosigner.vkey} https://{name}.example/\n" for name, cosigner in COSIGNERS.items()]
    return parse_policy(f"{''.join(lines)}group enough {least} court bank guild\nquorum {quorum}\n")


class Relay:
    """The relay's task, which looks when a test asks it to, and the witnesses that answer: those that are `here`."""

    def __init__(
        self, settings: Settings, term: Term, own: Connection, watching: Connection, client: httpx.AsyncClient
    ) -> None:
        self._settings, self._term, self._own, self._watching = settings, term, own, watching
        self._clock = Clock(0.0)
        witnesses = policy_of().witnesses
        self.submitters = {name: Submitter(client, row, self._clock) for name, row in witnesses.items()}
        self.follow(policy_of())

    def follow(self, policy: Policy, term: Term | None = None) -> None:
        """Begin with this policy, as a relay of this term."""
        self._policy = policy
        self._cosigning = Cosigning(self._settings, self._policy, term or self._term)

    async def look(self, *asked: str) -> str:
        """Ask these witnesses, after any pause; the note that is kept, empty without one."""
        self._clock.now += PAUSE_MAX_S
        await self._cosigning.look(self._own, self._policy, [self.submitters[name] for name in asked or NAMES])
        return await self.kept()

    async def kept(self) -> str:
        return await self._watching.fetchval("SELECT note FROM platform.cosigned_checkpoint") or ""


@pytest.fixture
async def term(settings: Settings, connection: Connection) -> Term:
    await write_signed_log(connection, ENTRIES, SIGNED)
    epoch = await lease.claim(connection, "relay", "test", settings)
    assert epoch is not None
    return Term(epoch, asyncio.Event())


@pytest.fixture
def here() -> dict[str, Witness | None]:
    """The witnesses that are not away, by name; None never answers."""
    return {}


@pytest.fixture
async def relay(
    settings: Settings, connection: Connection, term: Term, here: dict[str, Witness | None]
) -> AsyncIterator[Relay]:
    """With the relay's rights."""

    async def answer(request: httpx.Request) -> httpx.Response:
        name = request.url.host.partition(".")[0]
        if name not in here:
            raise httpx.ConnectError("it is away")
        witness = here[name] or await asyncio.Event().wait()
        assert isinstance(witness, Witness)
        found = witness.add_checkpoint(request.content, 1_700_000_000)
        return httpx.Response(found.status, text=found.body, headers={"content-type": found.type})

    async with (
        connected(settings.acting_as("relay"), "witnesses") as own,
        httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client,
    ):
        yield Relay(settings, term, own, connection, client)


def witness(name: str) -> Witness:
    return Witness(KEYS[name], [KEY.verifier], MemoryState())


def cosigned_by(note: str) -> set[str]:
    names = {cosigner: name for name, cosigner in COSIGNERS.items()}
    return {names[cosigner] for cosigner in cosigners_of(note, list(names))}


@asynccontextmanager
async def at_work(settings: Settings, policy: Policy | None, term: Term) -> AsyncIterator[None]:
    """The task as the relay runs it."""
    task = asyncio.create_task(Cosigning(settings.acting_as("relay"), policy, term).run())
    try:
        yield
        assert not task.done(), task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_served_checkpoint_has_enough_cosignatures_and_the_newest_is_beside_it(
    settings: Settings, connection: Connection, relay: Relay, here: dict[str, Witness | None]
) -> None:
    here |= {name: witness(name) for name in NAMES}
    assert cosigned_by(await relay.look()) == {*NAMES}
    await sign(connection, ENTRIES, GROWN)
    note = await relay.look()
    policy_of().require(parse_checkpoint(note, KEY.verifier))
    await sign(connection, ENTRIES, GROWN + 1)
    async with read_window(settings, connection) as window:
        served = (await window.client.get("/log/0/checkpoint")).text
        newest = (await window.client.get("/log/0/checkpoint.newest")).text
    assert served == note
    assert f"\n{GROWN}\n" in note
    assert newest == KEY.sign_checkpoint(GROWN + 1, root_of(ENTRIES[: GROWN + 1]))

    relay.follow(policy_of("none"))
    assert cosigned_by(await relay.look("court")) == {"court"}
    here.clear()
    await sign(connection, ENTRIES, len(ENTRIES))
    assert await relay.look() == "", "the quorum needs nobody: the newest is served"


async def test_the_relays_task_asks_a_witness_and_forgets_what_was_cosigned_where_there_are_none(
    settings: Settings, relay: Relay, term: Term, tmp_path: Path
) -> None:
    with running(tmp_path, KEYS["court"], KEY.verifier, first_run=True) as court:
        policy = parse_policy(f"witness court {COSIGNERS['court'].vkey} {court.address}\nquorum court\n")
        async with at_work(settings, policy, term):
            await until(relay.kept, "a witness cosigned")
    assert cosigned_by(await relay.kept()) == {"court"}

    async def forgotten() -> bool:
        return not await relay.kept()

    async with at_work(settings, None, term):
        await until(forgotten, "the newest is served")


async def test_one_witness_that_never_answers_changes_nothing_and_two_hold_the_cosigned_one_back(
    relay: Relay, here: dict[str, Witness | None], term: Term
) -> None:
    here["court"] = witness("court")
    assert await relay.look() == "", "one of two is not enough"
    here["guild"] = witness("guild")
    relay.follow(policy_of(), Term(term.epoch - 1, asyncio.Event()))
    assert await relay.look() == "", "a relay that was replaced writes nothing"
    relay.follow(policy_of())
    here["bank"] = None
    looking = asyncio.create_task(relay.look())
    await until(relay.kept, "two of three are enough", 4.0)
    looking.cancel()
    note = await relay.kept()
    assert (cosigned_by(note), REGISTRY.get_sample_value("yesser_cosigned_size")) == ({"court", "guild"}, SIGNED)
    with pytest.raises(NotWitnessed, match="missing: bank"):
        policy_of(least="all").require(parse_checkpoint(note, KEY.verifier))


async def test_the_first_cosigned_one_is_the_newest_and_another_history_is_cosigned_by_nobody(
    connection: Connection, relay: Relay, here: dict[str, Witness | None]
) -> None:
    here |= {name: witness(name) for name in ("court", "bank")}
    assert await relay.look("court") == ""
    later, bank = len(ENTRIES) - 50, relay.submitters["bank"]
    ask = bank.cosignature

    async def overtaken(*arguments: object) -> str | None:
        await sign(connection, ENTRIES, later)  # signed while the witness was asked
        return await ask(*arguments)  # type: ignore[arg-type]

    bank.cosignature = overtaken  # type: ignore[method-assign, assignment]
    assert await relay.look("bank") == ""
    bank.cosignature = ask  # type: ignore[method-assign]
    assert f"\n{later}\n" in await relay.look()
    # The holder of the log's key and of its database signs another tree of a later size.
    forked = [*ENTRIES[:10], b"{}", *ENTRIES[11:]]
    await connection.execute("DELETE FROM platform.cosigned_checkpoint")
    await sign(connection, forked, len(forked))
    assert await relay.look() == ""
