"""What the pages say where the key of this console signed nothing: red in the log's own name, with what to do."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI

from consumers.console.accounts.accounts import Account
from consumers.console.data.read_api import Answer
from consumers.console.pages.audit import log_pages, routes
from infra.http.callers import Caller
from infra.log.signed_note import LogKey
from tests.unit.consumers.console.audit.test_entry import OTHER, document
from tests.unit.consumers.console.audit.test_verify_js import STEPS
from tests.unit.consumers.console.without_services import browser
from tests.world.memory_log import KEY

ELSEWHERE = LogKey("another.example/0", bytes(32))
OUT_OF_DATE = "console&#39;s key file is out of date"


class Log:
    """A read API of a log that `KEY` signs, and that a later key signs from 10 entries on."""

    app = FastAPI()

    async def get(self, caller: Caller, path: str, parameters: Any) -> Answer:
        if path == "/v1/log":
            return Answer({"checkpoint": None, "cosigned": None, "rotations": [step.note for step in STEPS]})
        return Answer([] if path == "/v1/anomalies" else await document() | {"size": 20})


@pytest.mark.parametrize(
    ("path", "known", "is_bad", "said"),
    [
        ("/audit/entries/7", OTHER, True, OUT_OF_DATE),
        ("/audit/entries/7", ELSEWHERE, False, "The checkpoint is in the name of another log"),
        ("/audit/keys", OTHER, True, OUT_OF_DATE),
        ("/audit/keys", ELSEWHERE, False, "The key of this console is of a log of another name"),
        ("/audit/keys", KEY, False, "Current"),
    ],
)
async def test_a_page_says_whether_it_is_wrong_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, path: str, known: LogKey, is_bad: bool, said: str
) -> None:
    for module in (log_pages, routes):
        monkeypatch.setattr(module, "verifier_of", lambda settings: known.verifier)
    async with browser(Account("desk", "office"), read_api=Log()) as client:
        client.cookies.set("yesser-language", "en")
        answer = await client.get(path)
    before, found, _ = answer.text.partition("<main")[2].partition(said)
    assert (answer.status_code, found) == (200, said)
    assert before.rpartition('class="notice')[2].startswith(" notice-bad") is is_bad
