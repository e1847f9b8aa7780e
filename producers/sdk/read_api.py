"""What commands read through the gateway, for people who have an address and a token and no database.

`reads_options` gives a command the options; `Gateway` reads the documents that the command prints, by their types.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import click
from click.core import ParameterSource
from msgspec import Struct, ValidationError, convert

from events.values.bilingual import Bilingual
from infra.command_line.gateway_options import gateway_address, gateway_option, token_of, token_option
from infra.command_line.language import localized
from infra.extras import has_platform

if TYPE_CHECKING:
    from producers.sdk.answers import Proof
    from producers.sdk.client import AgencyClient

TIME_LIMIT_S: Final = 20.0
PAGE_ROWS: Final = 1_000
CODES_MAX: Final = 50
"""Of one question for names: an address of at most 4,000 characters."""
_NOT_FOUND: Final = 404
_NAMES: Final = "/v1/names"
_PAST: Final = Bilingual(
    "لا تعرض البوابة من الماضي إلا الخطة: yesser plan. لغيرها استعمل yesser audit replay --until.",
    "A gateway shows the past of the plan alone: yesser plan. For others use yesser audit replay --until.",
)
D = TypeVar("D", bound=Struct)
R = TypeVar("R")


class NamedCode(Struct, frozen=True):
    """What an agency, a service or a project is called."""

    kind: Literal["agency", "service", "project"]
    code: str
    name: Bilingual


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway's address, and the token that it is read with. Its methods raise what `AgencyClient` raises.

    Of parameters, those that are None are left out.
    """

    address: str
    token: str = field(repr=False)

    def rows(self, document: type[D], path: str, rows_max: int | None = None, **parameters: object) -> list[D] | None:
        """The rows of a list, all without `rows_max`; None where the gateway has no such thing."""
        pages = self._pages(path, rows_max, parameters)
        return None if pages is None else [self._document(document, row) for page in pages for row in page][:rows_max]

    def pages(self, document: type[D], path: str, **parameters: object) -> list[D]:
        """The pages of a document that holds a list."""
        return [self._document(document, page) for page in self._pages(path, None, parameters) or ()]

    def document(self, document: type[D], path: str) -> D | None:
        """One document; None where the gateway has no such thing."""
        read = asyncio.run(self._read(lambda client: client.read(path)))
        return None if read is None else self._document(document, read[1])

    def names(self, codes: Iterable[str]) -> list[NamedCode]:
        """Of codes like `agency/health`, those that have a name."""
        wanted = sorted(set(codes))
        parts = [",".join(wanted[at : at + CODES_MAX]) for at in range(0, len(wanted), CODES_MAX)]

        async def asked(client: AgencyClient) -> list[Any]:
            return [row for part in parts for page in await client.read_pages(_NAMES, {"codes": part}) for row in page]

        rows = asyncio.run(self._read(asked)) if parts else None
        return [self._document(NamedCode, row) for row in rows or ()]

    def proof(self, index: int) -> Proof | None:
        """An entry with its inclusion proof, which was verified; None where the gateway has no such entry."""
        return asyncio.run(self._read(lambda client: client.proof(index), tries_max=None))  # not yet covered: waits

    def _pages(self, path: str, rows_max: int | None, parameters: Mapping[str, object]) -> list[Any] | None:
        given = {name: value for name, value in parameters.items() if value is not None}
        flags = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}
        asked = {"limit": str(min(PAGE_ROWS, rows_max or PAGE_ROWS)), **flags}
        return asyncio.run(self._read(lambda client: client.read_pages(path, asked, rows_max)))

    async def _read(self, ask: Callable[[AgencyClient], Awaitable[R]], tries_max: int | None = 1) -> R | None:
        """Tries once by default, so that a command ends at once where the gateway is away. Raises `PlaintextRefused` if
        the token would leave this machine without encryption."""
        # Imported here: a command's help asks no gateway.
        from infra.settings import Settings
        from infra.tls.client import NotTrusted
        from infra.tls.plaintext import refuse_plain_http
        from producers.sdk.client import AgencyClient
        from producers.sdk.connection import ClientLimits
        from producers.sdk.problems import GatewayProblem, NotServed

        settings = Settings()
        refuse_plain_http(settings, "gateway", "--gateway", self.address)
        limits = ClientLimits(time_limit_s=TIME_LIMIT_S, tries_max=tries_max)
        async with AgencyClient.of(settings, self.address, self.token, limits) as client:
            try:
                return await ask(client)
            except GatewayProblem as error:
                if error.problem.status == _NOT_FOUND:
                    return None
                raise
            except (NotServed, NotTrusted) as error:
                raise NotServed(f"{self.address}: {error}") from error

    def _document(self, document: type[D], answer: Mapping[str, Any]) -> D:
        try:
            return convert(answer, document)
        except ValidationError as error:
            from producers.sdk.answers import NotAGateway

            raise NotAGateway(f"{self.address} answered what this version cannot show: {error}") from None


def reads_options(command: Callable[..., None], *, shows_past: bool = False) -> Callable[..., None]:
    """Add `--gateway` and `--token-file`; the command receives `gateway`, None where it reads the database, as it does
    of the past unless the gateway `shows_past`. Raises `UsageError` where it can read neither."""

    @wraps(command)
    def with_gateway(*arguments: Any, gateway: str | None, token_file: Path | None, **others: Any) -> None:
        if gateway is None and not has_platform():
            raise click.UsageError("Give the gateway's address: --gateway ADDRESS, or set YESSER_GATEWAY.")
        if gateway is not None and not shows_past and not getattr(others.get("at"), "is_now", True):
            named = click.get_current_context().get_parameter_source("gateway") is ParameterSource.COMMANDLINE
            if named or not has_platform():
                raise click.UsageError(localized(_PAST))
            gateway = None
        through = None if gateway is None else Gateway(gateway_address(gateway), token_of(token_file))
        command(*arguments, gateway=through, **others)

    decorated: Callable[..., None] = with_gateway
    for option in (token_option, gateway_option("the database of the stack in YESSER_HOME is read")):
        decorated = option(decorated)
    return decorated
