"""The signed line of a gateway's receipt, and the check of its signature."""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import Any, Final

from events.wire.codec import canonical_bytes
from infra.log.signed_note import Verifier

RECEIPT_KIND: Final = "urn:yesser:receipt:v1"
"""The prefix of the signed line, so that a signature cannot be used for another kind of document."""


def signed_line(receipt: bytes) -> str:
    """The line that is signed for a receipt in its RFC 8785 form.

    It holds a hash, since Ed25519 hashes its message twice, which costs more than the signature for a long receipt.
    """
    return f"{RECEIPT_KIND} {sha256(receipt).hexdigest()}"


def receipt_is_genuine(answer: dict[str, Any], verifier: Verifier) -> bool:
    """Whether this key signed the receipt in the answer."""
    if answer["key"] != f"{verifier.name}+{verifier.key_id.hex()}":
        return False
    return verifier.accepts(signed_line(canonical_bytes(answer["receipt"])), base64.b64decode(answer["signature"]))
