"""Asks one witness to cosign checkpoints (C2SP tlog-witness, `add-checkpoint`).

What it answers is bounded in size and time, and believed only if it is its cosignature. After a failure it is asked
again later, each time after a longer pause.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Final

import httpx

from events.errors import Retry
from infra.backoff import backoff_s
from infra.http.answers import bound_answers
from infra.log.signed_note import Checkpoint
from infra.observability.logs import LogOnce
from infra.witnesses.add_checkpoint import BODY_BYTES_MAX, PATH, AddCheckpoint
from infra.witnesses.cosignature import cosignature_in
from infra.witnesses.policy import Witness

REQUEST_MAX_S: Final = 5.0
PAUSE_MIN_S: Final = 1.0
PAUSE_MAX_S: Final = 60.0
CONFLICTS_MAX: Final = 3
"""Answers 409 in one try: the first names the size, another one comes only where somebody else asks as well."""

DIGITS_MAX: Final = 19

Prove = Callable[[int, int], Awaitable[Sequence[bytes]]]
"""The consistency proof from one size to another."""


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
