"""Collects cosignatures of the newest checkpoint, and keeps it for readers once the policy is satisfied.

Flows in: checkpoints that are signed already, from the database. Flows out: one row, the newest checkpoint that enough
witnesses cosigned. The registrar never waits for a witness, and one that is away is asked less and less often.

Asks one witness to cosign checkpoints (C2SP tlog-witness, `add-checkpoint`).

What it answers is bounded in size and time, and believed only if it is its cosignature. After a failure it is asked
again later, each time after a longer pause.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx

from events.errors import Retry
from infra.clock import backoff_s
from infra.http.answers import bound_answers
from infra.log.proofs import consistency_proof
from infra.log.reader import StoredHashes, newest_checkpoint
from infra.log.signed_note import Checkpoint, read_checkpoint
from infra.observability.logs import LogOnce
from infra.observability.telemetry import gauge
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.process.leader_election import Term
from infra.settings import Settings
from infra.tls.certificate_files import TlsFiles
from infra.tls.client import client_context
from infra.witnesses.add_checkpoint import BODY_BYTES_MAX, PATH, AddCheckpoint
from infra.witnesses.cosignature import cosignature_in
from infra.witnesses.policy import InvalidPolicy, Policy, Witness, read_policy

REQUEST_MAX_S: Final = 5.0
PAUSE_MIN_S: Final = 1.0
PAUSE_MAX_S: Final = 60.0
CONFLICTS_MAX: Final = 3
"""Answers 409 in one try: the first names the size, another one comes only where somebody else asks as well."""

DIGITS_MAX: Final = 19

Prove = Callable[[int, int], Awaitable[Sequence[bytes]]]
"""The consistency proof from one size to another."""
LOOK_EVERY_S: Final = 0.5
_SQL: Final = queries("consumers.proof.cosigning", "cosigned.sql")


class NotCosigned(Retry):
    """A witness did not cosign; the message says what it answered."""


class Submitter:
    """One witness. `clock` is monotonic, in seconds."""

    def __init__(self, client: httpx.AsyncClient, witness: Witness, clock: Callable[[], float]) -> None:
        self.witness = witness
        self._client = client
        bound_answers(client, BODY_BYTES_MAX)
        self._clock = clock
        self._url = f"{(witness.address or '').rstrip('/')}/{PATH}"
        self._size = 0
        """What it cosigned last, as far as is known here."""
        self._tries = 0
        self._next_s = 0.0
        self._failing = LogOnce("a witness does not cosign", "the witness cosigns again")

    @property
    def is_due(self) -> bool:
        return self._clock() >= self._next_s

    async def cosignature(self, checkpoint: Checkpoint, prove: Prove) -> str | None:
        """The witness's line for the checkpoint's note; None where it does not cosign now."""
        try:
            async with asyncio.timeout(REQUEST_MAX_S):
                line = await self._asked(checkpoint, prove)
        except (NotCosigned, httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            self._tries += 1
            spread = random.random()  # noqa: S311 - spreads waits, no secret
            self._next_s = self._clock() + backoff_s(self._tries, spread, PAUSE_MIN_S, PAUSE_MAX_S)
            self._failing.begins(error, witness=self.witness.name)
            return None
        self._tries, self._next_s = 0, 0.0
        self._failing.ends(witness=self.witness.name)
        return line

    async def _asked(self, checkpoint: Checkpoint, prove: Prove) -> str:
        for _ in range(CONFLICTS_MAX):
            if self._size > checkpoint.size:
                size, self._size = self._size, 0
                raise NotCosigned(f"it cosigned {size} entries before, and the log has {checkpoint.size}")
            proof = await prove(self._size, checkpoint.size)
            status, text = await self._post(AddCheckpoint(self._size, proof, checkpoint.note))
            if status == HTTPStatus.OK:
                line = cosignature_in(text, checkpoint.note.rpartition("\n\n")[0] + "\n", self.witness.cosigner)
                if line is None:
                    raise NotCosigned("its answer has no cosignature of its key")
                self._size = checkpoint.size
                return line
            known = text.removesuffix("\n")
            if status != HTTPStatus.CONFLICT or not (known.isascii() and known.isdecimal()) or len(known) > DIGITS_MAX:
                raise NotCosigned(f"it answered {status}: {text[:200].strip()}")
            self._size = int(known)
        raise NotCosigned("it names another size at each request")

    async def _post(self, request: AddCheckpoint) -> tuple[int, str]:
        answer = await self._client.post(self._url, content=request.body())
        return answer.status_code, answer.content.decode("utf-8", errors="replace")


def witness_policy(path: Path | None) -> Policy | None:
    """The policy in the settings' file. Raises `InvalidPolicy`, also where too few witnesses have an address."""
    if path is None:
        return None
    policy = read_policy(path)
    cosigners = [witness.cosigner for witness in policy.witnesses.values() if witness.address is not None]
    if not policy.is_satisfied_by(cosigners):
        raise InvalidPolicy(f"{path}: too few witnesses of the quorum {policy.quorum} have an address to be asked at")
    return policy


@dataclass
class Cosigning:
    """Asks the witnesses of a policy until it is cancelled; without one it forgets what they cosigned.

    `looked` is called after each look.
    """

    settings: Settings
    policy: Policy | None
    term: Term
    looked: Callable[[], None] = lambda: None
    _newest: Checkpoint | None = None
    _lines: dict[str, str] = field(default_factory=dict)
    """The cosignatures of the newest checkpoint, by the witness's name."""
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    """A connection answers one query at a time."""

    async def run(self) -> None:
        async with self.term.connected(self.settings, "witnesses") as connection:
            if self.policy is not None:
                await self._work(connection, self.policy)
            await connection.execute(_SQL["forget"], self.term.epoch)
            self.looked()
        await asyncio.Event().wait()  # to return would end the relay's term

    async def _work(self, connection: Connection, policy: Policy) -> None:
        # Also before the policy is satisfied: without a size nobody would notice that it never is.
        gauge("cosigned_size", await connection.fetchval(_SQL["kept_size"]))
        async with self.submitters(policy) as submitters:
            while True:
                await self.look(connection, policy, submitters)
                self.looked()
                await asyncio.sleep(LOOK_EVERY_S)

    @asynccontextmanager
    async def submitters(self, policy: Policy) -> AsyncIterator[list[Submitter]]:
        """The witnesses that have an address. Redirects are not followed."""
        verify = client_context(TlsFiles.of(self.settings))
        async with httpx.AsyncClient(timeout=REQUEST_MAX_S, verify=verify) as client:
            yield [Submitter(client, row, time.monotonic) for row in policy.witnesses.values() if row.address]

    async def look(self, connection: Connection, policy: Policy, submitters: Sequence[Submitter]) -> None:
        """Ask the witnesses that have not cosigned the newest checkpoint yet, all at once."""
        async with self._asking:
            newest = await newest_checkpoint(connection)
        if newest is None:
            return
        if self._newest is None or self._newest.note != newest[1]:
            text = newest[1].rpartition("\n\n")[0] + "\n"
            self._newest, self._lines = read_checkpoint(text, text.partition("\n")[0], newest[1]), {}
            if policy.is_satisfied_by([]):
                async with self._asking:
                    await connection.execute(_SQL["forget_older"], self.term.epoch, self._newest.size)
                gauge("cosigned_size", self._newest.size)
        due = [row for row in submitters if row.witness.name not in self._lines and row.is_due]
        ended = await asyncio.gather(
            *(self._ask(connection, policy, row, self._newest) for row in due), return_exceptions=True
        )
        for error in ended:
            if error is not None:
                raise error

    async def _ask(self, connection: Connection, policy: Policy, submitter: Submitter, newest: Checkpoint) -> None:
        """Keep the checkpoint with this cosignature, once there are enough."""

        async def prove(old_size: int, size: int) -> list[bytes]:
            async with self._asking:
                return await consistency_proof(StoredHashes(connection), old_size, size)

        line = await submitter.cosignature(newest, prove)
        if line is None:
            return
        self._lines[submitter.witness.name] = line
        cosigned = [witness.cosigner for name, witness in policy.witnesses.items() if name in self._lines]
        if policy.is_satisfied_by(cosigned):
            note = newest.note + "".join(self._lines.values())
            async with self._asking:
                await connection.execute(_SQL["keep"], newest.size, note, self.term.epoch)
            gauge("cosigned_size", newest.size)
