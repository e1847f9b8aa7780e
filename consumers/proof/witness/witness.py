"""Decides on requests `add-checkpoint` (C2SP tlog-witness), and cosigns what continues the checkpoint before.

Flows in: a request's body and the time. Flows out: the answer, after the new checkpoint is on disk. Requests are
decided one at a time, so that no earlier checkpoint replaces a later one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from consumers.proof.witness.state import WitnessState
from infra.log.merkle import EMPTY_ROOT
from infra.log.proofs import verify_consistency
from infra.log.signed_note import Checkpoint, InvalidNote, Verifier, known_signers, read_checkpoint, split_note
from infra.witnesses.add_checkpoint import SIZE_TYPE, AddCheckpoint, MalformedRequest, parse_add_checkpoint
from infra.witnesses.cosignature import WitnessKey, cosign, cosigner_of

TEXT_TYPE: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class WitnessAnswer:
    """An HTTP answer."""

    status: HTTPStatus
    body: str
    type: str = TEXT_TYPE


class Witness:
    """Cosigns one log with `key`. `log_keys` are the verifier keys of that log: several after a rotation.

    Raises `DamagedState` where the state is not this witness's.
    """

    def __init__(self, key: WitnessKey, log_keys: Sequence[Verifier], state: WitnessState) -> None:
        self._key = key
        self._log_keys = log_keys
        self._state = state
        self.last = state.read(cosigner_of(key), log_keys[0].name)

    def add_checkpoint(self, body: bytes, time_s: int) -> WitnessAnswer:
        """The answer to a request. Where it cosigns, the checkpoint is on disk first."""
        try:
            request = parse_add_checkpoint(body)
        except MalformedRequest as error:
            return WitnessAnswer(HTTPStatus.BAD_REQUEST, f"{error}\n")
        decision = decide(request, self._log_keys, self.last)
        if isinstance(decision, WitnessAnswer):
            return decision
        note = signed_by_log(decision.note, self._log_keys)
        line = cosign(self._key, note.rpartition("\n\n")[0] + "\n", time_s)
        self._state.write(note + line)
        self.last = decision
        return WitnessAnswer(HTTPStatus.OK, line)


def signed_by_log(note: str, log_keys: Sequence[Verifier]) -> str:
    """A verified note with one signature of each key of the log, and without the lines that anybody could add: too many
    of them, or a false one of this witness, would make the state unreadable."""
    text, lines = split_note(note)
    own: dict[Verifier, str] = {}
    for line in lines:
        for key in known_signers(f"{text}\n{line}\n", log_keys)[1]:
            own.setdefault(key, f"{line}\n")
    return f"{text}\n{''.join(own.values())}"


def decide(request: AddCheckpoint, log_keys: Sequence[Verifier], last: Checkpoint | None) -> Checkpoint | WitnessAnswer:
    """The checkpoint to cosign, or the refusal, by the rules of tlog-witness. `last` was cosigned last."""
    origin = log_keys[0].name
    if request.note.partition("\n")[0] != origin:
        return WitnessAnswer(HTTPStatus.NOT_FOUND, f"this witness knows the log {origin} only\n")
    try:
        text, signers = known_signers(request.note, log_keys)
        if not signers:
            return WitnessAnswer(HTTPStatus.FORBIDDEN, f"no key of {origin} that is known here signed the checkpoint\n")
        new = read_checkpoint(text, origin, request.note)
    except InvalidNote as error:
        return WitnessAnswer(HTTPStatus.FORBIDDEN, f"{error}\n")
    last_size, last_root = (0, EMPTY_ROOT) if last is None else (last.size, last.root)
    if request.old_size > new.size:
        return WitnessAnswer(HTTPStatus.BAD_REQUEST, f"the old size {request.old_size} is beyond the size {new.size}\n")
    if request.old_size != last_size:
        return WitnessAnswer(HTTPStatus.CONFLICT, f"{last_size}\n", SIZE_TYPE)
    if new.size == last_size and new.root != last_root:
        return WitnessAnswer(HTTPStatus.CONFLICT, f"another tree of {last_size} entries was cosigned here\n")
    if not verify_consistency(last_size, last_root, new.size, new.root, request.proof):
        return WitnessAnswer(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"the proof does not show that the tree of {new.size} entries continues the one of {last_size}\n",
        )
    return new
