"""A gateway as a destination: for an agency that has an address and a token, and no access to Kafka or the database."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final, cast

from events.faults.problems import Code, Fault
from infra.errors import WaitTimedOut, WrongInput
from infra.settings import Settings
from infra.verdicts import Refused, Verdicts
from producers.publisher.report import Acknowledged, Progress, Report
from producers.sdk.answers import EventError, Verdict
from producers.sdk.client import AgencyClient, content_of
from producers.sdk.connection import ClientLimits

LIMITS: Final = ClientLimits()


class NoSequence(WrongInput):
    """A gateway does not tell which sequence is free: number the lines yourself, or leave `--sequence` out."""


@dataclass(frozen=True, slots=True)
class GatewayDestination:
    """The gateway at `address`, with an agency's `token`. A request has `time_limit_s`, with all its attempts."""

    settings: Settings
    address: str
    token: str
    time_limit_s: float

    async def sender(self, agency: str | None) -> str:
        """The code of the agency that the token sends as. Raises `NotASender`, and as the client does."""
        async with self._client() as client:
            return (await client.sender(agency)).code

    @asynccontextmanager
    async def publisher(self, report: Report, acknowledged: Acknowledged) -> AsyncIterator[GatewayPublisher]:
        async with self._client() as client:
            yield GatewayPublisher(client, report, acknowledged)

    async def first_sequence(self, timeout_s: float | None) -> int:
        raise NoSequence(NoSequence.__doc__)

    async def wait_for_verdicts(self, report: Report, progress: Progress, timeout_s: float | None) -> None:
        verdicts = report.verdicts = Verdicts()
        if not report.sent.lines_count:
            return  # the agency may have no record at all, for which a receipt would be awaited
        try:
            async with asyncio.timeout(timeout_s), self._client() as client:
                # Those of all of the agency's records come, in the order of its topic.
                async for verdict in client.receipts(report.sent.first_offset):
                    offset = int((verdict.address or "").rpartition("/")[2])
                    if report.sent.ranges(offset, offset + 1):
                        _note(verdict, offset, verdicts)
                        progress.verdicts(report.verdicts_count, report.sent.lines_count)
                    if offset + 1 >= report.sent.end_offset:
                        break
        except TimeoutError:
            raise WaitTimedOut(WaitTimedOut.__doc__) from None
        report.require_all_verdicts(self.address)

    def _client(self) -> AgencyClient:
        limits = replace(LIMITS, time_limit_s=self.time_limit_s)
        return AgencyClient.of(self.settings, self.address, self.token, limits)


class GatewayPublisher:
    """Sends lines in requests of many. What the gateway refuses is not stored: its faults are in the report."""

    def __init__(self, client: AgencyClient, report: Report, acknowledged: Acknowledged) -> None:
        self._client = client
        self._report = report
        self._acknowledged = acknowledged
        self._lines: dict[int, bytes] = {}
        self._size = 0

    async def add(self, value: bytes, tag: int = 0) -> None:
        content = content_of(value)
        if len(self._lines) == LIMITS.batch_events_max or self._size + len(content) >= LIMITS.batch_bytes_max:
            await self.push()
        self._lines[tag] = content
        self._size += len(content) + 1

    async def push(self) -> None:
        lines, self._lines, self._size = self._lines, {}, 0
        sent = await self._client.send_many([*lines.values()], partial=True)
        numbers = [*lines]
        faults: defaultdict[int, list[Fault]] = defaultdict(list)
        for error in sent.refused:
            assert error.event is not None
            faults[numbers[error.event]].append(_fault(error))
        self._report.unsent |= faults
        stored = (number for number in numbers if number not in faults)
        for number, receipt in zip(stored, sent.receipts, strict=True):
            self._acknowledged([number], receipt.offset)

    async def flush(self) -> None:
        await self.push()


def _fault(error: EventError) -> Fault:
    """A fault of a line; the gateway's pointer leads into the whole request."""
    return Fault(error.pointer.removeprefix(f"/{error.event}"), cast(Code, error.code), error.detail)


def _note(verdict: Verdict, offset: int, verdicts: Verdicts) -> None:
    """Count a verdict; a lost record has none."""
    if verdict.state == "registered":
        verdicts.accepted += 1
    elif verdict.state == "duplicate":
        verdicts.duplicates += 1
    elif verdict.state == "refused" and verdict.index is not None:
        errors = [error.model_dump(include={"code", "pointer", "detail"}) for error in verdict.errors]
        verdicts.refusals.append(Refused(offset, verdict.index, verdict.id, errors))
    if verdict.state in ("registered", "duplicate"):
        verdicts.span(verdict.index, verdict.index)
