"""What the browser says of a proof, before and after rotations of the log's key: nothing sound is called wrong."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from consumers.console.pages.audit.entry import proof_state
from infra.log.key_history import KeyHistory, sign_transition
from infra.log.proofs import consistency_proof, inclusion_proof
from infra.log.signed_note import LogKey, checkpoint_text, sign_note
from tests.every import every
from tests.paths import ROOT
from tests.world.memory_log import KEY, MemoryLog, root_of, sample_entries

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")

SCRIPT = ROOT / "consumers/console/static/verify.js"
ENTRIES = sample_entries(20)
SECOND, THIRD, STRANGE = (LogKey(KEY.name, bytes([number]) * 32) for number in (1, 2, 3))
UNTIL = datetime(2026, 12, 1, tzinfo=UTC)
STEPS = [
    sign_transition(old, new, UNTIL, (size, root_of(ENTRIES[:size])))
    for old, new, size in ((KEY, SECOND, 10), (SECOND, THIRD, 15))
]
ROTATIONS = KeyHistory.of(KEY.verifier, STEPS).text()
INDEX = 7


def signed(size: int, *keys: LogKey) -> str:
    return sign_note(checkpoint_text(KEY.name, size, root_of(ENTRIES[:size])), keys)


async def document(note: str, size: int, rotations: str = ROTATIONS) -> dict[str, Any]:
    """As `/v1/proofs/{index}` answers."""
    log = MemoryLog(ENTRIES)
    return {
        "index": INDEX,
        "entry": ENTRIES[INDEX].decode(),
        "leaf": base64.b64encode(log.levels[0][INDEX]).decode(),
        "path": [base64.b64encode(step).decode() for step in await inclusion_proof(log, INDEX, size)],
        "checkpoint": note,
        "rotations": rotations,
    }


def browser(proof: Any, pinned: LogKey = THIRD, kept: dict[str, str] | None = None, **answers: Any) -> dict[str, Any]:
    """What the browser finds. `answers` are those to `/v1/consistency/…`, by `from_OLD_NEW`; others get no answer."""
    asked = {
        "script": SCRIPT.read_text(encoding="utf-8"),
        "index": INDEX,
        "vkey": pinned.verifier.vkey,
        "kept": kept or {},
        "answers": {f"/v1/proofs/{INDEX}": proof}
        | {
            f"/v1/consistency/{name.removeprefix('from_').replace('_', '/')}": answer
            for name, answer in answers.items()
        },
    }
    program = Path(__file__).with_name("browser.js")
    done = subprocess.run(
        ["node", program], input=json.dumps(asked), capture_output=True, check=False, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def kept_under(key: LogKey, size: int, root: bytes | None = None) -> dict[str, str]:
    """What an earlier visit kept."""
    kept = {"size": size, "root": base64.b64encode(root or root_of(ENTRIES[:size])).decode()}
    return {f"yesser-checkpoint {key.verifier.vkey}": json.dumps(kept)}


@every("pinned", [KEY, SECOND, THIRD])
@every(
    ("size", "signers"),
    [
        (9, [KEY]),
        (10, [KEY]),
        (10, [SECOND]),
        (12, [KEY, SECOND]),
        (12, [SECOND]),
        (20, [THIRD]),
        (20, [SECOND, THIRD]),
    ],
)
async def test_any_key_of_the_log_verifies_what_was_signed_before_and_after_it(
    pinned: LogKey, size: int, signers: list[LogKey]
) -> None:
    proof = await document(signed(size, *signers), size)
    assert proof_state(proof, pinned.verifier) == "good"
    assert browser(proof, pinned)["summary"] == "allGood"


async def test_before_the_first_rotation_the_pinned_key_alone_signs() -> None:
    proof = await document(signed(20, KEY), 20, "")
    found = browser(proof, KEY)
    assert (found["summary"], found["consistency"]) == ("allGood", "first")


@pytest.mark.parametrize("rotations", ["", ROTATIONS])
async def test_a_checkpoint_in_the_logs_name_that_no_known_key_signed_is_wrong(rotations: str) -> None:
    pinned = KEY if not rotations else THIRD
    proof = await document(signed(20, STRANGE), 20, rotations)
    found = browser(proof, pinned)
    assert (found["steps"], found["summary"]) == ([True, True, False], "someBad")
    unknown = browser(await document(signed(20, THIRD), 20), STRANGE)
    assert (unknown["steps"], unknown["summary"]) == ([True, True, False], "someBad")
    assert proof_state(proof, pinned.verifier) == "not-signed", "the server says the same"


async def test_a_key_unknown_here_takes_nothing_from_the_signature_of_one_that_is_known() -> None:
    proof = await document(signed(20, STRANGE, THIRD), 20)
    assert proof_state(proof, THIRD.verifier) == "good"
    assert browser(proof)["summary"] == "allGood"


@pytest.mark.parametrize("rotations", ["", ROTATIONS])
async def test_a_checkpoint_of_a_log_of_another_name_is_not_checked(rotations: str) -> None:
    elsewhere = LogKey("another.example/0", bytes(32))
    proof = await document(signed(20, THIRD), 20, rotations)
    found = browser(proof, elsewhere)
    assert (found["steps"], found["summary"]) == ([True, True, None], "someOpen")
    assert proof_state(proof, elsewhere.verifier) == "other-key", "the server says the same"


async def test_a_wrong_signature_under_a_known_key_is_wrong() -> None:
    note = signed(20, THIRD)
    text, _, lines = note.partition("\n\n")
    name, own_id, other_id = KEY.name, THIRD.verifier.key_id, STRANGE.verifier.key_id
    blob = base64.b64decode(lines.split()[2])
    relabelled = f"{text}\n\n— {name} {base64.b64encode(other_id + blob[4:]).decode()}\n"
    truncated = f"{text}\n\n— {name} {base64.b64encode(own_id + blob[4:60]).decode()}\n"
    for wrong in (
        f"{text[:-2]}A=\n\n{lines}",
        relabelled,
        truncated,
        f"{text}\n\n",
        "no note",
    ):
        found = browser(await document(wrong, 20))
        assert found["steps"][2] is False, wrong
        assert found["summary"] == "someBad"


@pytest.mark.parametrize(("size", "signer"), [(11, KEY), (20, SECOND), (9, SECOND), (14, THIRD)])
async def test_a_key_signs_only_while_it_is_in_force(size: int, signer: LogKey) -> None:
    proof = await document(signed(size, signer), size)
    assert proof_state(proof, THIRD.verifier) == "not-signed"
    assert browser(proof)["steps"] == [True, True, False]


@pytest.mark.parametrize(
    "rotations",
    [
        "no note",
        ROTATIONS.replace("\n10\n", "\n11\n"),
        ROTATIONS.replace("2026-12-01", "2027-12-01", 1),
        STEPS[1].note + "\n" + STEPS[0].note,
        STEPS[0].note.rpartition("— ")[0],
    ],
)
async def test_rotations_that_were_changed_are_wrong(rotations: str) -> None:
    proof = await document(signed(20, THIRD), 20, rotations)
    assert proof_state(proof, THIRD.verifier) == "not-signed"
    assert browser(proof)["steps"] == [True, True, False]


async def test_the_log_continues_what_was_kept_under_an_earlier_key() -> None:
    log = MemoryLog(ENTRIES)
    path = [base64.b64encode(step).decode() for step in await consistency_proof(log, 9, 20)]
    proof = await document(signed(20, THIRD), 20)
    found = browser(proof, THIRD, kept_under(KEY, 9), from_9_20={"path": path})
    assert found["consistency"] is True
    assert json.loads(found["kept"][f"yesser-checkpoint {THIRD.verifier.vkey}"])["size"] == 20
    forged = browser(proof, THIRD, kept_under(KEY, 9, b"\0" * 32), from_9_20={"path": path})
    assert forged["consistency"] is False
    other_log = browser(proof, THIRD, kept_under(STRANGE, 9))
    assert other_log["consistency"] == "first", "another log of this name, as of a trial"


async def test_a_log_is_called_shorter_only_where_the_server_says_that_it_is() -> None:
    proof = await document(signed(15, THIRD), 15)
    assert browser(proof, THIRD, kept_under(THIRD, 20), from_15_20=404)["consistency"] == "back"
    for status in (403, 429, 503):
        assert browser(proof, THIRD, kept_under(THIRD, 20), from_15_20=status)["consistency"] is None
    assert browser(proof, THIRD, kept_under(THIRD, 20))["consistency"] is None, "no answer at all"


@pytest.mark.parametrize("answer", [404, 503])
def test_without_a_proof_nothing_is_said(answer: int) -> None:
    assert browser(answer)["steps"] == [None, None, None]
