"""What the pages say where the key of this console signed nothing: red in the log's own name, with what to do."""

from __future__ import annotations

from pathlib import Path

from consumers.documents.document import document_of
from consumers.documents.log.entries import LogState, Proof
from infra.log.signed_note import LogKey
from infra.private_keys.key_files import log_key_files
from infra.settings import Settings
from tests.every import every
from tests.unit.consumers.console.audit.proofs import ELSEWHERE, STEPS, STRANGE, proof_of, signed
from tests.world.memory_log import KEY
from tests.world.pages import OFFICE, Documents, page

OUT_OF_DATE = "console&#39;s key file is out of date"


@every(
    ("path", "known", "is_bad", "said"),
    [
        ("/audit/entries/7", STRANGE, True, OUT_OF_DATE),
        ("/audit/entries/7", ELSEWHERE, False, "The checkpoint is in the name of another log"),
        ("/audit/keys", STRANGE, True, OUT_OF_DATE),
        ("/audit/keys", ELSEWHERE, False, "The key of this console is of a log of another name"),
        ("/audit/keys", KEY, False, "Current"),
    ],
)
async def test_a_page_says_what_is_wrong(tmp_path: Path, path: str, known: LogKey, is_bad: bool, said: str) -> None:
    settings = Settings(home=tmp_path)
    log_key_files(settings).vkey.parent.mkdir(parents=True, exist_ok=True)
    log_key_files(settings).vkey.write_text(known.verifier.vkey)
    rotations = tuple(step.note for step in STEPS)
    log = LogState(size=20, recorded=None, checkpoint=None, cosigned=None, rotations=rotations)
    proof = document_of(Proof, await proof_of(signed(20, KEY)))
    documents = Documents(lambda name, _: {"log_for": log, "anomalies_for": []}.get(name, proof))
    answer = await page(OFFICE, path, "en", read_api=documents, settings=settings)
    before, found, _ = answer.text.partition("<main")[2].partition(said)
    assert (answer.status_code, found) == (200, said)
    assert before.rpartition('class="notice')[2].startswith(" notice-bad") is is_bad
