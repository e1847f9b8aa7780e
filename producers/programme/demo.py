"""`yesser demo`: the programme's real story from end to end, with verified figures.

A chapter is published as every agency's events, each to its agency's own topic.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Final

import click
import msgspec
import orjson
import uvloop
from rich.console import Console

from events.errors import YesserError
from events.values.bilingual import Bilingual
from infra.clock import utc_now
from infra.command_line.exit_codes import ExitCode
from infra.command_line.language import localized
from infra.command_line.output import json_option, print_result
from infra.command_line.progress_bar import progress_bar
from infra.embedded.plan import Wanted
from infra.embedded.stack import start_stack, stop_stack
from infra.embedded.status import stack_status
from infra.observability.logs import configure_logs
from infra.postgres.connection import connected
from infra.postgres.outbox import OutboxEvent
from infra.postgres.outbox_table import write
from infra.settings import Settings
from producers.agencies.register import NewAgency, add_agencies
from producers.programme.chapter_one import OFFICE, chapter_one
from producers.programme.chapter_three import REFUSED_ID, chapter_three, late, refused, reminders
from producers.programme.chapter_two import chapter_two
from producers.programme.documents import (
    PATIENCE_S,
    Account,
    Campaign,
    CommandFailed,
    Demo,
    Ledger,
    LogEntry,
    LogSize,
    Rebuild,
    Refused,
    Total,
    Tree,
    Verification,
    read_json,
    run_json,
)
from producers.programme.report import print_report, sign_ins
from producers.programme.story_event import StoryEvent, read_records
from producers.publisher.kafka_publisher import AgencyPublisher
from producers.publisher.over_kafka import wait_for_verdicts
from producers.publisher.report import Progress, Report

_LOOK_S: Final = 0.5

Say = Callable[[Bilingual], None]
"""Called with a message in Arabic and in English."""


@click.command("demo")
@click.option("--keep", is_flag=True, help="Leave the stack running, with an account of the console for each role.")
@json_option
@click.pass_context
def demo(context: click.Context, keep: bool, as_json: bool) -> None:
    """Publish the programme's sample history as its agencies would, then show and verify the results.

    Starts the stack if it does not run, and stops what it started, except with --keep. Repeating it changes nothing:
    all events are then duplicates.
    """
    began = time.monotonic()
    settings = Settings().acting_as("operator")  # publishes for every agency
    configure_logs("error", "demo")
    console = Console(stderr=True, highlight=False)
    with _stack(settings, partial(_say, console), keep=keep):
        document = _run(settings, console)
        if keep:
            document.console = sign_ins(settings)
        document.seconds = round(time.monotonic() - began, 3)
        print_result(document, as_json, lambda: print_report(document))
    context.exit(ExitCode.OK if document.verification.ok else ExitCode.ANSWER_IS_NO)


def _say(console: Console, text: Bilingual) -> None:
    console.print(localized(text, "\n"), soft_wrap=True, markup=False)


@contextmanager
def _stack(settings: Settings, say: Say, *, keep: bool) -> Iterator[None]:
    """The running stack, or one started for the demo, which ends with it unless it is to be kept."""
    if stack_status(settings).running:
        start_stack(settings, Wanted(frozenset()))  # waits until what runs is ready
        yield
        return
    with ExitStack() as ending:
        ending.callback(stop_stack, settings)
        ending.callback(say, Bilingual("يتوقف النظام وتبقى بياناته.", "Stopping the stack; its data stays."))
        start_stack(settings, Wanted(), progress=lambda sentence: say(Bilingual(sentence, sentence)))
        yield
        if keep:
            ending.pop_all()


def _run(settings: Settings, console: Console) -> Demo:
    say = partial(_say, console)
    new = uvloop.run(register_agencies(settings))
    say(Bilingual("سُجّلت الجهات (الجديد منها {}).", "Agencies are registered ({} new).").format(new))
    _chapter(settings, localized(Bilingual("القصة", "The story")), chapter_one())
    _settle(say)
    campaigns = _campaigns()
    say(Bilingual("أُطلقت حملات التوعية ({}).", "{} campaigns were triggered.").format(len(campaigns)))
    _chapter(settings, localized(Bilingual("الحملات", "The campaigns")), chapter_two(campaigns))
    _show_work(settings, say, campaigns)
    _settle(say)
    if not read_json(list[object], "log", "find", "--type", "projection.committed", "--limit", "1"):
        run_json("commit")
        _settle(say)
    say(Bilingual("التحقق من السجل وإعادة البناء والدفتر.", "Verifying: the tree, a rebuild, the ledger."))
    # At once: most of each command's time is the start of its process.
    with ThreadPoolExecutor() as workers:
        rebuild = workers.submit(partial(read_json, Rebuild, "rebuild", "--compare", accept=(0, 1)))
        tree = workers.submit(_tree)
        texts = list(workers.map(lambda words: run_json(*words.split()), ("plan", "campaigns list", "ledger balances")))
    accounts = msgspec.json.decode(texts[-1], type=Ledger).accounts
    proofs = verification(tree.result(), rebuild.result(), accounts)
    plan, campaigns_, ledger = map(orjson.Fragment, texts)
    return Demo(plan=plan, campaigns=campaigns_, ledger=ledger, verification=proofs, seconds=0)


def _settle(say: Say) -> None:
    say(Bilingual("بانتظار تطبيق كل الأحداث.", "Waiting until all events are applied."))
    run_json("wait", "--timeout", str(PATIENCE_S))


def _show_work(settings: Settings, say: Say, campaigns: Sequence[Campaign]) -> None:
    """What is under way: reminders, those that are late once they are escalated, a contradiction and a refusal."""
    triggers = reminders(campaigns, lambda index: read_json(LogEntry, "log", "show", str(index)).recordedtime)
    uvloop.run(add_to_outbox(settings, triggers))
    say(Bilingual("بانتظار تصعيد الحملات المتأخرة.", "Waiting until late campaigns are escalated."))
    deadline = time.monotonic() + PATIENCE_S
    while late(campaigns) - {row.campaign_id for row in _campaigns() if row.escalated}:
        if time.monotonic() > deadline:
            raise CommandFailed("late campaigns were not escalated: does delivery run? See `yesser status`.")
        time.sleep(_LOOK_S)
    title = localized(Bilingual("ما يجري", "Under way"))
    _chapter(settings, title, chapter_three(campaigns))
    if not any(row.claimed_id == REFUSED_ID for row in read_json(list[Refused], "refusals", "list")):
        try:
            _chapter(settings, title, [refused()])
        except* StoryRefused:
            pass  # as it is meant to be


def _campaigns() -> list[Campaign]:
    return read_json(list[Campaign], "campaigns", "list")


def _chapter(settings: Settings, title: str, events: Sequence[StoryEvent]) -> None:
    with progress_bar(title, len(events)) as update:
        uvloop.run(publish_chapter(settings, events, update.on))


def _tree() -> Tree:
    """Compute the tree again from every entry and compare it with the signed checkpoint."""
    size = read_json(LogSize, "log", "size").size
    run_json("wait", "--timeout", str(PATIENCE_S))  # which also waits until the log is signed
    tree = read_json(Tree, "audit", "verify")
    return Tree(tree.size, tree.root, tree.ok and tree.size >= size)


def verification(tree: Tree, rebuild: Rebuild, accounts: Sequence[Account]) -> Verification:
    """The three proofs: the tree, rebuilt = live, and a ledger that sums to zero."""
    total = sum(account.balance_halalas for account in accounts)
    return Verification(tree, rebuild, Total(total, total == 0), tree.ok and rebuild.ok and total == 0)


OnVerdicts = Callable[[int], None]
"""Called with the number of events that got their verdict since the last call."""


class StoryRefused(YesserError):
    """The story no longer fits the contract: correct its data files."""


class _Meter(Progress):
    """Converts one agency's progress to increments."""

    def __init__(self, on_verdicts: OnVerdicts) -> None:
        self._on_verdicts = on_verdicts
        self._reported = 0

    def verdicts(self, lines_count: int, of_count: int) -> None:
        self._on_verdicts(lines_count - self._reported)
        self._reported = lines_count


async def register_agencies(settings: Settings) -> int:
    """Register the agencies of the story and wait until all can publish; returns how many were new."""
    agencies = [
        NewAgency(row["code"], row["role"], row["name"]["ar"], row["name"]["en"])
        for row in read_records("agencies")["agencies"]
    ]
    settings = settings.acting_as("administrator")
    async with connected(settings, "demo") as connection:
        return len(await add_agencies(connection, settings, agencies, utc_now))


async def publish_chapter(settings: Settings, events: Sequence[StoryEvent], on_verdicts: OnVerdicts) -> None:
    """Publish all events and wait until they are in the log. Raises `StoryRefused` if the registrar refuses any."""
    for stage in stages(events):
        async with asyncio.TaskGroup() as group:
            for agency, values in stage.items():
                group.create_task(_publish(settings, agency, values, on_verdicts))


def stages(events: Sequence[StoryEvent]) -> list[dict[str, list[bytes]]]:
    """The events published at once, stage by stage: agency → its events in order.

    The office comes first, alone: its plan and quotas decide when a target is reached. Published together with the
    other agencies' launches and certificates, their order in the log, and so the campaigns, would be random.
    """
    by_agency: dict[str, list[bytes]] = {}
    for event in events:
        by_agency.setdefault(event.agency, []).append(event.value)
    office = {OFFICE: by_agency.pop(OFFICE)} if OFFICE in by_agency else {}
    return [stage for stage in (office, by_agency) if stage]


async def add_to_outbox(settings: Settings, events: Sequence[OutboxEvent]) -> None:
    """Put triggers into the platform's outbox as the timers do."""
    async with connected(settings.acting_as("delivery"), "demo") as connection:
        await write(connection, events)


async def _publish(settings: Settings, agency: str, values: list[bytes], on_verdicts: OnVerdicts) -> None:
    report = Report(lines=len(values))
    async with AgencyPublisher(settings, agency, acknowledged=report.sent.add) as publisher:
        for number, value in enumerate(values, 1):
            await publisher.add(value, number)
    await wait_for_verdicts(settings, agency, report, _Meter(on_verdicts), PATIENCE_S)
    problems = report.problems()
    if problems:
        row = problems[0]
        raise StoryRefused(f"{agency} was refused at event {row.line}: {row.code} at {row.pointer}.")
