"""The page of a file says where its faults are, however many they are."""

from __future__ import annotations

import asyncio
from typing import cast

import orjson

from consumers.console.accounts.accounts import Account
from consumers.console.data.gateway import Gateway
from consumers.console.sending import uploads
from consumers.console.sending.uploads import Sender, Upload, Uploads
from events.schema_tools.refusal_examples import golden_example
from events.validation.verdicts import Agency
from events.values.bilingual import Language
from infra.http.console_tokens import Sending
from producers.sdk.answers import VerdictPage
from tests.every import every
from tests.world.pages import AGENCY, CSRF, OFFICE, NoGateway, Replies, browser, page

EVENT = golden_example("service.launched")


async def checked(content: bytes) -> tuple[Uploads, Upload]:
    kept = Uploads(cast(Gateway, NoGateway()))
    sender = Sender(Sending(OFFICE.username, "office", "yesser"), Agency("yesser", "office"))
    return kept, await kept.check(sender, "a.ndjson", content, None)


@every(
    ("faults", "sentence", "rows"),
    [
        (150, "The first 100 faults are shown. The CSV has the others.", 150),
        (1_050, "The file has 1050 faults: the first 100 are shown, and the CSV has the first 1000.", 1_000),
    ],
)
async def test_the_page_says_which_faults_the_csv_has(faults: int, sentence: str, rows: int) -> None:
    kept, found = await checked(b"{broken\n" * faults)
    assert found.findings.problems_count == faults
    async with browser(OFFICE, "en", uploads=kept) as client:
        assert sentence in (await client.get(f"/workspace/files/{found.id}")).text
        table = (await client.get(f"/workspace/files/{found.id}/faults.csv")).text
        assert len(table.splitlines()) == 1 + rows


@every(
    ("language", "header", "sentence"),
    [("ar", "a;a", "عمودان بالاسم نفسه"), ("ar", "x1;y2", "لا نوع حدث"), ("en", "a;a", "two columns named")],
)
async def test_what_is_wrong_with_a_table_is_said_in_the_language_of_the_page(
    language: Language, header: str, sentence: str
) -> None:
    kept, form = Uploads(cast(Gateway, NoGateway())), {"file": ("t.csv", f"{header}\n1;2\n".encode())}
    async with browser(OFFICE, language, uploads=kept) as client:
        answer = await client.post("/workspace/files/mapping", files=form, data={"csrf": CSRF})
    assert (answer.status_code, sentence in answer.text) == (422, True)


async def test_the_page_names_lines_whose_time_is_days_ahead() -> None:
    own = orjson.loads(EVENT) | {"source": "urn:yesser:agency:yesser"}
    ahead = own | {"id": "ahead", "time": "2066-01-02T09:00:00+03:00"}
    kept, found = await checked(b"\n".join(map(orjson.dumps, (own, ahead))))
    shown = (await page(OFFICE, f"/workspace/files/{found.id}", "en", uploads=kept)).text
    assert "Lines whose time is two days or more ahead: 1 (the first is line 2)." in shown


@every(("language", "lost"), [("ar", "مفقود"), ("en", "Lost")])
async def test_a_lost_line_is_called_lost_and_not_refused(language: str, lost: str) -> None:
    kept, found = await checked(EVENT + b"\n")
    found.state, found.lines_of, found.pending = "done", {"a/0/1": 1, "a/0/2": 2}, {"a/0/1", "a/0/2"}
    refused = {"address": "a/0/2", "state": "refused", "index": 7, "errors": []}
    receipts = [{"address": "a/0/1", "state": "lost"}, refused]
    uploads.note_verdicts(found, VerdictPage.model_validate({"receipts": receipts, "next": 3}))
    assert (len(found.refused), found.lost) == (2, 1)
    shown = (await page(OFFICE, f"/workspace/files/{found.id}", language, uploads=kept)).text
    assert lost in shown
    assert not [words for words in ("Refused by the registrar", "رفضها المسجِّل") if words in shown]


@every(("state", "said"), [("pending", "The event is stored."), ("lost", "has no verdict")])
async def test_a_page_promises_of_no_event_that_it_is_not_lost(state: str, said: str) -> None:
    gateway = Replies(lambda *_: (200, {"state": state, "address": "agency.health.events/0/1"}))
    address = "/workspace/sent/e-1?address=agency.health.events/0/1"
    shown = (await page(AGENCY, address, "en", gateway=gateway)).text
    assert said in shown
    assert not [words for words in ("not be lost", "before it was read") if words in shown]


@every("language", ["ar", "en"])
async def test_why_a_file_stopped_is_said_in_the_senders_language(language: str) -> None:
    gateway = Replies(lambda *_: (403, {"title": "", "detail": ""}))
    event = orjson.loads(EVENT)
    agency = Account("desk", "agency", event["source"].rpartition(":")[2])
    kept = Uploads(cast(Gateway, gateway))
    async with browser(agency, language, gateway=gateway, uploads=kept) as client:
        files = {"file": ("a.ndjson", orjson.dumps(event) + b"\n")}
        assert (await client.post("/workspace/files", data={"csrf": CSRF}, files=files)).status_code == 303
    (found,) = kept.of(agency.username)
    kept.send(found)
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "upload"))
    assert (found.state, {request.language for request in gateway.requests}) == ("stopped", {language})


MAPPING = b'[constants]\n"/type" = "x"\n[columns]\nday = { pointer = "/data/on" }\n'


@every(
    ("content", "mapping", "said"),
    [
        (b"code,day\nT-1,2006-03-01\n", None, "The file holds no events"),
        (b"code,date\nT-1,2006-03-01\n", MAPPING, "the mapping names columns that the table lacks"),
        (b"{\n" * 10_001, None, "more than 4 MiB or 10,000 lines"),
    ],
)
async def test_why_a_file_is_not_taken_is_said(content: bytes, mapping: bytes | None, said: str) -> None:
    async with browser(AGENCY, "en") as client:
        files = {"file": ("a.csv", content)} | ({} if mapping is None else {"mapping": ("m.toml", mapping)})
        answer = await client.post("/workspace/files", data={"csrf": CSRF}, files=files)
    assert (answer.status_code, said in answer.text) == (422, True)


async def test_a_table_gets_a_mapping_and_its_faults_name_their_columns() -> None:
    kept = Uploads(cast(Gateway, NoGateway()))
    table = b"service_id,on,channels\nS-1,soon,web\n"
    async with browser(OFFICE, "en", uploads=kept) as client:
        form, files = {"csrf": CSRF}, {"file": ("t.csv", table)}
        made = await client.post("/workspace/files/mapping", data=form, files=files)
        assert made.headers["content-disposition"] == 'attachment; filename="mapping.toml"'
        without = await client.post("/workspace/files", data=form, files=files)
        assert "press “Make a mapping”" in without.text
        files["mapping"] = ("mapping.toml", made.content)
        page_of = (await client.post("/workspace/files", data=form, files=files)).headers["location"]
        assert "Column <bdi>on</bdi>" in (await client.get(page_of)).text
        header, first, *_ = (await client.get(f"{page_of}/faults.csv")).text.splitlines()
        assert (header.rpartition(",")[2], first.rpartition(",")[2]) == ("column", "on")
