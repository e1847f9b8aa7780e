"""A receipt can be verified with the gateway's public key, and a changed one is detected."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from events.wire.codec import canonical_bytes
from infra.json_documents import to_json
from infra.log.key_history import key_name, parse_history, sign_transition
from infra.log.receipt import receipt_is_genuine
from infra.log.signed_note import LogKey, parse_vkey
from infra.private_keys.key_files import KeyFiles, KeyRing, NextKey, adopt, load_keys, load_or_create_keys, write_next
from producers.gateway.receiving import ReceiptSigner, receipt_bytes
from producers.gateway.recent import Stored
from tests.world.documents import as_json

KEY = LogKey("gateway.example", bytes(range(32)))
STORED = Stored([0, 2], ["a", "b"], [7, 8], [b"{}", b"[]"])
TIME = "2026-11-25T01:02:03.000004Z"
ANSWER = to_json(ReceiptSigner(KeyRing.of(KEY)).receipt("health", TIME, STORED))


def test_what_is_signed_is_one_line_that_any_tool_can_write() -> None:
    receipt = receipt_bytes("health", TIME, STORED)
    assert receipt == canonical_bytes(json.loads(receipt))
    assert receipt in ANSWER
    answer = json.loads(ANSWER)
    text = json.dumps(answer["receipt"], sort_keys=True, separators=(",", ":"))
    line = f"urn:yesser:receipt:v1 {hashlib.sha256(text.encode()).hexdigest()}"
    public = Ed25519PrivateKey.from_private_bytes(KEY.seed).public_key()
    public.verify(base64.b64decode(answer["signature"]), line.encode())


def test_a_receipt_names_each_event_and_any_change_and_another_gateways_key_show() -> None:
    answer = json.loads(ANSWER)
    assert receipt_is_genuine(answer, parse_vkey(KEY.verifier.vkey))
    assert answer["receipt"]["events"][0] == {
        "event": 0,
        "id": "a",
        "address": "agency.health.events/0/7",
        "sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    }
    assert not receipt_is_genuine(answer, LogKey("gateway.example", bytes(32)).verifier)
    answer["receipt"]["events"][1]["address"] = "agency.health.events/0/9"
    assert not receipt_is_genuine(answer, KEY.verifier)


def test_after_a_rotation_the_new_key_signs_and_old_receipts_still_verify(tmp_path: Path) -> None:
    files = KeyFiles(tmp_path, "gateway", KEY.name)
    old = load_or_create_keys(files).current
    signer = ReceiptSigner(load_keys(files))
    before = signer.receipt("health", TIME, STORED)
    new = LogKey(KEY.name, bytes(32))
    write_next(files, NextKey(new, 7))
    signer.use(adopt(files, sign_transition(old, new, datetime.now(UTC) + timedelta(days=7), None)))
    after = signer.receipt("health", TIME, STORED)
    assert (before.key, after.key) == (key_name(old.verifier), key_name(new.verifier))
    published = parse_history(signer.keys.history.document(), old.verifier)
    for answer, key in zip((before, after), published.keys, strict=True):
        assert receipt_is_genuine(as_json(answer), key)
