"""Verifies that an entry is in the national log, without trusting the source of the proof."""

from __future__ import annotations

import base64

from infra.log.key_history import KeyHistory, parse_transitions
from infra.log.merkle import leaf_hash
from infra.log.proofs import verify_inclusion
from infra.log.signed_note import InvalidNote, Verifier
from producers.sdk.answers import Proof
from producers.sdk.problems import NotGenuine


def verified_proof(proof: Proof, log_key: Verifier | None) -> Proof:
    """The proof, if it leads from the entry's bytes to the checkpoint's root. Raises `NotGenuine`.

    With a key of the log, the current or an earlier one, also verifies the checkpoint's signature; without it, the
    caller must trust the checkpoint.
    """
    leaf = leaf_hash(proof.entry.encode())
    try:
        size, root = _tree_of(proof, log_key)
        shown = base64.b64decode(proof.leaf, validate=True)
        path = [base64.b64decode(step, validate=True) for step in proof.path]
    except (InvalidNote, ValueError) as error:
        raise NotGenuine(f"The proof of entry {proof.index} cannot be read: {error}. {NotGenuine.__doc__}") from error
    if (size, leaf) != (proof.size, shown) or not verify_inclusion(leaf, proof.index, size, root, path):
        raise NotGenuine(f"The proof of entry {proof.index} does not lead to the checkpoint. {NotGenuine.__doc__}")
    return proof


def _tree_of(proof: Proof, log_key: Verifier | None) -> tuple[int, bytes]:
    if log_key is not None:
        history = KeyHistory.of(log_key, parse_transitions(proof.rotations))
        signed = history.parse_checkpoint(proof.checkpoint)
        return signed.size, signed.root
    _, size, root, *_ = proof.checkpoint.split("\n")
    return int(size), base64.b64decode(root, validate=True)
