"""What the browser says of a proof, before and after rotations of the log's key: nothing sound is called wrong."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra.log.proofs import consistency_proof
from infra.log.signed_note import LogKey
from tests.paths import ROOT
from tests.unit.consumers.console.audit.proofs import (
    ELSEWHERE,
    ENTRIES,
    INDEX,
    ROTATIONS,
    SECOND,
    STRANGE,
    THIRD,
    encoded,
    proof_of,
    signed,
    state_of,
    wrong_proofs,
)
from tests.world.memory_log import KEY, MemoryLog, root_of

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")

SCRIPT = ROOT / "consumers/console/static/verify.js"


def visit(proof: Any, pinned: LogKey = THIRD, kept: dict[str, str] | None = None, **answers: Any) -> dict[str, Any]:
    """`answers` are those to `/v1/consistency/…`, by `from_OLD_NEW`; others get no answer."""
    consistency = {
        f"/v1/consistency/{name.removeprefix('from_').replace('_', '/')}": answer for name, answer in answers.items()
    }
    return {
        "index": INDEX,
        "vkey": pinned.verifier.vkey,
        "kept": kept or {},
        "answers": {f"/v1/proofs/{INDEX}": proof, **consistency},
    }


def browser(*visits: dict[str, Any]) -> list[dict[str, Any]]:
    """What the browser finds at each visit; all in one process, which takes longer to start than to verify."""
    given = json.dumps({"script": SCRIPT.read_text(encoding="utf-8"), "visits": visits})
    program = Path(__file__).with_name("browser.js")
    done = subprocess.run(["node", program], input=given, capture_output=True, check=False, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def kept_under(key: LogKey, size: int, root: bytes | None = None) -> dict[str, str]:
    """What an earlier visit kept."""
    kept = {"size": size, "root": encoded(root or root_of(ENTRIES[:size]))}
    return {f"yesser-checkpoint {key.verifier.vkey}": json.dumps(kept)}


async def test_any_key_of_the_log_verifies_what_was_signed_before_and_after_it() -> None:
    signers = [(9, [KEY]), (10, [KEY]), (10, [SECOND]), (12, [KEY, SECOND]), (12, [SECOND])]
    signers += [(20, [THIRD]), (20, [SECOND, THIRD]), (20, [STRANGE, THIRD])]  # an unknown key takes nothing away
    proofs = [await proof_of(signed(size, *keys), size, ROTATIONS) for size, keys in signers]
    pairs = [(proof, pinned) for proof in proofs for pinned in (KEY, SECOND, THIRD)]
    assert [state_of(proof, pinned) for proof, pinned in pairs] == ["good"] * len(pairs)
    found = browser(*(visit(proof, pinned) for proof, pinned in pairs))
    assert [one["summary"] for one in found] == ["allGood"] * len(pairs)


async def test_a_checkpoint_that_no_known_key_signed_in_the_logs_name_or_of_another_tree_is_wrong() -> None:
    cases = [*wrong_proofs()]
    visits = [visit(await proof_of(one.note, one.size, one.rotations), one.pinned) for one in cases]
    text, _, lines = signed(20, THIRD).partition("\n\n")
    *found_in, of_another_tree = browser(
        *visits, visit(await proof_of(f"{text[:-2]}A=\n\n{lines}", rotations=ROTATIONS))
    )
    for case, found in zip(cases, found_in, strict=True):
        assert (found["steps"][2], found["summary"]) == (False, "someBad"), case
        assert case.note == "no note" or found["steps"] == [True, True, False], case
    assert (of_another_tree["steps"][2], of_another_tree["summary"]) == (False, "someBad")


async def test_a_checkpoint_of_a_log_of_another_name_is_not_checked() -> None:
    proofs = [await proof_of(signed(20, THIRD), 20, rotations) for rotations in ("", ROTATIONS)]
    for proof, found in zip(proofs, browser(*(visit(proof, ELSEWHERE) for proof in proofs)), strict=True):
        assert (found["steps"], found["summary"]) == ([True, True, None], "someOpen")
        assert state_of(proof, ELSEWHERE) == "other-key", "the server says the same"


async def test_the_log_continues_what_was_kept_under_an_earlier_key() -> None:
    path = [encoded(step) for step in await consistency_proof(MemoryLog(ENTRIES), 9, 20)]
    proof = await proof_of(signed(20, THIRD), 20, ROTATIONS)
    found, forged, other_log = browser(
        visit(proof, THIRD, kept_under(KEY, 9), from_9_20={"path": path}),
        visit(proof, THIRD, kept_under(KEY, 9, b"\0" * 32), from_9_20={"path": path}),
        visit(proof, THIRD, kept_under(STRANGE, 9)),
    )
    assert found["consistency"] is True
    assert json.loads(found["kept"][f"yesser-checkpoint {THIRD.verifier.vkey}"])["size"] == 20
    assert forged["consistency"] is False
    assert other_log["consistency"] == "first", "another log of this name, as of a trial"


async def test_a_log_is_called_shorter_only_where_the_server_says_so_and_nothing_is_said_without_a_proof() -> None:
    proof, kept = await proof_of(signed(15, THIRD), 15, ROTATIONS), kept_under(THIRD, 20)
    answered = [visit(proof, THIRD, kept, from_15_20=status) for status in (404, 403, 429, 503)]
    unanswered = visit(proof, THIRD, kept)
    first = visit(await proof_of(signed(20, KEY)), KEY)
    *found, of_first, not_found, away = browser(*answered, unanswered, first, visit(404), visit(503))
    assert [one["consistency"] for one in found] == ["back", None, None, None, None]
    assert (of_first["summary"], of_first["consistency"]) == ("allGood", "first"), "before the first rotation"
    assert not_found["steps"] == away["steps"] == [None, None, None]
