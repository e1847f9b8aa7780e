"""A figure leads to its entries, whose proofs the browser verifies; and what was changed shows red."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infra.log.bundle import split_bundle
from infra.log.layout import TILE
from infra.postgres.connection import Connection, connect
from tests.browser.console import Story, in_a_thread, require_accessible, require_both_directions
from tests.browser.lines import publish, registered

LAUNCHED = "/explain/plan/services/1/launched"
GROUP = "UPDATE projections.service_group SET launched = launched + $1 WHERE group_number = 1"
CHECK_TIMEOUT_MS = 240_000
pytestmark = pytest.mark.timeout(900)


def as_superuser(story: Story, work: Callable[[Connection], Awaitable[Any]]) -> Any:
    """Do something in the database."""

    async def connected() -> Any:
        connection = await connect(story.system.settings, "a superuser")
        try:
            await connection.execute("SET session_replication_role = replica")
            return await work(connection)
        finally:
            await connection.close()

    return in_a_thread(lambda: asyncio.run(connected()))


@contextmanager
def changed_entry(story: Story, index: int) -> Iterator[None]:
    """The bytes of an entry are changed for the length of a `with`, as by a superuser who does not touch its hash."""
    select = "SELECT first_index, entries FROM log.segment WHERE first_index BETWEEN $1 - $2::bigint AND $1"
    update = "UPDATE log.segment SET entries = $2 WHERE first_index = $1"

    async def change(connection: Connection) -> tuple[int, bytes]:
        rows = await connection.fetch(select + " ORDER BY first_index DESC LIMIT 1", index, TILE)
        ((first, whole),) = rows
        entry = split_bundle(whole)[index - first]
        changed = entry.replace(b'"recordedtime":"2', b'"recordedtime":"1', 1)
        assert changed != entry
        await connection.execute(update, first, whole.replace(entry, changed, 1))
        return first, whole

    first, whole = as_superuser(story, change)
    try:
        yield
    finally:
        as_superuser(story, lambda connection: connection.execute(update, first, whole))


@contextmanager
def changed_table(story: Story) -> Iterator[None]:
    """The number of launched services is one too high for the length of a `with`."""
    as_superuser(story, lambda connection: connection.execute(GROUP, 1))
    try:
        yield
    finally:
        as_superuser(story, lambda connection: connection.execute(GROUP, -1))


def newest_launch(story: Story) -> int:
    """The last entry that launched a service of group 1."""
    index: int = story.run("audit", "explain", "plan", "services/1", "launched")["steps"][-1]["index"]
    return index


FORGE = """() => {
    const place = Object.keys(localStorage).find((name) => name.startsWith("yesser-checkpoint"));
    const kept = JSON.parse(localStorage.getItem(place));
    localStorage.setItem(place, JSON.stringify({ size: kept.size - 1, root: kept.root }));
}"""


def test_a_visit_continues_the_one_before_and_a_forged_checkpoint_of_it_is_noticed(story: Story) -> None:
    with story.visit("auditor", "en") as visitor:
        for steps in (3, 4):  # on a first visit there is nothing to continue
            page = visitor.open("/audit/entries/5")
            page.wait_for_selector("#verification[data-state=allGood]")
            assert page.locator(".proof-steps .tag-good").count() == steps
        page.evaluate(FORGE)
        page.reload()
        page.wait_for_selector("#verification[data-state=someBad]")
        assert page.locator("[data-step=consistency] .tag-bad").count() == 1


def test_a_browser_without_ed25519_says_what_it_did_not_check(story: Story) -> None:
    with story.visit("auditor", "en", own_window=True) as visitor:
        visitor.page.add_init_script("crypto.subtle.importKey = () => Promise.reject(new Error('not supported'))")
        page = visitor.open("/audit/entries/5")
        page.wait_for_selector("#verification[data-state=someOpen]")
        assert page.locator("[data-step=path] .tag-good").count() == 1
        assert "cannot verify Ed25519" in page.locator("[data-step=signature]").inner_text()
        assert "proof file" in page.locator("#verification [data-summary]").inner_text()


def test_a_changed_entry_is_red_on_the_pages_that_use_it(story: Story) -> None:
    index = newest_launch(story)
    with changed_entry(story, index):
        with story.visit("office", "en") as visitor:
            page = visitor.open(f"/audit/entries/{index}")
            page.wait_for_selector("#verification[data-state=someBad]")
            assert page.locator("[data-step=path] .tag-bad").count() == 1
            assert "not as it was signed" in page.locator(".notice-bad[role=alert]").first.inner_text()
            require_accessible(page)
            page = visitor.open(LAUNCHED, 500)
            assert "changed after it was registered" in page.locator(".notice-bad").inner_text()
            assert page.locator(f".notice-bad a[href='/audit/entries/{index}']").count() == 1
            require_both_directions(page)
            visitor.faults.clear()  # the browser reports the status 500
        assert 'class="notice notice-bad"' in story.get("office", f"/audit/entries/{index}").text, (
            "the server checks too"
        )
    with story.visit("office", "en") as visitor:
        page = visitor.open(f"/audit/entries/{index}")
        page.wait_for_selector("#verification[data-state=allGood]")
        assert page.locator(".notice-bad").count() == 0


def test_a_changed_table_is_red_beside_the_figure_and_found_by_a_rebuild(story: Story) -> None:
    with story.visit("auditor", "en") as visitor:
        with changed_table(story):
            page = visitor.open(LAUNCHED)
            assert "The table differs from the log" in page.locator(".notice-bad").inner_text()
            page = visitor.open("/audit")
            page.click("#check-models")
            page.wait_for_selector("#checks .notice-bad", timeout=CHECK_TIMEOUT_MS)
            assert "projections.service_group" in page.locator("#checks .notice-bad").inner_text()
        page.click("#check-models")
        page.wait_for_selector("#checks .notice-good", timeout=CHECK_TIMEOUT_MS)
        page = visitor.open("/audit/commitments")
        assert page.locator("h1").inner_text() == "Commitments to the read models"


def test_the_proof_is_a_file_that_a_program_verifies(story: Story, tmp_path: Path) -> None:
    answer = story.get("auditor", "/audit/entries/5/proof")
    assert answer.headers["content-disposition"] == 'attachment; filename="5.tlog-proof"'
    file = tmp_path / "5.tlog-proof"
    file.write_bytes(answer.content)
    assert story.run("audit", "check", str(file))["index"] == 5


def test_markup_and_bidirectional_controls_of_an_event_are_only_text(story: Story) -> None:
    evil = "<script>window.stolen = 1</script><img src=x onerror='window.stolen = 1'>\u202egnp.exe\u2066"
    service = "AUDIT-EVIL-1"
    for number in (1, 2):
        name = {"ar": f"خدمة {evil}", "en": f"{evil} {'long ' * (100 + number)}"}
        publish(story, "health", registered(service, "NOT-A-PLAN", name, f"audit-evil-{number}"))
    first, second = story.run("log", "find", "--subject", f"service/{service}")
    paths = [f"/audit/entries/{first['index']}", f"/audit/log?subject=service/{service}", "/audit/anomalies"]
    with story.visit("office", "ar") as visitor:
        for path in paths:
            page = visitor.open(path)
            assert page.evaluate("window.stolen") is None
            assert page.locator("main script, main img").count() == 0
        page = visitor.open(paths[0])
        page.wait_for_selector("#verification[data-state=allGood]")
        texts = page.locator("td bdi").all_inner_texts()
        assert any(text.startswith(evil) for text in texts), "the text stands there as it was sent"
        page = visitor.open(f"/audit/entries/{second['index']}")
        assert "already-registered" in page.locator("main").inner_text(), "an anomaly says which rule it breaks"
