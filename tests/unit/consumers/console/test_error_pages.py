"""What an error page says: to people at a browser, in their language, and nothing that may be false."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from fastapi import FastAPI

from consumers.console.accounts.accounts import Account, Role
from consumers.console.data.gateway import Reply
from consumers.console.data.read_api import Answer, NotAnswered
from consumers.console.web.explanations import explanation_of
from consumers.console.web.rendered import Rendered
from consumers.read_api.beside import Finished
from infra.command_line.exit_codes import ExitCode
from infra.http.callers import Caller
from infra.http.problems import EXPLANATIONS, RequestCode, problem_document
from infra.log.reader import ChangedEntry
from tests.every import every
from tests.unit.consumers.console.test_explained_figures import News
from tests.unit.consumers.console.without_services import CSRF, browser

TEAM = Account("desk", "team", "health", "press")
OF_PROGRAMS = re.compile(r"token|route|header|batch|JSON|OpenAPI|/docs|parameter|رمز الدخول|معامل|ترويسة|دفعات|مسار")
REACHED: tuple[RequestCode, ...] = (
    "malformed-request",
    "unauthenticated",
    "forbidden",
    "not-found",
    "no-such-route",
    "method-not-allowed",
    "request-too-large",
    "bad-parameter",
    "unknown-parameter",
    "invalid-body",
    "not-allowed-now",
    "too-many-requests",
    "kafka-away",
    "database-away",
    "overloaded",
    "outcome-unknown",
    "gateway-fault",
)


@every("code", get_args(RequestCode))
def test_a_page_has_the_status_of_its_problem(code: RequestCode) -> None:
    found = explanation_of(code)
    assert found.status == EXPLANATIONS[code].status
    for text in (found.title, found.detail):
        assert text.ar
        assert text.en
        if code in REACHED:
            assert not OF_PROGRAMS.search(text.en + text.ar)


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/partnerships", 403, "Your account does not allow this"),
        ("/no-such-page", 404, "There is no page at this address"),
        ("/workspace/send", 405, "This page does not open by its address"),
        ("/campaigns?after=" + "x" * 5_000, 422, "A value is not valid"),
        ("/campaigns/teams", 503, "The gateway does not answer now"),
        ("/plan/projects/P-1", 503, "look whether it arrived"),
    ],
)
async def test_an_error_page_speaks_to_its_reader(path: str, status: int, said: str) -> None:
    async with browser(TEAM) as client:
        client.cookies.set("yesser-language", "en")
        answer = await client.get(path)
    assert (answer.status_code, said in answer.text) == (status, True)
    assert not OF_PROGRAMS.search(re.sub(r"<[^>]*>", " ", answer.text.partition("<main")[2].partition("<code")[0]))


class Changed:
    """A read API that finds a changed entry, in a command of its own."""

    app = FastAPI()

    def __init__(self, errors: str) -> None:
        self._errors = errors

    async def get(self, caller: Caller, path: str, parameters: Any) -> Answer:
        problem = Finished(("plan",), ExitCode.TAMPERED, b"", self._errors).problem()
        raise NotAnswered(problem.status, problem_document(problem, "en"))


@pytest.mark.parametrize(
    ("role", "errors", "shown"),
    [
        ("office", str(ChangedEntry(5, "another hash")), 'href="/audit/entries/5"'),
        ("team", str(ChangedEntry(5, "another hash")), "The changed entry:"),
        ("office", "no proof", "What is stored differs from the log"),
    ],
)
async def test_a_changed_entry_is_named_also_where_a_command_beside_found_it(
    role: Role, errors: str, shown: str
) -> None:
    account = Account("desk", role, "health" if role == "team" else None)
    rendered = Rendered(News().positions, lambda: datetime.now(UTC))
    async with browser(account, read_api=Changed(errors), live=News(), rendered=rendered) as client:
        client.cookies.set("yesser-language", "en")
        answer = await client.get("/plan?as_of_index=7")
    assert answer.status_code == 500
    assert "What is stored differs from the log" in answer.text
    assert shown in answer.text
    assert ("/audit/entries/" in answer.text) is ("href" in shown)
    assert "Something went wrong" not in answer.text
    assert "suspect tampering" not in answer.text


class Refusing:
    """A gateway that says why it makes no change."""

    async def ask(self, sending: Any, method: str, path: str, **given: Any) -> Reply:
        errors = [{"detail": "The team <b> has open subscriptions."}]
        return Reply(409, {"type": "/problems/not-allowed-now", "errors": errors}, {})


async def test_what_prevents_a_change_is_said() -> None:
    async with browser(TEAM, gateway=Refusing()) as client:
        answer = await client.post("/campaigns/teams/press/close", data={"csrf": CSRF})
    assert answer.status_code == 409
    assert "The team &lt;b&gt; has open subscriptions." in answer.text
