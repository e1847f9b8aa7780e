"""A witness cosigns what continues the checkpoint before, and answers anything else as tlog-witness says."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.proof.witness.witness import AlreadyRunning, DamagedState, NoState, Witness, WitnessAnswer, WitnessState
from infra.log.signed_note import LogKey
from infra.witnesses.add_checkpoint import SIZE_TYPE, AddCheckpoint
from infra.witnesses.cosignature import cosignature_in, cosigner_of
from tests.every import every
from tests.world.memory_log import KEY, root_of
from tests.world.witness import FORK, LOG, WITNESS, MemoryState, request

NOW_S = 1_700_000_000


def ask(witness: Witness, asked: AddCheckpoint) -> WitnessAnswer:
    return witness.add_checkpoint(asked.body(), NOW_S)


def cosigned(answer: WitnessAnswer, asked: AddCheckpoint) -> bool:
    text = asked.note.rpartition("\n\n")[0] + "\n"
    return answer.status == HTTPStatus.OK and cosignature_in(answer.body, text, cosigner_of(WITNESS)) == answer.body


def test_a_log_that_grows_is_cosigned_each_time_by_each_of_its_keys() -> None:
    later = LogKey(KEY.name, bytes(reversed(range(32))))
    witness = Witness(WITNESS, [KEY.verifier, later.verifier], MemoryState())
    for old, new, key in ((0, 0, KEY), (0, 7, KEY), (7, 7, KEY), (7, 8, KEY), (8, 40, later)):
        asked = request(old, new, key=key)
        assert cosigned(ask(witness, asked), asked), (old, new)
    assert getattr(witness.last, "size", None) == 40


REFUSED: list[tuple[Callable[[], AddCheckpoint], HTTPStatus]] = [
    (lambda: request(12, 20), HTTPStatus.CONFLICT),
    (lambda: request(0, 20), HTTPStatus.CONFLICT),
    (lambda: request(20, 15), HTTPStatus.BAD_REQUEST),
    (lambda: request(15, 15, FORK), HTTPStatus.CONFLICT),
    (lambda: request(15, 30, FORK), HTTPStatus.UNPROCESSABLE_ENTITY),
    (lambda: AddCheckpoint(15, request(15, 30, FORK).proof, request(15, 30).note), HTTPStatus.UNPROCESSABLE_ENTITY),
    (lambda: AddCheckpoint(15, [], request(15, 30).note), HTTPStatus.UNPROCESSABLE_ENTITY),
    (lambda: AddCheckpoint(15, [bytes(32)], request(15, 15).note), HTTPStatus.UNPROCESSABLE_ENTITY),
    (lambda: request(15, 30, key=LogKey(KEY.name, bytes(32))), HTTPStatus.FORBIDDEN),
    (lambda: request(15, 30, key=LogKey("other.example/0", bytes(32))), HTTPStatus.NOT_FOUND),
    (lambda: AddCheckpoint(15, [], request(15, 30).note.replace("\n30\n", "\n31\n")), HTTPStatus.FORBIDDEN),
    (lambda: AddCheckpoint(15, [], f"{KEY.name}\n"), HTTPStatus.FORBIDDEN),
]


@every(("asked", "status"), REFUSED)
def test_anything_else_is_refused_and_changes_nothing(asked: Callable[[], AddCheckpoint], status: HTTPStatus) -> None:
    witness = Witness(WITNESS, [KEY.verifier], MemoryState())
    ask(witness, request(0, 15))
    before = witness.last
    answer = ask(witness, asked())
    assert answer.status == status
    is_stale = status == HTTPStatus.CONFLICT and asked().old_size != 15
    assert ((answer.body, answer.type) == ("15\n", SIZE_TYPE)) == is_stale
    assert witness.last == before
    assert cosigned(ask(witness, request(15, 30)), request(15, 30)), "the true log goes on"


def test_a_first_proof_must_be_empty_and_what_cannot_be_read_is_a_bad_request() -> None:
    witness = Witness(WITNESS, [KEY.verifier], MemoryState())
    asked = AddCheckpoint(0, [bytes(32)], request(0, 7).note)
    assert ask(witness, asked).status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert witness.add_checkpoint(b"\xff", NOW_S).status == HTTPStatus.BAD_REQUEST


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40), st.integers(0, 40)), max_size=12))
def test_whatever_is_asked_only_one_history_is_cosigned(asked: list[tuple[bool, int, int]]) -> None:
    state = MemoryState()
    witness = Witness(WITNESS, [KEY.verifier], state)
    for forked, old, new in asked:
        ask(witness, request(old, new, FORK if forked else LOG))
    trees = [(note.split("\n")[1], note.split("\n")[2]) for note in state.notes]
    sizes = [int(size) for size, _ in trees]
    assert sizes == sorted(sizes)
    roots = [root for _, root in trees]
    assert roots in [[b64encode(root_of(entries[:size])).decode() for size in sizes] for entries in (LOG, FORK)]


def test_the_state_is_on_disk_and_one_process_holds_it(tmp_path: Path) -> None:
    file = tmp_path / "witness.state"
    with pytest.raises(NoState, match="--first-run"):
        WitnessState(file)
    state = WitnessState(file, first_run=True)
    with pytest.raises(AlreadyRunning):
        WitnessState(file, first_run=True)
    ask(Witness(WITNESS, [KEY.verifier], state), request(0, 15))
    assert file.stat().st_mode & 0o777 == 0o600
    state.close()
    again = Witness(WITNESS, [KEY.verifier], WitnessState(file))
    assert getattr(again.last, "size", None) == 15
    assert ask(again, request(15, 15, FORK)).status == HTTPStatus.CONFLICT


FALSE_LINE = f"— {WITNESS.name} {b64encode(cosigner_of(WITNESS).key_id + bytes(72)).decode()}\n"
FOREIGN_LINES = [f"— x{number} {b64encode(bytes(68)).decode()}\n" for number in range(99)]
LOG_LINE = request(0, 15).note.splitlines(keepends=True)[-1]


@every("added", [[FALSE_LINE], FOREIGN_LINES, [LOG_LINE] * 99])
def test_lines_of_strangers_do_not_damage_the_state(tmp_path_factory: pytest.TempPathFactory, added: list[str]) -> None:
    file = tmp_path_factory.mktemp("witness") / "witness.state"
    state = WitnessState(file, first_run=True)
    witness = Witness(WITNESS, [KEY.verifier], state)
    assert cosigned(ask(witness, request(0, 15)), request(0, 15))
    asked = AddCheckpoint(15, [], request(0, 15).note + "".join(added))
    assert ask(witness, asked).status == HTTPStatus.OK
    state.close()
    again = WitnessState(file)
    assert getattr(Witness(WITNESS, [KEY.verifier], again).last, "size", None) == 15
    assert file.read_text().count("\n— ") == 2, "the log's signature and this witness's"
    again.close()


def test_a_state_that_was_changed_or_is_of_another_witness_is_not_taken(tmp_path: Path) -> None:
    file = tmp_path / "witness.state"
    state = WitnessState(file, first_run=True)
    ask(Witness(WITNESS, [KEY.verifier], state), request(0, 15))
    state.close()
    for key in (WITNESS, LogKey("bank.example/witness", bytes(32))):
        if key is WITNESS:
            good = file.read_text()
            file.write_text(good.replace("\n15\n", "\n14\n"))
        kept = WitnessState(file)
        with pytest.raises(DamagedState):
            Witness(key, [KEY.verifier], kept)
        kept.close()
        file.write_text(good)
