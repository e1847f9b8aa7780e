"""Every command that shows tables, as a person sees it: at 80 and 120 columns, in Arabic, in English and in both."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner, Result
from rich.cells import cell_len

from consumers.programme.plan.document import PLAN_CONSUMERS
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from infra.cli import cli
from infra.command_line.exit_codes import ExitCode
from infra.postgres.connection import connected
from infra.settings import Settings
from tests.stack import TestStack
from tests.world.logs import apply_live, history_bytes, write_log
from tests.world.stacks import lasting_corner

Command = tuple[str, ...]
Run = Callable[..., Result]
AGENCIES = ("customs", "health", "justice")

# The command, and what in a row of its --json is an id.
TABLES: list[tuple[Command, tuple[str, ...]]] = [
    (("plan",), ()),
    (("anomalies",), ("rule",)),
    (("services", "list"), ("service_id",)),
    (("projects", "list"), ("project_id",)),
    (("activity",), ("agency",)),
    (("campaigns", "list"), ("campaign_id",)),
    (("ledger", "balances"), ()),
    (("ledger", "partnerships"), ("partnership_id",)),
    (("log", "find", "--limit", "60"), ("id",)),
    (("agencies", "list"), ("code",)),
]


async def fill(settings: Settings) -> None:
    """A log, applied by every consumer that is shown; the agencies as the registrar knows them."""
    raw = history_bytes(21, 700)
    async with connected(settings, "test") as connection:
        await write_log(connection, raw)
        for consumer in (*PLAN_CONSUMERS, EVENT_INDEX):
            await apply_live(connection, consumer, raw)
        for code in AGENCIES:
            await connection.execute(
                "INSERT INTO platform.agency (code, role, name, registered_index) VALUES ($1, 'agency', $2, 2)"
                " ON CONFLICT (code) DO NOTHING",
                code,
                {"ar": "جهة", "en": "An agency"},
            )


@pytest.fixture(scope="module")
def filled(stack: TestStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The database that all tests here read, and none changes."""
    with lasting_corner(stack, tmp_path_factory.mktemp("people") / "home") as (settings, runner):
        runner.run(fill(settings))
        yield settings


@pytest.fixture
def run(filled: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    assert filled.postgres is not None
    monkeypatch.setenv("YESSER_POSTGRES", filled.postgres)
    monkeypatch.setenv("YESSER_HOME", str(filled.home))

    def invoke(*arguments: str, **environment: str) -> Result:
        return CliRunner().invoke(cli, list(arguments), env=environment, catch_exceptions=False)

    return invoke


def rows_of(document: Any) -> list[dict[str, Any]]:
    return document if isinstance(document, list) else []


def is_arabic(text: str) -> bool:
    return any("\u0600" <= letter <= "\u06ff" for letter in text)


def test_tables_fit_the_screen_in_each_language_and_keep_every_id_whole(run: Run) -> None:
    for command, ids in TABLES:
        shown = orjson.loads(run(*command, "--json").output)
        names = {str(row[name]) for row in rows_of(shown) for name in ids}
        assert names or not ids, command
        for width in (80, 120):
            text = run(*command, COLUMNS=str(width)).output
            longest = max(map(cell_len, text.splitlines()))
            assert longest <= width, (command, width, longest)
            assert [name for name in names if name not in text] == [], (command, width)
            assert "…" not in text.replace(" … ", ""), (command, width)
            assert is_arabic(text), (command, "both languages")
        english, arabic = (run(*command, "--lang", lang).output for lang in ("en", "ar"))
        assert not is_arabic(english), command
        assert is_arabic(arabic), command
        headings = [line for line in english.splitlines() if line.strip()][:2]
        assert not [line for line in headings if line.strip() and line in arabic], command
    assert run(*command, "--lang", "both").output == run(*command).output
    assert run(*command, YESSER_LANG="en").output == english


def test_a_statement_and_transfers_are_shown_in_each_language(run: Run) -> None:
    for partnership in (row["partnership_id"] for row in orjson.loads(run("ledger", "partnerships", "--json").output)):
        statements = orjson.loads(run("ledger", "statements", partnership, "--json").output)
        if statements:
            break
    else:
        pytest.fail("no partnership of this log has a statement")
    for command in (
        ("ledger", "statements", partnership),
        ("ledger", "statement", partnership, statements[0]["period"]),
        ("ledger", "transfers", partnership),
    ):
        assert not is_arabic(run(*command, "--lang", "en").output)
        assert is_arabic(run(*command, "--lang", "ar").output)
        text = run(*command, COLUMNS="80").output
        assert partnership in text
        assert max(map(cell_len, text.splitlines())) <= 80, command


def offered(*words: str) -> list[str]:
    """What a shell is offered for the last of the words."""
    *before, last = words
    completion = BashComplete(cli, {}, "yesser", "_YESSER_COMPLETE")
    return [item.value for item in completion.get_completions(before, last)]


def test_agencies_and_partnerships_are_completed_from_the_running_database(run: Run) -> None:
    partnerships = [row["partnership_id"] for row in orjson.loads(run("ledger", "partnerships", "--json").output)]
    assert offered("ledger", "statements", "") == sorted(partnerships)
    first = partnerships[0]
    assert offered("ledger", "statement", first) == [name for name in sorted(partnerships) if name.startswith(first)]
    assert offered("publish", "x", "--agency", "h") == ["health"]
    assert set(AGENCIES) <= set(offered("agencies", "suspend", ""))
    assert offered("log", "find", "--type", "service.la") == ["service.launched"]


def test_rows_of_an_agency_that_is_not_registered_are_refused_and_not_none(run: Run) -> None:
    for command in (
        ("activity", "--agency"),
        ("campaigns", "coverage", "--agency"),
        ("campaigns", "inbox", "--agency"),
        ("campaigns", "list", "--owner"),
        ("expectations", "list"),
        ("find-person", "Somebody", "--agency"),
        ("log", "find", "--agency"),
        ("refusals", "list", "--agency"),
        ("services", "list", "--agency"),
        ("subscriptions", "list"),
        ("teams", "list"),
        ("webhooks", "list", "--agency"),
    ):
        for agency, advice in (("helth", "write health"), ("nowhere", "see `yesser agencies list`")):
            refused = run(*command, agency)
            assert refused.exit_code == 2, command
            assert f"{agency} is not registered; {advice}." in refused.stderr, command
        assert run(*command, "customs").exit_code in (0, ExitCode.ANSWER_IS_NO), command


def test_without_a_database_completion_is_silent_and_quick(tmp_path: Path) -> None:
    began = time.monotonic()
    for line, postgres, offers in (
        ("yesser publ", "", b"plain,publish"),
        ("yesser publish x --agency h", "", b""),
        ("yesser publish x --agency h", "postgresql://yesser@10.255.255.1:5432/yesser", b""),
    ):
        shell = {"_YESSER_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
        nowhere = {"YESSER_HOME": str(tmp_path), "YESSER_POSTGRES": postgres}
        done = subprocess.run(
            [sys.executable, "-m", "infra.cli"], env=os.environ | shell | nowhere, capture_output=True
        )
        assert (done.returncode, done.stdout.strip(), done.stderr) == (0, offers, b""), line
    assert time.monotonic() - began < 10
