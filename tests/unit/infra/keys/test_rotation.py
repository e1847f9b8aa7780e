"""Rotating the gateway's key and the key of the tokens' hashes, and requesting that of the log's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.keys.hash_keys import HashKeyFiles, load_hash_keys, load_or_create_hash_keys
from infra.keys.rotation import (
    CannotRotate,
    prepare_gateway_key,
    prepare_hash_key,
    prepare_log_key,
    request_log_rotation,
    rotate_gateway_key,
    rotate_hash_key,
)
from infra.log.key_history import key_name, sign_transition
from infra.log.signed_note import InvalidKey
from infra.private_keys.key_files import KeyFiles, adopt, load_keys, load_or_create_keys, next_key

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def gateway(tmp_path: Path) -> KeyFiles:
    files = KeyFiles(tmp_path / "gateway", "gateway", "gateway.example")
    load_or_create_keys(files)
    return files


@pytest.fixture
def log(tmp_path: Path) -> KeyFiles:
    files = KeyFiles(tmp_path / "log", "log", "log.example/0")
    load_or_create_keys(files)
    return files


@pytest.fixture
def hashes(tmp_path: Path) -> HashKeyFiles:
    files = HashKeyFiles(tmp_path / "secrets" / "hash-key")
    load_or_create_hash_keys(files)
    return files


def test_the_gateways_next_key_is_published_before_it_signs(gateway: KeyFiles) -> None:
    first = load_keys(gateway).current
    prepared = prepare_gateway_key(gateway, 7, NOW)
    ring = load_keys(gateway)
    assert ring.current == first
    assert [key_name(key) for key in ring.history.keys] == [prepared.old, prepared.new]
    assert prepare_gateway_key(gateway, 7, NOW) == prepared, "again changes nothing"
    done = rotate_gateway_key(gateway, 7, NOW)
    assert (done.old, done.new, done.state) == (prepared.old, prepared.new, "rotated")
    ring = load_keys(gateway)
    assert (key_name(ring.current.verifier), ring.previous) == (prepared.new, first)
    assert ring.history.valid_at(NOW) == [first.verifier, ring.current.verifier]
    assert ring.history.valid_at(NOW + timedelta(days=7)) == [ring.current.verifier]


def test_one_gateways_key_is_rotated_in_one_step_and_no_third_begins_unless_both_are_to_end(gateway: KeyFiles) -> None:
    done = rotate_gateway_key(gateway, 0, NOW)
    assert rotate_gateway_key(gateway, 7, NOW).old == done.new
    assert len(load_keys(gateway).history.transitions) == 2
    for begin in (rotate_gateway_key, prepare_gateway_key):
        with pytest.raises(CannotRotate, match="--overlap 0"):
            begin(gateway, 7, NOW)
    rotate_gateway_key(gateway, 0, NOW)
    rotate_gateway_key(gateway, 7, NOW)


def test_the_logs_key_is_only_requested_and_the_registrar_replaces_it(log: KeyFiles) -> None:
    first = load_keys(log).current
    prepared = prepare_log_key(log)
    assert load_keys(log).current == first
    requested = request_log_rotation(log, 7, NOW, timeout_s=0)
    assert (requested.old, requested.new, requested.state) == (prepared.old, prepared.new, "requested")
    assert request_log_rotation(log, 7, NOW, timeout_s=0) == requested, "again"
    waiting = next_key(log)
    assert waiting is not None
    assert (waiting.overlap_days, load_keys(log).current) == (7, first)
    adopt(log, sign_transition(first, waiting.key, NOW + timedelta(days=7), (5, bytes(32))))
    with pytest.raises(CannotRotate, match="overlap until 2026-01-08"):
        request_log_rotation(log, 7, NOW, timeout_s=0)
    assert request_log_rotation(log, 0, NOW, timeout_s=0).state == "requested"


def test_tokens_of_the_key_before_are_valid_in_the_overlap_only(hashes: HashKeyFiles) -> None:
    first = load_hash_keys(hashes).current
    prepare_hash_key(hashes)
    keys = load_hash_keys(hashes)
    assert keys.current == first
    assert [*keys.valid(NOW)] == [first, keys.next], "a gateway accepts what another one has begun to issue"
    done = rotate_hash_key(hashes, 7, NOW)
    keys = load_hash_keys(hashes)
    assert (done.old, done.new) == (first.key_id, keys.current.key_id)
    assert keys.next is None
    assert [key.key_id for key in keys.valid(NOW)] == [done.new, done.old]
    assert [key.key_id for key in keys.valid(NOW, done.old)] == [done.old]
    assert [key.key_id for key in keys.valid(NOW + timedelta(days=7))] == [done.new]


def test_no_third_key_of_the_hashes_begins_in_the_overlap_and_none_is_made_anew(hashes: HashKeyFiles) -> None:
    rotate_hash_key(hashes, 7, NOW)
    with pytest.raises(CannotRotate, match="--overlap 0"):
        rotate_hash_key(hashes, 7, NOW)
    rotate_hash_key(hashes, 7, NOW + timedelta(days=7))
    rotate_hash_key(hashes, 0, NOW + timedelta(days=8))
    assert len(load_hash_keys(hashes).valid(NOW + timedelta(days=8))) == 1
    hashes.current.unlink()
    with pytest.raises(InvalidKey, match="is gone"):
        load_or_create_hash_keys(hashes)


def test_the_id_of_a_hash_key_and_its_form_in_logs_show_nothing_of_it(hashes: HashKeyFiles) -> None:
    key = load_hash_keys(hashes).current
    assert key.text not in repr(key)
    assert key.text not in repr(load_hash_keys(hashes))
    assert not any(key.text[i : i + 6] in key.key_id for i in range(len(key.text) - 6))
