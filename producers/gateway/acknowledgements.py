"""Signed receipts for events that Kafka has acknowledged.

One receipt covers a request. The signed text is one line: `urn:yesser:receipt:v1 ` and the hexadecimal SHA-256 of the
RFC 8785 form (UTF-8, names sorted, no white space) of the answer's member `receipt`, which anyone can recompute from
the parsed answer. The signature is Ed25519 with the gateway's own key, in base64. `key` names it as `<name>+<key id>`,
the beginning of its verifier key (`vkey`).
"""

from __future__ import annotations

import base64
from hashlib import sha256

import orjson

from infra.kafka.client_config import agency_topic
from infra.log.key_history import key_name
from infra.log.receipt import RECEIPT_KIND, signed_line
from infra.private_keys.key_files import KeyRing
from producers.gateway.answers import StoredAnswer
from producers.gateway.recent import Stored


class ReceiptSigner:
    """Signs receipts with the gateway's current key; `keys` also has those before it, which verify older receipts."""

    def __init__(self, keys: KeyRing) -> None:
        self.use(keys)

    def use(self, keys: KeyRing) -> None:
        """Sign with these keys from now on, after a rotation."""
        self.keys = keys
        self.key_name = key_name(keys.current.verifier)

    def receipt(self, agency: str, time: str, stored: Stored) -> StoredAnswer:
        """The answer with its signed receipt. `time` is the gateway's, RFC 3339."""
        receipt = receipt_bytes(agency, time, stored)
        signature = base64.b64encode(self.keys.current.signature(signed_line(receipt).encode())).decode()
        return StoredAnswer(receipt=orjson.Fragment(receipt), key=self.key_name, signature=signature)


def receipt_bytes(agency: str, time: str, stored: Stored) -> bytes:
    """The RFC 8785 form of a receipt. No value has a character that JSON would escape, so it is written directly."""
    hashes = [sha256(value).hexdigest() for value in stored.values]
    address = f'{{"address":"{agency_topic(agency)}/0/'
    rows = ",".join(
        [
            f'{address}{offset}","event":{place},"id":"{id_}","sha256":"{hash_}"}}'
            for place, id_, offset, hash_ in zip(stored.places, stored.ids, stored.offsets, hashes, strict=True)
        ]
    )
    return f'{{"agency":"{agency}","events":[{rows}],"kind":"{RECEIPT_KIND}","time":"{time}"}}'.encode()
