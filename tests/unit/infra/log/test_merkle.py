"""The tree by tiles is the tree of RFC 6962, however the leaves arrive."""

from __future__ import annotations

import random
from hashlib import sha256

from infra.log.merkle import TileTree, complete_parts, leaf_hash, node_hash
from tests.every import every

# Leaves and roots of the vectors that the transparency-log implementations share.
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def merkle_tree_hash(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, as it is written there."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(merkle_tree_hash(leaves[:k]), merkle_tree_hash(leaves[k:]))


@every(("size", "root"), ROOTS.items())
def test_the_root_is_that_of_the_shared_vectors(size: int, root: str) -> None:
    tree = TileTree()
    tree.append([leaf_hash(leaf) for leaf in LEAVES[:size]])
    assert tree.root().hex() == root


@every("seed", range(4))
def test_the_root_does_not_depend_on_how_the_leaves_arrive(seed: int) -> None:
    chosen = random.Random(seed)
    leaves = [leaf_hash(b"%d" % i) for i in range(3000)]
    tree, at = TileTree(), 0
    while at < len(leaves):
        step = chosen.choice([1, 2, 100, 255, 256, 257, 700])
        tree.append(leaves[at : at + step])
        at = min(len(leaves), at + step)
        assert tree.root() == merkle_tree_hash(leaves[:at])


def test_every_complete_tile_gives_one_node_one_level_up() -> None:
    leaves = [leaf_hash(b"%d" % i) for i in range(70_000)]
    tree = TileTree()
    nodes = tree.append(leaves[:100]) + tree.append(leaves[100:65_000]) + tree.append(leaves[65_000:])
    assert [index for level, index, _ in nodes if level == 1] == list(range(273))
    assert [index for level, index, _ in nodes if level == 2] == [0]
    assert nodes[0][2] == merkle_tree_hash(leaves[:256])
    assert [len(row) for row in tree.partial] == [112, 17, 1]


def as_stored(leaves: list[bytes], nodes: list[tuple[int, int, bytes]]) -> TileTree:
    """The tree as a process reads it at its start: full tiles are there only as nodes one level up."""
    size = len(leaves)
    partial = [leaves[size - size % 256 :]]
    level = 1
    while size >> 8 * level:
        row = [root for at, _, root in sorted(nodes) if at == level]
        partial.append(row[len(row) - len(row) % 256 :])
        level += 1
    return TileTree(size, partial)


@every("end", [256, 512, 65_536])
def test_an_append_that_ends_exactly_on_a_tile_is_gone_on_from(end: int) -> None:
    leaves = [leaf_hash(b"%d" % i) for i in range(end + 300)]
    tree = TileTree()
    nodes = tree.append(leaves[: end - 100]) + tree.append(leaves[end - 100 : end])
    assert tree.root() == merkle_tree_hash(leaves[:end])
    assert len(tree.partial[0]) == 0
    started = as_stored(leaves[:end], nodes)
    assert started.root() == tree.root()
    assert [tree.append(leaves[end:]), tree.root()] == [started.append(leaves[end:]), started.root()]
    assert started.root() == merkle_tree_hash(leaves)


def test_parts_are_the_binary_digits_of_their_number() -> None:
    leaves = [leaf_hash(b"%d" % i) for i in range(7)]
    assert complete_parts(leaves) == [merkle_tree_hash(leaves[:4]), merkle_tree_hash(leaves[4:6]), leaves[6]]
