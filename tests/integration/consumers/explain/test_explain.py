"""Figures explained from the database, a mirror and an export: the same answer, with proofs that hold."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from consumers.proof.audit.mirror import write_mirror
from infra.command_line.exit_codes import exit_code
from infra.log.proof_file import parse_proof_file
from infra.postgres.connection import Connection
from infra.private_keys.key_files import log_key_files
from infra.settings import Settings
from tests.oracle.fold import fold
from tests.oracle.history import MIXED, entries_from, generate
from tests.oracle.log import EntryDict
from tests.world.commands import yesser, yesser_json
from tests.world.logs import apply_everywhere, raw_entries, sign, write_log, write_tree
from tests.world.memory_log import KEY, MemoryLog
from tests.world.plan import plan_figures

VKEY = KEY.verifier.vkey


@dataclass
class Platform:
    """A database with an applied and signed log, and a mirror of it."""

    connection: Connection
    settings: Settings
    mirror: Path
    folder: Path

    async def yesser(self, *arguments: str) -> Result:
        return await yesser(self.settings, *arguments)

    async def explained(self, *arguments: str) -> Any:
        """The answer of the database, which must be that of the mirror too."""
        answer = await self.outside(*arguments)
        assert await yesser_json(self.settings, "audit", "explain", *arguments) == (0, answer)
        return answer

    async def outside(self, *arguments: str, source: Path | None = None) -> Any:
        place = ("--from", str(source or self.mirror), "--vkey", VKEY)
        code, answer = await yesser_json(self.settings, "audit", "explain", *arguments, *place)
        assert code == 0, answer
        return answer


@pytest.fixture(scope="module")
def log() -> list[EntryDict]:
    return entries_from(generate(21, 700, MIXED))


@pytest.fixture
async def platform(connection: Connection, settings: Settings, log: list[EntryDict], tmp_path: Path) -> Platform:
    raw = raw_entries(log)
    await write_log(connection, raw)
    await write_tree(connection, raw)
    await apply_everywhere(connection, raw)
    await sign(connection, raw, len(raw))
    await asyncio.to_thread(settings.log_folder.mkdir, parents=True, exist_ok=True)
    await asyncio.to_thread(log_key_files(settings).vkey.write_text, VKEY + "\n")
    await write_mirror(MemoryLog(raw), tmp_path / "mirror", KEY.verifier)
    return Platform(connection, settings, tmp_path / "mirror", tmp_path)


BAD_INPUT = (
    (("servces", "x"), 2, "Did you mean services"),
    (("services",), 2, "SERVICE_ID"),
    (("services", "x", "launched"), 2, "Did you mean launched_on"),
    (("plan", "services/1", "lanched"), 2, "Did you mean launched"),
    (("plan", "servces/1"), 2, "services/GROUP"),
    (("training", "umm-al-qura/x/usage"), 2, "CALENDAR/YEAR/TRACK"),
    (("services", "no-such-service"), 1, "services has no no-such-service"),
    (("statements", "PPP/1426-03"), 1, "statements has no PPP/1426-03"),
    (("services", "x", "--steps", "0"), 2, "--steps"),
)
"""Arguments, exit code, and what is said."""


async def test_the_database_and_a_mirror_give_the_same_answer_and_say_what_to_write_instead_of_bad_input(
    platform: Platform, log: list[EntryDict]
) -> None:
    expected = fold(log)
    plan = plan_figures(expected.plan)
    for key in ("services/1", "infrastructure", "awareness", "anomalies", "refusals"):
        answer = await platform.explained("plan", key)
        assert answer["figures"] == plan[key]
    statement = max(expected.statements, key=lambda row: row["collected_halalas"])
    partnership_id, period = statement["partnership_id"], statement["period"]
    answer = await platform.explained("statements", f"{partnership_id}/{period}")
    assert answer["figures"] == {n: v for n, v in statement.items() if n not in ("partnership_id", "period")}
    account, sums = next((name, row) for name, row in expected.balances.items() if row["credits_halalas"])
    answer = await platform.explained("accounts", account, "balance_halalas")
    assert answer["figures"] == {"balance_halalas": sums["balance_halalas"]}
    changes = [step["changes"]["balance_halalas"] for step in answer["steps"]]
    assert sum(change["after"] - (change["before"] or 0) for change in changes) == sums["balance_halalas"]
    for model, key in (
        ("activity", "health/training.certified"),
        ("activity", "health/refusals"),
        ("partnerships", partnership_id),
    ):
        assert (await platform.explained(model, key))["ok"]

    size = len(log) // 2
    answer = await platform.explained("plan", "services/1", "registered", "--as-of-index", str(size))
    assert answer["log_index"] == size
    assert answer["figures"]["registered"] == plan_figures(fold(log[:size]).plan)["services/1"]["registered"]
    assert all(step["index"] < size for step in answer["steps"])
    result = await platform.yesser("audit", "explain", "plan", "plan", "--as-of-index", str(len(log) + 1))
    assert "no state after" in str(result.exception)

    for arguments, code, sentence in BAD_INPUT:
        result = await platform.yesser("audit", "explain", *arguments)
        found = result.exit_code if result.exit_code == 2 else exit_code(result.exception or Exception())
        assert (found, sentence in f"{result.output} {result.exception}") == (code, True), result.output
    result = await platform.yesser("audit", "explain", "partnerships", f"{partnership_id}x")
    assert f"Did you mean {partnership_id}" in str(result.exception)


async def test_a_mirror_prints_the_names_that_the_database_prints_and_no_object_of_the_log(
    platform: Platform, log: list[EntryDict]
) -> None:
    first = next(entry["event"]["data"] for entry in log if entry["event"]["type"].endswith("service.registered.v1"))
    shown = {}
    for place in ((), ("--from", str(platform.mirror), "--vkey", VKEY)):
        result = await platform.yesser("audit", "explain", "services", first["service_id"], "--lang", "ar", *place)
        shown[place] = result.stdout
    by_database, by_mirror = shown.values()
    assert by_mirror == by_database
    assert f"{first['name']['ar']} (" in by_mirror.replace("\u2068", "")
    assert '"ar":' not in by_mirror


async def test_each_shown_entry_is_proven_and_an_export_explains_what_it_holds(
    platform: Platform, log: list[EntryDict]
) -> None:
    for number, source in enumerate(((), ("--from", str(platform.mirror), "--vkey", VKEY))):
        folder = platform.folder / f"proofs-{number}"
        arguments = ("audit", "explain", "plan", "anomalies", "--steps", "3", "--proofs", str(folder), *source)
        code, answer = await yesser_json(platform.settings, *arguments)
        assert code == 0, answer
        assert answer["earlier"]["count"] == answer["steps_count"] - 3
        assert len(answer["proofs"]) == 3
        for file, step in zip(answer["proofs"], answer["steps"], strict=True):
            proof = parse_proof_file(await asyncio.to_thread(Path(file).read_text))
            assert proof.verified(KEY.verifier).size == len(log)
            assert proof.index == step["index"]

    contract = fold(log).statements[0]["partnership_id"]
    folder = platform.folder / "export"
    source = ("--vkey", VKEY, "--subject", f"partnership/{contract}", "--into", str(folder))
    result = await platform.yesser("audit", "export", str(platform.mirror), *source)
    assert result.exit_code == 0, (result.output, result.exception)
    answer = await platform.outside("partnerships", contract, source=folder)
    assert answer == await platform.explained("partnerships", contract) | {"is_complete": False}
    command = ("audit", "explain", "partnerships", contract, "--from", str(folder), "--vkey", VKEY)
    refused = await platform.yesser(*command, "--proofs", str(platform.folder / "proofs"))
    assert (refused.exit_code, "one proof for all" in refused.output) == (2, True)
    file = folder / "entries.ndjson"
    await asyncio.to_thread(
        file.write_bytes, (await asyncio.to_thread(file.read_bytes)).replace(b"halalas", b"halalaz", 1)
    )
    assert "entries.ndjson" in str((await platform.yesser(*command)).exception)


async def test_what_is_not_indexed_yet_is_explained_and_what_was_changed_is_named(
    platform: Platform, log: list[EntryDict]
) -> None:
    before = await platform.explained("plan", "anomalies")
    half = len(log) // 2
    await platform.connection.execute("DELETE FROM event_index.event WHERE index >= $1", half)
    await platform.connection.execute("ALTER TABLE platform.position DISABLE TRIGGER ALL")
    await platform.connection.execute("UPDATE platform.position SET position = $1 WHERE consumer = 'event-index'", half)
    assert await platform.explained("plan", "anomalies") == before
    for model, key in (("plan", "services/2"), ("plan", "refusals")):
        assert (await platform.explained(model, key))["ok"]

    account = next(name for name, row in fold(log).balances.items() if row["debits_halalas"])
    await platform.connection.execute(
        "UPDATE revenue.account SET debits_halalas = debits_halalas + 1 WHERE account = $1", account
    )
    code, answer = await yesser_json(platform.settings, "audit", "explain", "accounts", account, "debits_halalas")
    assert (code, answer["ok"]) == (1, False)
    assert answer["figures"]["debits_halalas"] == answer["total"]["debits_halalas"] + 1
    shown = await platform.yesser("audit", "explain", "accounts", account, "debits_halalas")
    assert "The table differs from the log." in shown.output
    assert "الجدول يخالف السجل." in shown.output

    file = platform.mirror / "tile/entries/001"
    data = await asyncio.to_thread(file.read_bytes)
    await asyncio.to_thread(file.write_bytes, data.replace(b'"recordedtime":"2', b'"recordedtime":"3', 1))
    command = ("audit", "explain", "plan", "refusals", "--from", str(platform.mirror), "--vkey", VKEY)
    assert "entry 256" in str((await platform.yesser(*command)).exception)
