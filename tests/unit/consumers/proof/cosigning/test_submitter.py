"""What a witness answers is bounded and never believed without its signature; one that fails is left alone a while."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx

from consumers.proof.cosigning.cosigning import PAUSE_MAX_S, Submitter
from consumers.proof.witness.witness import Witness as Cosigning
from infra.log.proofs import consistency_proof
from infra.log.signed_note import LogKey, parse_checkpoint
from infra.witnesses.add_checkpoint import BODY_BYTES_MAX, SIZE_TYPE, parse_add_checkpoint
from infra.witnesses.cosignature import cosign, cosigner_of
from infra.witnesses.policy import Witness
from tests.every import every
from tests.world.memory_log import KEY, MemoryLog, root_of
from tests.world.processes import Clock
from tests.world.witness import LOG, WITNESS, MemoryState

Answer = Callable[[httpx.Request], httpx.Response]
OTHER = LogKey("other.example/witness", bytes(32))


def checkpoint(size: int) -> str:
    return KEY.sign_checkpoint(size, root_of(LOG[:size]))


def text_of(size: int) -> str:
    return checkpoint(size).rpartition("\n\n")[0] + "\n"


async def prove(old: int, new: int) -> list[bytes]:
    return await consistency_proof(MemoryLog(LOG), old, new)


@asynccontextmanager
async def submitting(answer: Answer, clock: Clock[float], path: str = "w/") -> AsyncIterator[Submitter]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        witness = Witness("court", cosigner_of(WITNESS), f"http://court.example/{path}")
        yield Submitter(client, witness, clock)


async def asked(answer: Answer, sizes: list[int]) -> tuple[list[str | None], bool]:
    """What one submitter gets for checkpoints of these sizes, and whether it tries again at once."""
    async with submitting(answer, Clock(0.0)) as submitter:
        found = [await submitter.cosignature(parse_checkpoint(checkpoint(n), KEY.verifier), prove) for n in sizes]
        return found, submitter.is_due


def honest(begins_at: int = 0) -> Answer:
    """Our own witness, which has cosigned a tree before."""
    witness = Cosigning(WITNESS, [KEY.verifier], MemoryState())
    if begins_at:
        witness.last = parse_checkpoint(checkpoint(begins_at), KEY.verifier)

    def answer(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "http://court.example/w/add-checkpoint"
        found = witness.add_checkpoint(request.content, 1_700_000_000)
        return httpx.Response(found.status, text=found.body, headers={"content-type": found.type})

    return answer


async def test_it_learns_where_the_witness_is_and_then_proves_from_there() -> None:
    sizes: list[int] = []
    answer = honest(begins_at=9)

    def counting(request: httpx.Request) -> httpx.Response:
        sizes.append(parse_add_checkpoint(request.content).old_size)
        return answer(request)

    found, _ = await asked(counting, [15, 20, 20, 40])
    assert None not in found
    assert sizes == [0, 9, 15, 20, 20]


async def test_a_witness_ahead_of_the_log_does_not_cosign_and_later_does() -> None:
    (before, after), is_due = await asked(honest(begins_at=20), [15, 30])
    assert before is None
    assert after is not None
    assert is_due


def lost(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


WRONG: dict[str, Answer] = {
    "a lost connection": lost,
    "a page": lambda _: httpx.Response(200, text="<html>ok</html>"),
    "nothing": lambda _: httpx.Response(200),
    "another witness's": lambda _: httpx.Response(200, text=cosign(OTHER, text_of(15), 5)),
    "its own of another tree": lambda _: httpx.Response(200, text=cosign(WITNESS, text_of(14), 5)),
    "too much": lambda _: httpx.Response(200, content=b"x" * (BODY_BYTES_MAX + 1)),
    "bytes": lambda _: httpx.Response(200, content=bytes(range(256))),
    "a redirect": lambda _: httpx.Response(307, headers={"location": "http://127.0.0.1/"}),
    "a refusal": lambda _: httpx.Response(422, text="no"),
    "an error": lambda _: httpx.Response(503),
    "no size": lambda _: httpx.Response(409, text="many\n"),
    "a size beyond any": lambda _: httpx.Response(409, text="9" * 5_000, headers={"content-type": SIZE_TYPE}),
    "a size ahead": lambda _: httpx.Response(409, text="16\n", headers={"content-type": SIZE_TYPE}),
    "the same size again": lambda _: httpx.Response(409, text="0\n", headers={"content-type": SIZE_TYPE}),
    "broken gzip": lambda _: httpx.Response(200, stream=httpx.ByteStream(b"x"), headers={"content-encoding": "gzip"}),
}


@every("wrong", WRONG)
async def test_a_wrong_answer_is_no_cosignature_and_the_next_try_waits(wrong: str) -> None:
    clock, requests = Clock(0.0), 0

    def counted(request: httpx.Request) -> httpx.Response:
        nonlocal requests
        requests += 1
        return WRONG[wrong](request)

    async with submitting(counted, clock) as submitter:
        assert await submitter.cosignature(parse_checkpoint(checkpoint(15), KEY.verifier), prove) is None
        assert requests <= 3
        assert not submitter.is_due
        clock.now += PAUSE_MAX_S
        assert submitter.is_due


async def test_pauses_grow_and_end_with_the_first_cosignature() -> None:
    clock, answer, pauses = Clock(0.0), honest(), []
    is_up = False

    def sometimes(request: httpx.Request) -> httpx.Response:
        return answer(request) if is_up else httpx.Response(500)

    async with submitting(sometimes, clock, "w") as submitter:
        newest = parse_checkpoint(checkpoint(15), KEY.verifier)
        for _ in range(10):
            await submitter.cosignature(newest, prove)
            began = clock.now
            while not submitter.is_due:
                clock.now += 0.25
            pauses.append(clock.now - began)
        assert pauses[0] <= 1.25
        assert PAUSE_MAX_S / 2 <= pauses[-1] <= PAUSE_MAX_S
        is_up = True
        assert await submitter.cosignature(newest, prove) is not None
        assert submitter.is_due
