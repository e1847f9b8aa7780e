"""What the pages say where the key of this console signed nothing: red in the log's own name, with what to do."""

from __future__ import annotations

import pytest

from consumers.console.pages.audit import log_pages, routes
from infra.log.signed_note import LogKey
from tests.unit.consumers.audit.memory_log import KEY
from tests.unit.consumers.console.audit.proofs import ELSEWHERE, STEPS, STRANGE, proof_of, signed
from tests.world.pages import OFFICE, Documents, page

OUT_OF_DATE = "console&#39;s key file is out of date"


@pytest.mark.parametrize(
    ("path", "known", "is_bad", "said"),
    [
        ("/audit/entries/7", STRANGE, True, OUT_OF_DATE),
        ("/audit/entries/7", ELSEWHERE, False, "The checkpoint is in the name of another log"),
        ("/audit/keys", STRANGE, True, OUT_OF_DATE),
        ("/audit/keys", ELSEWHERE, False, "The key of this console is of a log of another name"),
        ("/audit/keys", KEY, False, "Current"),
    ],
)
async def test_a_page_says_whether_it_is_wrong_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, path: str, known: LogKey, is_bad: bool, said: str
) -> None:
    for module in (log_pages, routes):
        monkeypatch.setattr(module, "verifier_of", lambda settings: known.verifier)
    log = {"checkpoint": None, "cosigned": None, "rotations": [step.note for step in STEPS]}
    proof = await proof_of(signed(20, KEY)) | {"size": 20}
    documents = Documents(lambda path, _: {"/v1/log": log, "/v1/anomalies": []}.get(path, proof))
    answer = await page(OFFICE, path, "en", read_api=documents)
    before, found, _ = answer.text.partition("<main")[2].partition(said)
    assert (answer.status_code, found) == (200, said)
    assert before.rpartition('class="notice')[2].startswith(" notice-bad") is is_bad
