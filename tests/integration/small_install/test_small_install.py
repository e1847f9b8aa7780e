"""`pip install .` without an extra: an auditor and an agency have their tools, and nothing heavier is installed."""

from __future__ import annotations

import json
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bench.ledger import history
from consumers.proof.audit.mirror import write_mirror
from infra.cli import WITHOUT_PLATFORM
from infra.extras import EXTRAS
from tests.integration.small_install.environment import SmallInstall, build
from tests.world.files import answering, served
from tests.world.logs import history_bytes, raw_entries
from tests.world.memory_log import KEY, MemoryLog, sample_entries
from tests.world.mirrors import replay
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


def done(small: SmallInstall, *command: str | Path, exits: int = 0) -> subprocess.CompletedProcess[str]:
    """A command that ends with this code."""
    ended = small.run(*command)
    assert ended.returncode == exits, (command, ended.stderr)
    return ended


def test_it_has_few_packages_none_of_an_extra_and_the_sdk(small: SmallInstall) -> None:
    script = f"""
import importlib.util as u
from producers.sdk import acknowledgements, client, typed_events
print(client.AgencyClient.__name__, [m for m in {sorted(EXTRAS)} if u.find_spec(m) is not None])"""
    assert done(small, "python", "-c", script).stdout == "AgencyClient []\n"
    assert len(small.packages) <= PACKAGES_MAX, sorted(small.packages)


@pytest.mark.accept
async def test_a_served_log_is_verified_mirrored_and_replayed(small: SmallInstall, tmp_path: Path) -> None:
    mirror, export, proof = tmp_path / "served", tmp_path / "export", tmp_path / "7.tlog-proof"
    await write_mirror(MemoryLog(history_bytes(61, 250)), mirror, KEY.verifier)
    here = await replay(tmp_path, str(mirror), "--into", str(tmp_path / "models-here"), "--json")
    with served(mirror) as address:
        commands: tuple[tuple[str | Path, ...], ...] = (
            ("check", address),
            ("verify", address),
            ("mirror", tmp_path / "copy", "--from", address),
            ("prove", address, "7", "--into", proof),
            ("check", proof),
            ("export", address, "--into", export),
            ("explain", "plan", "services/1", "launched", "--from", address),
            ("completeness", address),
        )
        printed = {one[0]: done(small, "yesser", "audit", *one, "--vkey", VKEY).stdout for one in commands}
        sources: tuple[str | Path, ...] = (address, export)
        for number, source in enumerate(sources):
            into = ("--vkey", VKEY, "--into", tmp_path / f"models-{number}", "--json")
            replayed = json.loads(done(small, "yesser", "audit", "replay", source, *into).stdout)
            assert replayed["read_models"] == json.loads(here.stdout)["read_models"], "as with every package"
    done(small, *shlex.split(printed["export"].splitlines()[-1].replace("VKEY", VKEY)))  # as it was printed


async def test_a_statement_is_verified_and_a_changed_one_is_tampering(small: SmallInstall, tmp_path: Path) -> None:
    raw = raw_entries(history(40, 2, closes=True))
    folder, mirror = tmp_path / "proof", tmp_path / "mirror"
    await write_proof(raw, "P0", "2005-01", folder)
    await write_mirror(MemoryLog(raw), mirror, KEY.verifier)
    command = ("yesser", "ledger", "verify-statement", folder, "--vkey", VKEY, "--json")
    assert json.loads(done(small, *command, "--against", mirror).stdout)["is_complete"] is True
    lines = folder / "entries.ndjson"
    lines.write_bytes(lines.read_bytes().replace(b"R6", b"R7"))
    told = done(small, *command, exits=76).stderr
    assert "does not say what its entry says" in told or "give the root" in told


def test_an_agency_reads_by_an_address_and_a_token_alone(small: SmallInstall, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("yat_x")
    lists = {
        "refusals list": "/v1/refusals",
        "campaigns list": "/v1/campaigns",
        "services list": "/v1/services",
        "anomalies": "/v1/anomalies",
        "log find --id e-1": "/v1/entries",
    }
    with answering({path: [] for path in lists.values()}) as address:
        option = ("--gateway", address, "--token-file", tmp_path / "token")
        for command in lists:
            assert json.loads(done(small, "yesser", *command.split(), *option, "--json").stdout) == []
        for command in ("refusals show 7", "campaigns show C", "campaigns explain C", "log show 7"):
            assert "Traceback" not in done(small, "yesser", *command.split(), *option, exits=1).stderr
    assert "--gateway ADDRESS" in done(small, "yesser", "services", "list", exits=2).stderr


def test_a_command_that_needs_more_says_what_to_install_and_the_help_names_it_apart(small: SmallInstall) -> None:
    needs = "Need pip install 'yesser-events[platform]':"
    here, _, more = done(small, "yesser", "--help").stdout.partition(needs)
    assert [name for name in WITHOUT_PLATFORM if f"\n  {name} " not in here] == []
    assert "registrar" in more.replace(",", " ").split()
    assert "\n  up " not in here
    here, _, more = done(small, "yesser", "ledger", "--help").stdout.partition(needs)
    assert "\n  verify-statement " in here
    assert {"balances", "prove-statement", "terms"} <= set(more.replace(",", " ").split())
    helped = f"[CliRunner().invoke(cli, [name, '--help']).exit_code for name in {sorted(WITHOUT_PLATFORM)}]"
    script = f"from click.testing import CliRunner; from infra.cli import cli; print(set({helped}))"
    assert done(small, "python", "-c", script).stdout == "{0}\n"
    for command in (("agencies", "list"), ("run", "registrar"), ("audit", "commitments")):
        told = done(small, "yesser", *command, exits=78).stderr
        assert told.startswith("yesser: This needs pip install 'yesser-events[platform]': the module ")
        assert told.count("\n") == 1


def test_a_witness_makes_its_key_and_its_server_is_an_extra(small: SmallInstall, tmp_path: Path) -> None:
    key = tmp_path / "witness.skey"
    made = done(small, "yesser", "keys", "witness", "new", "court.example/witness", key, "--json")
    assert json.loads(made.stdout)["vkey"].startswith("court.example/witness+")
    assert key.stat().st_mode & 0o777 == 0o600
    command = ("yesser", "witness", "run", "--key", key, "--vkey", VKEY, "--first-run")
    assert "pip install 'yesser-events[witness]'" in done(small, *command, exits=78).stderr


async def test_parquet_needs_its_own_extra_and_nothing_is_written_before(small: SmallInstall, tmp_path: Path) -> None:
    await write_mirror(MemoryLog(sample_entries(1)), tmp_path / "log", KEY.verifier)
    for name in ("export", "replay"):
        options = ("--vkey", VKEY, "--format", "parquet", "--into", tmp_path / name)
        told = done(small, "yesser", "audit", name, tmp_path / "log", *options, exits=78).stderr
        assert "pip install 'yesser-events[parquet]'" in told
        assert not (tmp_path / name).exists()
