"""`yesser demo`: the programme's real story from end to end, with verified figures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Final

import click
import msgspec
import orjson
import uvloop
from rich.console import Console

from events.values.bilingual import Bilingual
from infra.command_line.exit_codes import ExitCode
from infra.command_line.language import localized
from infra.command_line.output import json_option, print_result
from infra.command_line.progress_bar import progress_bar
from infra.embedded.plan import Wanted
from infra.embedded.stack import start_stack, stop_stack
from infra.embedded.status import stack_status
from infra.observability.logs import configure_logs
from infra.settings import Settings
from producers.programme.chapter_one import chapter_one
from producers.programme.chapter_three import REFUSED_ID, chapter_three, late, refused, reminders
from producers.programme.chapter_two import chapter_two
from producers.programme.commands import PATIENCE_S, CommandFailed, read_json, run_json
from producers.programme.documents import (
    Account,
    Campaign,
    Demo,
    Ledger,
    LogEntry,
    LogSize,
    Rebuild,
    Refused,
    Total,
    Tree,
    Verification,
)
from producers.programme.publish_chapter import StoryRefused, add_to_outbox, publish_chapter, register_agencies
from producers.programme.report import print_report
from producers.programme.sign_ins import sign_ins
from producers.programme.story_event import StoryEvent

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
    texts = run_json("plan"), run_json("campaigns", "list"), run_json("ledger", "balances")
    accounts = msgspec.json.decode(texts[-1], type=Ledger).accounts
    proofs = verification(_tree(), read_json(Rebuild, "rebuild", "--compare", accept=(0, 1)), accounts)
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
    with progress_bar(title, len(events), localized(Bilingual("من الأحداث في السجل", "events in the log"))) as update:
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
