"""A request of somebody who is signed in: who it is, which pages there are for whom, what it may see, how a page is
answered, and what the pages work with; `process` builds that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Annotated, Any, Final, TypeVar

import structlog
from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from consumers.api.parameters import PAGE_ROWS_MAX
from consumers.api.reader import ReadAnswer, Reader
from consumers.api.resources.campaigns import InboxFilter, inbox_counts_for
from consumers.console.accounts.accounts import Account, Role
from consumers.console.accounts.oidc import Oidc
from consumers.console.accounts.passwords import PasswordChecks
from consumers.console.accounts.sessions import Sessions
from consumers.console.data.gateway import Gateway, Receipts, Reply
from consumers.console.data.live import Live
from consumers.console.data.read_api import ReadApi, caller_of
from consumers.console.sending.uploads import Uploads
from consumers.console.web.language import Words
from consumers.console.web.rendered import Rendered
from consumers.console.web.security import SAFE_METHODS, Cookies
from consumers.console.web.templates import Templates
from consumers.replay.as_of.names import Directory
from events.values.bilingual import Bilingual
from events.values.personal_data import shows_ten_digits
from events.wire.envelope import EXTENSION_LENGTH_MAX
from infra.clock import Clock
from infra.http.callers import Caller
from infra.http.console_tokens import Sending
from infra.http.problems import Problem
from infra.http.routes import RouteParts
from infra.keys.seals import Seals
from infra.postgres.connection import TRANSIENT_ERRORS, Connection, Pool
from infra.postgres.trail import Actor, add_to_trail
from infra.settings import Settings
from producers.sdk.problems import OutcomeUnknown

_logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ConsoleParts:
    """`reads` are connections of the reader, `own` of the console: accounts, sessions, the trail."""

    settings: Settings
    clock: Clock
    reads: Pool
    own: Pool
    read_api: ReadApi
    gateway: Gateway
    live: Live
    directory: Directory
    seals: Seals
    sessions: Sessions
    passwords: PasswordChecks
    templates: Templates
    rendered: Rendered
    receipts: Receipts
    uploads: Uploads
    oidc: Oidc | None

    @property
    def cookies(self) -> Cookies:
        return Cookies.of(self.settings)

    @property
    def has_passwords(self) -> bool:
        """Whether people sign in with a password."""
        return self.settings.console_passwords == "on"

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """A connection of the reader. Raises `Problem` (503) if all are in use."""
        return RouteParts(self.settings, self.reads, caller_of).connection()

    async def add_to_trail(self, account: str | None, *words: str, event_ids: Sequence[str] | None = None) -> None:
        """Record what an account did: the verified one of a session, or the one that a sign-in named. No text that
        somebody typed."""
        await add_to_trail(self.own, *words, by=Actor(account), event_ids=event_ids)

    async def add_done_to_trail(self, account: str | None, *words: str, event_ids: Sequence[str] | None = None) -> None:
        """The same of what is done and stays done: while the database is away it is logged, without the account, for no
        page may say then that nothing happened."""
        try:
            await self.add_to_trail(account, *words, event_ids=event_ids)
        except TRANSIENT_ERRORS as error:
            _logger.error("the trail lacks what was done", did=words, events=event_ids, reason=repr(error))


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of the navigation. `path` is the beginning of all its pages' paths."""

    path: str
    name: Bilingual
    roles: frozenset[Role]


def _item(path: str, name: Bilingual, *roles: Role) -> Item:
    return Item(path, name, frozenset(roles))


ITEMS: Final = (
    _item("/plan", Bilingual("الخطة", "Plan"), "office", "agency", "team", "auditor"),
    _item("/campaigns", Bilingual("الحملات", "Campaigns"), "office", "agency", "team"),
    _item("/workspace", Bilingual("مساحة الجهة", "Workspace"), "office", "agency"),
    _item("/partnerships", Bilingual("الشراكات", "Partnerships"), "office", "agency", "partner", "treasury", "auditor"),
    _item("/audit", Bilingual("التدقيق", "Audit"), "office", "agency", "auditor"),
    _item("/operations", Bilingual("التشغيل", "Operations"), "administrator", "office"),
    _item("/approvals", Bilingual("الموافقات", "Approvals"), "administrator"),
)


def items_of(role: Role) -> tuple[Item, ...]:
    return tuple(item for item in ITEMS if role in item.roles)


def roles_of(path: str) -> frozenset[Role]:
    """Who may use the pages under `path`. Raises `KeyError`."""
    return {item.path: item.roles for item in ITEMS}[path]


OPEN_ENTRIES: Final = roles_of("/audit") | roles_of("/partnerships")
"""Who may open entries of the log, and read as a token of the same kind does. A campaign team is of an agency, whose
other entries and whose money are not for it."""


def home_of(role: Role) -> str:
    """The first page of a role: a team's is what it must do."""
    return "/campaigns" if role == "team" else items_of(role)[0].path


T = TypeVar("T")
VERSION: Final = version("yesser-events")


@dataclass(frozen=True, slots=True)
class Visit:
    """A page's parameter. It is there for signed-in people only."""

    request: Request
    parts: ConsoleParts
    account: Account
    words: Words
    to_do: int = 0
    """Campaigns that wait for a step of the account's agency or team, for the menu."""

    @property
    def caller(self) -> Caller:
        """As whom the person reads and sends. Raises `Problem` (403) for an administrator, and while the agency is
        suspended."""
        caller = self.account.caller()
        if caller is None:
            raise Problem("forbidden")
        if caller.is_suspended:
            raise Problem("suspended")
        return caller

    @property
    def sending(self) -> Sending:
        """The account, as the gateway's token names it. Raises like `caller`."""
        return Sending(self.account.username, self.account.role, self.caller.holder)

    @property
    def reader(self) -> Reader:
        """The caller of the read API's functions. Raises like `caller`."""
        return Reader(self.parts.read_api.reads, self.caller)

    @property
    def opens_entries(self) -> bool:
        """Whether the person may open entries, and see money."""
        return self.account.role in OPEN_ENTRIES

    async def typed(self) -> dict[str, str]:
        """The texts of a form, whole: what is too long is refused with its field, and never sent in part."""
        form = await self.request.form()
        return {name: value for name, value in form.items() if isinstance(value, str)}

    async def all_rows(
        self, function: Callable[..., Awaitable[ReadAnswer[list[T]]]], *asked: Any, rows_max: int | None = None
    ) -> list[T]:
        """The rows of every page of a list, or of those pages that reach `rows_max`. Raises `Problem`."""
        rows: list[T] = []
        after: str | None = None
        while rows_max is None or len(rows) < rows_max:
            found = await function(self.reader, *asked, PAGE_ROWS_MAX, after)
            rows, after = rows + found.document, found.next
            if after is None:
                break
        return rows

    async def send(
        self, method: str, path: str, content: bytes | None = None, content_type: str = "application/json", **query: str
    ) -> Reply:
        """Ask the gateway, as this person's agency. Raises `NotServed` and, for what may be stored, `OutcomeUnknown`,
        which are shown as pages."""
        return await self.parts.gateway.ask(
            self.sending,
            method,
            path,
            language=self.words.language,
            content=content,
            content_type=content_type,
            parameters=query or None,
        )

    async def publish(self, event: bytes, content_type: str, *words: str, event_id: str) -> Reply:
        """Send an event. The trail names its id where it is stored, and where it may be. Raises like `send`."""
        try:
            reply = await self.send("POST", "/v1/events", event, content_type)
        except OutcomeUnknown:
            await self._add_sent_to_trail(*words, "unknown", event_id=event_id)
            raise
        if reply.is_success or reply.status >= 500:
            outcome = () if reply.is_success else ("unknown",)
            await self._add_sent_to_trail(*words, *outcome, event_id=event_id)
        return reply

    async def _add_sent_to_trail(self, *words: str, event_id: str) -> None:
        """Where the gateway did not answer, nobody has checked the id."""
        is_checked = len(event_id) <= EXTENSION_LENGTH_MAX and not shows_ten_digits(event_id)
        ids = [event_id] if is_checked else None
        await self.parts.add_done_to_trail(self.account.username, *words, event_ids=ids)

    async def add_to_trail(self, *words: str, event_ids: Sequence[str] | None = None) -> None:
        """Record what the person did. No text that somebody typed."""
        await self.parts.add_to_trail(self.account.username, *words, event_ids=event_ids)

    def page(self, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        """Render a template that extends `layout.html`."""
        return self.parts.templates.page(
            template,
            self.words,
            page_context(self.request, self.account, to_do=self.to_do, **context),
            status,
        )

    def redirect(self, address: str) -> RedirectResponse:
        """Answer a form: the browser loads `address`, so that a reload sends nothing again."""
        return RedirectResponse(address, 303)


async def or_none(answer: Awaitable[T], status: int) -> T | None:
    """The answer of the read API; None where it refuses with this status. Raises `Problem` with any other."""
    try:
        return await answer
    except Problem as error:
        if error.status != status:
            raise
        return None


def attachment(content: bytes, media_type: str, filename: str) -> Response:
    """A file for the browser to keep. `filename` is of letters, digits, dots and hyphens."""
    disposition = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return Response(content, headers=disposition, media_type=media_type)


def csv_attachment(text: str, filename: str) -> Response:
    return attachment(text.encode(), "text/csv; charset=utf-8", filename)


def page_context(request: Request, account: Account | None, **context: Any) -> dict[str, Any]:
    """What the layout needs besides a page's own context. `here`: where the page can be loaded again, to follow the log
    or in the other language; None for the answer to a form. `unsent`: a form brought the browser here without having
    been read."""
    return {
        "account": account,
        "csrf": getattr(request.state, "csrf", ""),
        "path": request.url.path,
        "here": address_of(request) if request.method in SAFE_METHODS else None,
        "navigation": items_of(account.role) if account is not None and not account.must_change_password else (),
        "opens_entries": account is not None and account.role in OPEN_ENTRIES,
        "to_do": 0,
        "live": False,
        "unsent": False,
        "version": VERSION,
        **context,
    }


def address_of(request: Request) -> str:
    """The path with its query."""
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path


async def _visit(request: Request) -> Visit:
    account: Account | None = request.state.account
    if account is None:  # pages that need nobody do not ask for a visit
        raise Problem("unauthenticated")
    visit = Visit(request, request.app.state.parts, account, request.state.words)
    return replace(visit, to_do=await _to_do(visit))


async def _to_do(visit: Visit) -> int:
    """0 where nobody sees a menu: in the answer to a form, and in a part that an open page loads again."""
    is_page = visit.request.method in SAFE_METHODS and "x-live" not in visit.request.headers
    if not is_page or visit.account.role not in ("agency", "team"):
        return 0
    for team in dict.fromkeys((visit.account.team, None)):
        with suppress(Problem, *TRANSIENT_ERRORS):
            counts = (await inbox_counts_for(visit.reader, InboxFilter(team=team))).document
            return counts.acknowledge + counts.air + counts.complete
    return 0


Visiting = Annotated[Visit, Depends(_visit)]
"""A route's parameter."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """A dependency of routes that only these roles may use. Raises `Problem` (403)."""

    roles: frozenset[Role]

    async def __call__(self, visit: Visiting) -> None:
        if visit.account.role not in self.roles:
            raise Problem("forbidden")


def only(roles: Iterable[Role]) -> Any:
    return Depends(Allowed(frozenset(roles)))


def is_refused(request: Request) -> bool:
    """Whether the route's own dependencies refuse the account."""
    account: Account | None = request.state.account
    rules = [one.dependency for one in request.scope["route"].dependencies]
    return account is not None and any(isinstance(rule, Allowed) and account.role not in rule.roles for rule in rules)
