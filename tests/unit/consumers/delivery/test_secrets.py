"""Secrets of webhooks: what their signatures verify with, and that they are unsealed in their own row only."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nacl.exceptions import BadSignatureError
from nacl.public import PrivateKey
from nacl.signing import VerifyKey
from standardwebhooks import Webhook, WebhookVerificationError

from consumers.delivery.secrets import CannotUnseal, new_secret, opening_keys, seal, sign, signature_headers, unseal
from events.errors import Halt
from infra.secret_files import ENDPOINT_KEY, password
from infra.settings import Settings

BODY = json.dumps({"id": "x", "data": {"brief": "خدمة"}}, ensure_ascii=False).encode()
ID = "service-launched_i1042_triggered_i1043"


def now() -> int:
    return int(datetime.now(UTC).timestamp())


def test_the_vector_of_the_specification() -> None:
    signature = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_a_secret_is_replaced_the_old_and_the_new_one_verify_and_a_third_does_not() -> None:
    old, new, own = new_secret("v1"), new_secret("v1"), new_secret("v1a")
    headers = signature_headers([old.secret, own.secret, new.secret], ID, now(), BODY)
    for made in (old, new):
        assert Webhook(made.shown).verify(BODY, headers) == json.loads(BODY), "what is signed by v1a is skipped"
        assert made.shown not in repr(made)
    late = signature_headers([old.secret], ID, now() - 360, BODY)
    for made, body, sent in (
        (new_secret("v1"), BODY, headers),
        (old, BODY + b" ", headers),
        (old, BODY, headers | {"webhook-id": "other"}),
        (old, BODY, late),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(made.shown).verify(body, sent)


def test_v1a_verifies_with_the_public_key_by_a_plain_ed25519_library() -> None:
    made = new_secret("v1a")
    assert made.shown.startswith("whpk_")
    headers = signature_headers([made.secret], ID, 1_700_000_000, BODY)
    version, signature = headers["webhook-signature"].split(",")
    key = VerifyKey(base64.b64decode(made.shown.removeprefix("whpk_")))
    assert version == "v1a"
    key.verify(f"{ID}.1700000000.".encode() + BODY, base64.b64decode(signature))
    with pytest.raises(BadSignatureError):
        key.verify(f"{ID}.1700000001.".encode() + BODY, base64.b64decode(signature))


def test_a_sealed_secret_is_unsealed_in_its_own_row_with_its_own_key_only() -> None:
    key, secret = PrivateKey.generate(), new_secret("v1").secret
    sealed = seal(bytes(key.public_key), "e1", 1, secret)
    assert secret.encode() not in sealed
    assert unseal([key], "e1", 1, sealed) == secret
    for other_key, endpoint_id, secret_id in ((key, "e1", 2), (key, "e", 11), (PrivateKey.generate(), "e1", 1)):
        with pytest.raises(CannotUnseal, match="rotate"):
            unseal([other_key], endpoint_id, secret_id, sealed)
    with pytest.raises(CannotUnseal):
        unseal([key], "e1", 1, sealed[:-1] + bytes([sealed[-1] ^ 1]))


def test_the_key_comes_from_the_file_of_the_delivery_process(tmp_path: Path) -> None:
    settings, now = Settings(home=tmp_path).acting_as("delivery"), datetime.now(UTC)
    with pytest.raises(Halt, match="is gone"):
        opening_keys(settings, now)
    password(settings.secrets_folder / "delivery", ENDPOINT_KEY)
    assert opening_keys(settings, now) == opening_keys(settings, now)
