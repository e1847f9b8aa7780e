"""`pip install .` without an extra: an auditor and an agency have their tools, and nothing heavier is installed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bench.ledger import history
from consumers.audit.mirror import write_mirror
from consumers.commitments.commitment import hash_read_models
from consumers.registry import CONSUMERS
from infra.cli import WITHOUT_PLATFORM
from infra.extras import EXTRAS
from infra.postgres.connection import Connection
from tests.integration.small_install.environment import SmallInstall, build
from tests.oracle.history import MIXED, entries_from, generate
from tests.world.logs import apply_live, raw_entries, with_commitments, write_log
from tests.world.memory_log import KEY, MemoryLog, sample_entries
from tests.world.statement_proofs import write_proof

VKEY = KEY.verifier.vkey
PACKAGES_MAX = 30


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> SmallInstall:
    return build(tmp_path_factory.mktemp("small"))


@pytest.fixture
def small(built: SmallInstall, tmp_path: Path) -> SmallInstall:
    """With a home of its own: it keeps the checkpoints that were accepted."""
    return replace(built, home=tmp_path / "home")


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A folder behind a plain file server."""
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass


def test_it_has_few_packages_and_none_of_an_extra(small: SmallInstall) -> None:
    script = f"import importlib.util as u; print([m for m in {sorted(EXTRAS)} if u.find_spec(m) is not None])"
    assert small.run("python", "-c", script).stdout.strip() == "[]"
    assert len(small.packages) <= PACKAGES_MAX, sorted(small.packages)


async def test_a_replay_gives_the_hashes_of_the_live_tables(
    small: SmallInstall, connection: Connection, tmp_path: Path
) -> None:
    raw = raw_entries(entries_from(generate(61, 250, MIXED)))
    await write_log(connection, raw)
    for consumer in CONSUMERS.values():
        await apply_live(connection, consumer, raw)
    expected = {row.name: [row.rows, row.sha256] for row in await hash_read_models(connection)}
    mirror, export = tmp_path / "mirror", tmp_path / "export"
    await write_mirror(MemoryLog(await with_commitments(connection, raw)), mirror, KEY.verifier)
    made = small.run("yesser", "audit", "export", mirror, "--vkey", VKEY, "--into", export)
    assert made.returncode == 0, made.stderr
    with served(mirror) as address:
        sources: tuple[str | Path, ...] = (mirror, address, export)
        for number, source in enumerate(sources):
            command = ("yesser", "audit", "replay", source, "--vkey", VKEY, "--into", tmp_path / f"models-{number}")
            done = small.run(*command, "--json")
            assert done.returncode == 0, done.stderr
            rows = json.loads(done.stdout)["read_models"]
            assert {row["name"]: row["committed"]["sha256"] for row in rows if row["committed"]["ok"]} == {
                name: sha256 for name, (_, sha256) in expected.items()
            }
            done = small.run(*command, "--to", str(len(raw)), "--json")
            rows = json.loads(done.stdout)["read_models"]
            assert {row["name"]: [row["rows"], row["sha256"]] for row in rows} == expected


async def test_a_served_log_is_checked_verified_mirrored_proven_and_exported(
    small: SmallInstall, tmp_path: Path
) -> None:
    raw = raw_entries(entries_from(generate(61, 250, MIXED)))
    await write_mirror(MemoryLog(raw), tmp_path / "served", KEY.verifier)
    proof = tmp_path / "7.tlog-proof"
    with served(tmp_path / "served") as address:
        for command in (
            ("check", address),
            ("verify", address),
            ("mirror", tmp_path / "copy", "--from", address),
            ("prove", address, "7", "--into", proof),
            ("check", proof),
            ("export", address, "--type", "service.launched", "--into", tmp_path / "export"),
            ("explain", "plan", "services/1", "launched", "--from", address),
            ("completeness", address),
        ):
            done = small.run("yesser", "audit", *command, "--vkey", VKEY)
            assert done.returncode == 0, done.stderr
    done = small.run("python", tmp_path / "export" / "verify.py", tmp_path / "export", VKEY)
    assert done.returncode == 0, done.stderr


async def test_a_statement_is_verified(small: SmallInstall, tmp_path: Path) -> None:
    raw = raw_entries(history(40, 2, closes=True))
    folder, mirror = tmp_path / "proof", tmp_path / "mirror"
    await write_proof(raw, "P0", "2005-01", folder)
    await write_mirror(MemoryLog(raw), mirror, KEY.verifier)
    command = ("yesser", "ledger", "verify-statement", folder, "--vkey", VKEY, "--json")
    for options in ((), ("--against", mirror)):
        done = small.run(*command, *options)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["is_complete"] is bool(options)
    lines = folder / "entries.ndjson"
    lines.write_bytes(lines.read_bytes().replace(b"R6", b"R7"))
    done = small.run(*command)
    assert done.returncode == 76
    assert "does not say what its entry says" in done.stderr or "give the root" in done.stderr


def test_the_ledgers_help_names_the_commands_that_need_more_apart(small: SmallInstall) -> None:
    done = small.run("yesser", "ledger", "--help")
    here, _, more = done.stdout.partition("Need pip install 'yesser-events[platform]':")
    assert "\n  verify-statement " in here
    assert {"balances", "prove-statement", "terms"} <= set(more.replace(",", " ").split())


async def test_a_changed_entry_of_a_served_log_is_tampering(small: SmallInstall, tmp_path: Path) -> None:
    await write_mirror(MemoryLog(sample_entries(2)), tmp_path / "log", KEY.verifier)
    bundle = tmp_path / "log/tile/entries/000.p/2"
    bundle.write_bytes(bundle.read_bytes().replace(b'"n":1', b'"n":3'))
    with served(tmp_path / "log") as address:
        done = small.run("yesser", "audit", "verify", address, "--vkey", VKEY)
    assert done.returncode == 76
    assert "entry 1" in done.stderr


def test_a_command_that_needs_more_says_what_to_install(small: SmallInstall) -> None:
    for command in (("plan",), ("up",), ("run", "registrar"), ("audit", "commitments"), ("ledger", "balances")):
        done = small.run("yesser", *command)
        assert done.returncode == 78, done.stderr
        assert done.stderr.startswith("yesser: This needs pip install 'yesser-events[platform]': the module ")
        assert done.stderr.count("\n") == 1


def test_a_witness_makes_its_key_and_its_server_is_an_extra(small: SmallInstall, tmp_path: Path) -> None:
    key = tmp_path / "witness.skey"
    made = small.run("yesser", "keys", "witness", "new", "court.example/witness", key, "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["vkey"].startswith("court.example/witness+")
    assert key.stat().st_mode & 0o777 == 0o600
    done = small.run("yesser", "witness", "run", "--key", key, "--vkey", VKEY, "--first-run")
    assert done.returncode == 78
    assert "pip install 'yesser-events[witness]'" in done.stderr


async def test_parquet_needs_its_own_extra_and_nothing_is_written_before(small: SmallInstall, tmp_path: Path) -> None:
    await write_mirror(MemoryLog(sample_entries(1)), tmp_path / "log", KEY.verifier)
    form = ("--format", "parquet", "--into", tmp_path / "export")
    done = small.run("yesser", "audit", "export", tmp_path / "log", "--vkey", VKEY, *form)
    assert done.returncode == 78, done.stderr
    assert "pip install 'yesser-events[parquet]'" in done.stderr
    assert not (tmp_path / "export").exists()
    form = ("--format", "parquet", "--into", tmp_path / "models")
    done = small.run("yesser", "audit", "replay", tmp_path / "log", "--vkey", VKEY, *form)
    assert (done.returncode, "pip install 'yesser-events[parquet]'" in done.stderr) == (78, True)
    assert not (tmp_path / "models").exists()


def test_the_help_names_the_commands_that_need_more_apart(small: SmallInstall) -> None:
    done = small.run("yesser", "--help")
    here, _, more = done.stdout.partition("Need pip install 'yesser-events[platform]':")
    for name in WITHOUT_PLATFORM:
        assert f"\n  {name} " in here
    helped = f"[CliRunner().invoke(cli, [name, '--help']).exit_code for name in {sorted(WITHOUT_PLATFORM)}]"
    script = f"from click.testing import CliRunner; from infra.cli import cli; print(set({helped}))"
    assert small.run("python", "-c", script).stdout == "{0}\n"
    assert "registrar" in more.replace(",", " ").split()
    assert "\n  up " not in here


def test_the_sdk_is_there(small: SmallInstall) -> None:
    script = "from producers.sdk import client, typed_events, proofs; print(client.AgencyClient.__name__)"
    assert small.run("python", "-c", script).stdout == "AgencyClient\n"
