"""The page of a file says where its faults are, however many they are."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from consumers.console.accounts.accounts import Account
from consumers.console.data.gateway import Reply
from consumers.console.sending import uploads
from consumers.console.sending.uploads import Sender, Uploads
from events.schema_tools.refusal_examples import golden_example
from events.validation.verdicts import Agency
from infra.http.console_tokens import Sending
from tests.world.pages import CSRF, NoGateway, browser

OFFICE = Account("desk", "office")
FAULTS = 150


@pytest.mark.parametrize(
    ("kept_max", "sentence", "rows"),
    [
        (1_000, "The first 100 faults are shown. The CSV has the others.", FAULTS),
        (120, "The file has 150 faults: the first 100 are shown, and the CSV has the first 120.", 120),
    ],
)
async def test_the_page_says_which_faults_the_csv_has(
    monkeypatch: pytest.MonkeyPatch, kept_max: int, sentence: str, rows: int
) -> None:
    monkeypatch.setattr(uploads, "PROBLEMS_KEPT_MAX", kept_max)
    gateway: Any = NoGateway()
    kept, sender = Uploads(gateway), Sender(Sending(OFFICE.username, "office", "yesser"), Agency("yesser", "office"))
    found = await kept.check(sender, "a.ndjson", b"{broken\n" * FAULTS, None)
    assert found.findings.problems_count == FAULTS
    async with browser(OFFICE, uploads=kept) as client:
        client.cookies.set("yesser-language", "en")
        assert sentence in (await client.get(f"/workspace/files/{found.id}")).text
        table = (await client.get(f"/workspace/files/{found.id}/faults.csv")).text
        assert len(table.splitlines()) == 1 + rows


class Losing:
    """A gateway that has this verdict on every event."""

    def __init__(self, state: str = "lost") -> None:
        self._state = state

    async def ask(self, sending: Any, method: str, path: str, **given: Any) -> Reply:
        return Reply(200, {"state": self._state, "address": "agency.health.events/0/1"}, {})


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_a_lost_line_is_called_lost_and_not_refused(language: str) -> None:
    gateway: Any = NoGateway()
    kept, sender = Uploads(gateway), Sender(Sending(OFFICE.username, "office", "yesser"), Agency("yesser", "office"))
    found = await kept.check(sender, "a.ndjson", golden_example("service.launched") + b"\n", None)
    found.state, found.lines_of, found.pending = "done", {"a/0/1": 1, "a/0/2": 2}, {"a/0/1", "a/0/2"}
    refused = {"address": "a/0/2", "state": "refused", "index": 7, "errors": []}
    uploads.note_verdicts(found, {"receipts": [{"address": "a/0/1", "state": "lost"}, refused]})
    assert (len(found.refused), found.lost) == (2, 1)
    async with browser(OFFICE, uploads=kept) as client:
        client.cookies.set("yesser-language", language)
        page = (await client.get(f"/workspace/files/{found.id}")).text
    assert ("Lost" if language == "en" else "مفقود") in page
    assert "Refused by the registrar" not in page
    assert "رفضها المسجِّل" not in page


@pytest.mark.parametrize("state", ["pending", "lost"])
async def test_a_page_promises_of_no_event_that_it_is_not_lost(state: str) -> None:
    async with browser(Account("desk", "agency", "health"), gateway=Losing(state)) as client:
        client.cookies.set("yesser-language", "en")
        page = (await client.get("/workspace/sent/e-1?address=agency.health.events/0/1")).text
    assert ("The event is stored." if state == "pending" else "has no verdict") in page
    assert "not be lost" not in page
    assert "before it was read" not in page


class Suspending:
    """A gateway that refuses, and remembers in which language it was to say why."""

    def __init__(self) -> None:
        self.languages: set[str] = set()

    async def ask(self, sending: Any, method: str, path: str, **given: Any) -> Reply:
        self.languages.add(given["language"])
        return Reply(403, {"title": "", "detail": ""}, {})


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_why_a_file_stopped_is_said_in_the_senders_language(language: str) -> None:
    gateway: Any = Suspending()
    event = orjson.loads(golden_example("service.launched"))
    agency = Account("desk", "agency", event["source"].rpartition(":")[2])
    kept = Uploads(gateway)
    async with browser(agency, gateway=gateway, uploads=kept) as client:
        client.cookies.set("yesser-language", language)
        files = {"file": ("a.ndjson", orjson.dumps(event) + b"\n")}
        assert (await client.post("/workspace/files", data={"csrf": CSRF}, files=files)).status_code == 303
    (found,) = kept.of(agency.username)
    kept.send(found)
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "upload"))
    assert (found.state, gateway.languages) == ("stopped", {language})
