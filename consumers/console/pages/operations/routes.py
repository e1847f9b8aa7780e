"""`/operations`: what runs and what has stopped, with the runbook's entry for the reason of a halt;
`/operations/trail`: who did what; `/operations/accounts`.

The entry is found by the exact words that the runbook quotes. A quoted message has placeholders: a single capital
letter, a word in capitals, or `…`.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from markupsafe import Markup

from consumers.api.parameters import INTEGER_MAX
from consumers.console.accounts.accounts import account_document, list_accounts
from consumers.console.page_request import Visiting, only, roles_of
from consumers.documents.document import documents_of
from consumers.documents.teams.teams import ACCOUNTS, TRAIL, Route, TrailRow
from consumers.documents.teams.webhooks import Webhook
from events.faults.problems import PROBLEMS
from events.values.bilingual import Language
from infra.embedded.status import ProcessStatus, read_answers, stack_status
from infra.embedded.status_table import STATES_AR
from infra.http.problems import Problem
from infra.http.prose import PARSER, html_of
from infra.postgres.connection import TRANSIENT_ERRORS, Connection
from infra.postgres.sql import queries
from infra.process.lease import holders
from infra.settings import Settings

routes = APIRouter(dependencies=[only(roles_of("/operations"))])
TRAIL_ROWS: Final = 50
Before = Annotated[int | None, Query(ge=1, le=INTEGER_MAX)]
Operator = Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")]
MINUTES: Final = 15
"""The throughput of this many minutes is shown."""
REFUSALS_MAX: Final = 10_000
_CHECKPOINTS_MAX: Final = MINUTES * 60 + 1
"""One is signed each second at most."""
_LISTS: Final = ("consumers", "topics", "deliveries")
_SQL: Final = queries("consumers.console.pages.operations", "operations.sql")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Halt:
    """Something that stays stopped until somebody acts. `kind`: registrar, topic or consumer; `name`: which."""

    kind: str
    name: str
    reason: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Operations:
    """One reading of the tables at `at`."""

    at: datetime
    log: Row
    consumers: Sequence[Row]
    leases: Sequence[Row]
    minutes: Sequence[tuple[datetime, int]]
    """Entries signed in each of the last minutes, oldest first."""
    topics: Sequence[Row]
    refusals: Sequence[Row]
    deliveries: Sequence[Row]
    endpoints: Sequence[Webhook]

    def halts(self, processes: Iterable[ProcessStatus]) -> list[Halt]:
        """Everything that is halted, by the tables and by what the processes say."""
        topics = [row for row in self.topics if row["halted_reason"]]
        found = [Halt("topic", row["code"], row["halted_reason"], row["halted_at"]) for row in topics]
        consumers = [row for row in self.consumers if row["halted_reason"]]
        found += [Halt("consumer", row["consumer"], row["halted_reason"]) for row in consumers]
        known = {halt.reason for halt in found}
        for process in processes:
            if process.halted and process.halted not in known:
                kind = "registrar" if process.name.startswith("registrar") else "process"
                found.append(Halt(kind, process.name, process.halted))
        return found


async def read_operations(connection: Connection, now: datetime, settings: Settings) -> Operations:
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        log = await connection.fetchrow(_SQL["log"])
        assert log is not None
        rows = {name: await connection.fetch(_SQL[name]) for name in _LISTS}
        endpoints = documents_of(Webhook, await connection.fetch(_SQL["endpoints"]))
        leases = await holders(connection, settings)
        growth = await connection.fetch(_SQL["growth"], _CHECKPOINTS_MAX)
        refusals = await connection.fetch(_SQL["refusals"], REFUSALS_MAX)
    signed = [(row["signed_at"], row["size"]) for row in growth]
    minutes = per_minute(signed, now)
    return Operations(now, log, leases=leases, minutes=minutes, refusals=refusals, endpoints=endpoints, **rows)


def per_minute(signed: Sequence[tuple[datetime, int]], now: datetime) -> list[tuple[datetime, int]]:
    """How many entries were signed in each of the last `MINUTES` minutes, oldest first.

    `signed`: times and sizes of checkpoints, newest first. What the oldest of them grew by is not known.
    """
    grown: Counter[datetime] = Counter()
    for (at, size), (_, before) in pairwise(signed):
        grown[_minute(at)] += size - before
    last = _minute(now)
    return [(minute, grown[minute]) for minute in (last - timedelta(minutes=n) for n in reversed(range(MINUTES)))]


async def read_processes(settings: Settings) -> list[ProcessStatus]:
    """The processes of this machine's stack, as they answer; empty where they run elsewhere."""
    status = await asyncio.to_thread(stack_status, settings)
    return status.with_answers(await read_answers(status)).own_processes


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


@routes.get("/operations")
async def operations_page(visit: Visiting) -> Response:
    """While the database is away: what was read last, with its time."""
    processes = await read_processes(visit.parts.settings)
    found, is_kept = await _read(visit)
    language = visit.words.language
    return visit.page(
        "operations/operations.html",
        live=True,
        found=found,
        is_kept=is_kept,
        processes=processes,
        states=STATES_AR,
        routes=Route,
        problems=PROBLEMS,
        halts=[(halt, runbook_entry(halt.kind, halt.reason, language)) for halt in found.halts(processes)],
        when_paused=runbook_entry("paused", "", language),
    )


@routes.get("/operations/trail")
async def trail_page(visit: Visiting, before: Before = None, operator: Operator = "") -> Response:
    async with visit.parts.connection() as connection:
        found = await connection.fetch(_SQL["trail"], before, operator.strip() or None, TRAIL_ROWS + 1)
    rows = documents_of(TrailRow, found)
    more = rows[TRAIL_ROWS - 1].position if len(rows) > TRAIL_ROWS else None
    return visit.page("operations/trail.html", listing=TRAIL, rows=rows[:TRAIL_ROWS], more=more, operator=operator)


@routes.get("/operations/accounts", dependencies=[only(["administrator"])])
async def accounts_page(visit: Visiting) -> Response:
    rows = [account_document(row, visit.parts.seals) for row in await list_accounts(visit.parts.own)]
    return visit.page("operations/accounts.html", listing=ACCOUNTS, rows=rows)


async def _read(visit: Visiting) -> tuple[Operations, bool]:
    """The tables now; while the database is away the last reading of this process, and True.

    Raises what was raised where there was none.
    """
    kept = visit.request.app.state
    try:
        async with visit.parts.connection() as connection:
            found = await read_operations(connection, visit.parts.clock(), visit.parts.settings)
    except (*TRANSIENT_ERRORS, Problem):
        if (earlier := getattr(kept, "operations", None)) is None:
            raise
        return earlier, True
    kept.operations = found
    return found, False


_DOCS: Final = Path(__file__).parents[4] / "docs"
FILES: Final[dict[Language, Path]] = {"en": _DOCS / "runbook.md", "ar": _DOCS / "ar" / "runbook.md"}
_SECTIONS: Final = {
    "registrar": "The registrar is halted",
    "topic": "An agency's topic is halted",
    "paused": "An agency's topic is paused",
    "consumer": "A consumer is halted",
    "process": "A process keeps restarting",
}
QUOTED: Final = re.compile(r"\*([^*]+)\*")
PLACEHOLDER: Final = re.compile(r"…|\b[A-Z]{1,8}\b|\bi?N\b")


@dataclass(frozen=True, slots=True)
class RunbookEntry:
    """The section, and its paragraphs or the row of its table that are about the reason, as HTML."""

    title: str
    html: Markup


def runbook_entry(kind: str, reason: str, language: Language) -> RunbookEntry:
    """The entry for a halt of this kind; the whole section where no quoted message is that of the reason."""
    title, text = _sections(language)[_SECTIONS.get(kind, _SECTIONS["process"])]
    matches = ((_match(quoted, reason), about) for quoted, about in _messages(text))
    found = max(((letters, about) for letters, about in matches if letters is not None), default=None)
    return RunbookEntry(title, _html(text if found is None else found[1], language))


def _messages(text: str) -> Iterator[tuple[str, str]]:
    """(quoted message, what is said about it): rows of tables, and paragraphs that begin with a message."""
    header = ""
    parts = re.split(r"\n(?=\*[^*]+\*)", text)
    for part in parts:
        if part.startswith("*") and not part.lstrip().startswith("|"):
            quoted = QUOTED.match(part)
            if quoted:
                yield quoted[1], part
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("|---"):
            header = f"{lines[number - 1]}\n{line}"
        elif line.startswith("|") and header and not lines[min(number + 1, len(lines) - 1)].startswith("|---"):
            first = line.strip("|").split(" | ")[0]
            for quoted in QUOTED.finditer(first):
                yield quoted[1], f"{header}\n{line}"


def _match(quoted: str, reason: str) -> int | None:
    """How many letters of the message are in the reason in its order; None where they are not."""
    literals = [re.escape(part.strip(" .")) for part in PLACEHOLDER.split(quoted.replace("`", ""))]
    literals = [part for part in literals if part]
    if not literals or re.search(".*?".join(literals), reason, re.IGNORECASE | re.DOTALL) is None:
        return None
    return sum(map(len, literals))


@cache
def _sections(language: Language) -> dict[str, tuple[str, str]]:
    """English title → title and text, of the sections of the second level: both pages have the same ones."""
    pages = {
        one: re.split(r"^## ", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:] for one, file in FILES.items()
    }
    parts = [section.partition("\n") for section in pages[language]]
    english = [section.partition("\n")[0].strip() for section in pages["en"]]
    return {name: (part[0].strip(), part[2].strip()) for name, part in zip(english, parts, strict=True)}


def _html(text: str, language: Language) -> Markup:
    """Markdown as HTML; links, which lead to files of the repository, become their text."""
    tokens = PARSER.parse(text)
    for token in tokens:
        if token.children:
            token.children = [child for child in token.children if child.type not in ("link_open", "link_close")]
    return html_of(tokens, language)
