"""What is signed for a receipt of a gateway, and the check of its signature."""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import Any, Final

from events.wire.codec import canonical_bytes
from infra.log.signed_note import Verifier

RECEIPT_KIND: Final = "urn:yesser:receipt:v1"
"""The first thing that is signed, so that no signature of the key can be taken for one over something else."""


def signed_line(receipt: bytes) -> str:
    """What is signed for a receipt in its RFC 8785 form.

    Ed25519 reads what it signs twice, by SHA-512: of a long receipt that would cost more than the signature.
    """
    return f"{RECEIPT_KIND} {sha256(receipt).hexdigest()}"


def receipt_is_genuine(answer: dict[str, Any], verifier: Verifier) -> bool:
    """Whether the answer's receipt was signed by this key, as any client can find out."""
    if answer["key"] != f"{verifier.name}+{verifier.key_id.hex()}":
        return False
    return verifier.accepts(signed_line(canonical_bytes(answer["receipt"])), base64.b64decode(answer["signature"]))
