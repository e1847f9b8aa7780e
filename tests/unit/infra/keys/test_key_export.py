"""Export and import: the same keys on the other side, and nothing written after any fault."""

from __future__ import annotations

import base64
import random
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result
from nacl.pwhash import argon2id

from consumers.delivery.secrets import opening_keys
from infra.keys.commands import keys
from infra.keys.database import count_tokens
from infra.keys.hash_keys import accounts_key_files, hash_key_files, load_hash_keys, load_or_create_hash_keys
from infra.keys.key_export import CannotOpen, here, pack, seal, unpack, unseal
from infra.keys.rotation import prepare_log_key, rotate_gateway_key, rotate_hash_key
from infra.log.key_history import sign_transition
from infra.private_keys.key_files import (
    KeyFiles,
    adopt,
    gateway_key_files,
    load_keys,
    load_or_create_keys,
    log_key_files,
    next_key,
)
from infra.secret_files import ENDPOINT_KEY, password
from infra.settings import Settings
from tests.every import every

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PASSPHRASE = "correct horse battery staple"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id with little memory: the tests derive many keys."""
    monkeypatch.setattr(argon2id, "MEMLIMIT_MODERATE", argon2id.MEMLIMIT_MIN)


@pytest.fixture
def first(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path / "first")
    for files in (log_key_files(settings), gateway_key_files(settings)):
        load_or_create_keys(files)
    for hashes in (hash_key_files(settings), accounts_key_files(settings)):
        load_or_create_hash_keys(hashes)
    password(settings.secrets_folder / "delivery", ENDPOINT_KEY)
    return settings


@pytest.fixture
def second(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "second")


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.touch(0o600)
    path.write_text(PASSPHRASE + "\n")
    return path


def contents(settings: Settings) -> dict[str, str]:
    return {str(p.relative_to(settings.home)): p.read_text() for p in settings.home.rglob("*") if p.is_file()}


def run(settings: Settings, *arguments: Any) -> Result:
    return CliRunner().invoke(keys, [*map(str, arguments)], env={"YESSER_HOME": str(settings.home)})


def rotate_log(files: KeyFiles, size: int) -> None:
    """As the registrar does it."""
    prepare_log_key(files)
    prepared = next_key(files)
    assert prepared is not None
    adopt(files, sign_transition(load_keys(files).current, prepared.key, NOW, (size, bytes(32))))


def test_the_commands_bring_all_keys_along(first: Settings, second: Settings, passphrase: Path, tmp_path: Path) -> None:
    exported = run(first, "export", tmp_path / "keys", "--passphrase-file", passphrase, "--json")
    assert orjson.loads(exported.stdout)["purposes"] == ["log", "gateway", "tokens", "accounts", "webhooks"]
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o600
    text = (tmp_path / "keys").read_text()
    assert "PRIVATE" not in text
    assert load_keys(log_key_files(first)).current.skey not in text
    imported = run(second, "import", tmp_path / "keys", "--passphrase-file", passphrase, "--json")
    assert imported.exit_code == 0, imported.output
    assert contents(second) == contents(first)
    assert load_keys(log_key_files(second)) == load_keys(log_key_files(first))
    assert opening_keys(second, NOW) == opening_keys(first, NOW)
    assert {p.stat().st_mode & 0o777 for p in second.home.rglob("*.skey")} == {0o600}
    again = run(second, "import", tmp_path / "keys", "--passphrase-file", passphrase, "--json")
    assert orjson.loads(again.stdout)["keys"][0] == {"purpose": "log", "new": [], "lost": []}


def test_a_file_that_exists_or_a_passphrase_that_others_may_read_or_is_wrong_writes_nothing(
    first: Settings, second: Settings, passphrase: Path, tmp_path: Path
) -> None:
    passphrase.chmod(0o644)
    assert "chmod 600" in str(run(first, "export", tmp_path / "keys", "--passphrase-file", passphrase).exception)
    assert not (tmp_path / "keys").exists()
    passphrase.chmod(0o600)
    run(first, "export", tmp_path / "keys", "--passphrase-file", passphrase)
    exported = (tmp_path / "keys").read_text()
    assert run(first, "export", tmp_path / "keys", "--passphrase-file", passphrase).exit_code != 0
    assert (tmp_path / "keys").read_text() == exported
    passphrase.write_text("another passphrase")
    result = run(second, "import", tmp_path / "keys", "--passphrase-file", passphrase)
    assert isinstance(result.exception, CannotOpen)
    assert "passphrase is wrong" in str(result.exception)
    assert not second.home.exists()


def test_a_short_passphrase_is_refused_and_a_file_that_was_damaged_anywhere_or_changed_on_purpose() -> None:
    with pytest.raises(CannotOpen, match="fewer than 12"):
        seal(b"x", "short")
    text = seal(b"content", PASSPHRASE)
    assert unseal(text, PASSPHRASE) == b"content"
    chance = random.Random(7)
    for _ in range(40):
        place = chance.randrange(len(text) - 1)
        changed = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        with pytest.raises(CannotOpen, match=r"damaged|not one that"):
            unseal(changed, PASSPHRASE)
    for broken in ("", text[:60], text.replace("\n", ""), text + text):
        with pytest.raises(CannotOpen):
            unseal(broken, PASSPHRASE)
    version, *body, _ = text.strip().split("\n")
    forged = bytearray(base64.b64decode("".join(body)))
    forged[-1] ^= 1
    lines = [version, base64.b64encode(forged).decode(), f"sha256 {sha256(forged).hexdigest()}"]
    with pytest.raises(CannotOpen, match="on purpose"):
        unseal("\n".join(lines) + "\n", PASSPHRASE)


@every("content", [b"", b"[]", b'{"kind":"urn:yesser:keys:v2","keys":{"log":{}}}', b'{"keys":{"log":1}}'])
def test_a_file_without_keys_writes_nothing(second: Settings, content: bytes) -> None:
    with pytest.raises(CannotOpen, match="Nothing was written"):
        unpack(second, content, replace_others=True)
    assert not second.home.exists()


def test_another_key_is_never_overwritten_unless_that_was_asked_for(first: Settings, second: Settings) -> None:
    load_or_create_keys(log_key_files(second))
    before = contents(second)
    with pytest.raises(Exception, match=r"would|lacks|lost|--replace") as refused:
        unpack(second, pack(first, ["log", "tokens"]), replace_others=False)
    assert "Nothing was written" in str(refused.value)
    assert contents(second) == before
    done = unpack(second, pack(first, ["log"]), replace_others=True)
    assert len(done[0].lost) == 1
    assert load_keys(log_key_files(second)) == load_keys(log_key_files(first))


def test_a_standby_takes_the_keys_after_a_rotation_without_losing_its_own(first: Settings, second: Settings) -> None:
    unpack(second, pack(first, here(first)), replace_others=False)
    rotate_log(log_key_files(first), 5)
    rotate_gateway_key(gateway_key_files(first), 7, NOW)
    rotate_hash_key(hash_key_files(first), 7, NOW)
    done = unpack(second, pack(first, here(first)), replace_others=False)
    assert not any(row.lost for row in done)
    assert {row.purpose: len(row.new) for row in done} == {
        **dict.fromkeys(("log", "gateway", "tokens"), 1),
        **dict.fromkeys(("accounts", "webhooks"), 0),
    }
    assert contents(second) == contents(first)


def test_an_export_from_before_a_rotation_does_not_undo_it(first: Settings, second: Settings) -> None:
    prepare_log_key(log_key_files(first))
    old = pack(first, here(first))
    unpack(second, old, replace_others=False)
    rotate_log(log_key_files(first), 5)
    rotate_hash_key(hash_key_files(first), 7, NOW)
    before = contents(first)
    for purpose in ("log", "tokens"):
        part = orjson.loads(old)
        part["keys"] = {purpose: part["keys"][purpose]}
        with pytest.raises(Exception, match=r"Nothing was written"):
            unpack(first, orjson.dumps(part), replace_others=False)
    assert contents(first) == before


def test_a_damaged_key_file_can_be_restored(first: Settings, second: Settings) -> None:
    unpack(second, pack(first, here(first)), replace_others=False)
    log_key_files(second).current.unlink()
    unpack(second, pack(first, ["log"]), replace_others=False)
    assert contents(second) == contents(first)
    log_key_files(second).current.write_text("garbage")
    with pytest.raises(Exception, match=r"unreadable log\.skey"):
        unpack(second, pack(first, ["log"]), replace_others=False)
    unpack(second, pack(first, ["log"]), replace_others=True)
    assert contents(second) == contents(first)


def test_content_that_is_not_in_order_or_of_another_log_writes_nothing(first: Settings, second: Settings) -> None:
    rotate_log(log_key_files(first), 5)
    for name in ("current", "vkey", "history", "else"):
        document = orjson.loads(pack(first, ["log"]))
        document["keys"]["log"][name] = "PRIVATE+KEY+x"
        with pytest.raises(Exception, match="Nothing was written"):
            unpack(second, orjson.dumps(document), replace_others=True)
        assert not second.home.exists(), name
    other = second.model_copy(update={"log_origin": "another.example/0"})
    with pytest.raises(Exception, match=r"belongs to .* Nothing was written"):
        unpack(other, pack(first, ["log"]), replace_others=True)


def test_the_list_shows_each_key_and_what_is_wrong_and_no_secret(first: Settings) -> None:
    rotate_log(log_key_files(first), 5)
    prepare_log_key(log_key_files(first))
    rotate_hash_key(hash_key_files(first), 30, datetime.now(UTC))
    shown = run(first, "list", "--json")
    rows = orjson.loads(shown.output)
    assert [(row["purpose"], row["state"]) for row in rows] == [
        ("log", "in use"),
        ("log", "replaced"),
        ("log", "prepared"),
        ("gateway", "in use"),
        ("tokens", "in use"),
        ("tokens", "overlap"),
        ("accounts", "in use"),
        ("webhooks", "in use"),
    ]
    held = load_hash_keys(hash_key_files(first))
    for secret in (held.current.text, load_keys(log_key_files(first)).current.skey.split("+", 4)[4]):
        assert secret not in shown.output
    gateway_key_files(first).current.chmod(0o644)
    result = run(first, "list")
    assert result.exit_code == 1
    assert "chmod 600" in result.output


def test_keys_are_listed_on_a_machine_without_the_administrators_password(tmp_path: Path) -> None:
    assert count_tokens(Settings(home=tmp_path, postgres="postgresql://127.0.0.1:1/yesser")) is None
