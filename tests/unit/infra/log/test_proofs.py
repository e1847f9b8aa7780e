"""Proofs for every size from 1 to 70 and for sizes around the tiles' edges; whatever is changed is refused."""

from __future__ import annotations

from functools import cache

import pytest

from infra.log.merkle import EMPTY_ROOT, leaf_hash
from infra.log.proofs import consistency_proof, inclusion_proof, tree_root, verify_consistency, verify_inclusion
from tests.every import every
from tests.world.memory_log import MemoryLog, root_of, sample_entries

ENTRIES = sample_entries(600)
LOG = MemoryLog(ENTRIES)
WRONG = bytes(32)


@cache
def root(size: int) -> bytes:
    return root_of(ENTRIES[:size])


async def test_every_inclusion_proof_of_sizes_1_to_70_is_accepted_and_every_change_refused() -> None:
    for size in range(1, 71):
        for index in range(size):
            path = await inclusion_proof(LOG, index, size)
            leaf = leaf_hash(ENTRIES[index])
            assert verify_inclusion(leaf, index, size, root(size), path)
            assert not verify_inclusion(WRONG, index, size, root(size), path)
            assert not verify_inclusion(leaf, index, size, WRONG, path)
            assert not verify_inclusion(leaf, index, size, root(size), [*path, WRONG])
            if path:
                assert not verify_inclusion(leaf, index, size, root(size), path[:-1])
                assert not verify_inclusion(leaf, index, size, root(size), path[1:])


async def test_every_consistency_proof_of_sizes_1_to_70_is_accepted_and_every_change_refused() -> None:
    for new in range(1, 71):
        for old in range(1, new + 1):
            path = await consistency_proof(LOG, old, new)
            assert verify_consistency(old, root(old), new, root(new), path)
            assert not verify_consistency(old, WRONG, new, root(new), path)
            assert not verify_consistency(old, root(old), new, WRONG, path)
            assert not verify_consistency(old, root(old), new, root(new), [*path, WRONG])
            if path:
                assert not verify_consistency(old, root(old), new, root(new), path[:-1])


@every("size", [255, 256, 257, 511, 512, 513, 600])
async def test_proofs_cross_the_edges_of_tiles(size: int) -> None:
    assert await tree_root(LOG, size) == root(size)
    for index in (0, 1, 127, 128, 254, size - 1):
        path = await inclusion_proof(LOG, index, size)
        assert verify_inclusion(leaf_hash(ENTRIES[index]), index, size, root(size), path)
        assert len(path) <= 10
    for old in (1, 128, 200, 255, size):
        assert verify_consistency(old, root(old), size, root(size), await consistency_proof(LOG, old, size))


async def test_the_shared_vector_proofs_are_made() -> None:
    leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    log = MemoryLog([bytes.fromhex(leaf) for leaf in leaves])
    assert [h.hex() for h in await inclusion_proof(log, 0, 8)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert [h.hex() for h in await inclusion_proof(log, 1, 5)] == [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ]
    assert [h.hex() for h in await consistency_proof(log, 1, 8)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]


async def test_any_tree_continues_the_empty_one_without_proof_and_a_smaller_one_continues_nothing() -> None:
    assert await tree_root(LOG, 0) == EMPTY_ROOT
    assert await consistency_proof(LOG, 0, 10) == []
    assert verify_consistency(0, EMPTY_ROOT, 10, root(10), [])
    assert not verify_consistency(0, WRONG, 10, root(10), [])
    with pytest.raises(ValueError, match="does not continue"):
        await consistency_proof(LOG, 6, 5)
    assert not verify_consistency(6, root(6), 5, root(5), [])
    for index, size in ((-1, 5), (5, 5), (0, 0)):
        with pytest.raises(ValueError, match="is not in a tree"):
            await inclusion_proof(LOG, index, size)
        assert not verify_inclusion(WRONG, index, size, WRONG, [])
