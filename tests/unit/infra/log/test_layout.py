"""The folder's layout, by the specification's own examples."""

from __future__ import annotations

from infra.log.layout import Kind, Tile, levels_of, parse_tile_path, tile_path, tiles_at
from tests.every import every


@every(
    ("number", "path"),
    [(0, "000"), (999, "999"), (1000, "x001/000"), (1234067, "x001/x234/067"), (1_000_000, "x001/x000/000")],
)
def test_numbers_are_written_in_groups_of_three_and_a_partial_tile_carries_its_width(number: int, path: str) -> None:
    assert tile_path(0, number) == f"tile/0/{path}"
    assert tile_path("entries", number) == f"tile/entries/{path}"
    assert tile_path(1, 273, 112) == "tile/1/273.p/112"


def test_trees_have_the_tiles_of_the_specification() -> None:
    assert tiles_at(0, 70_000) == [*((n, 256) for n in range(273)), (273, 112)]
    assert tiles_at(1, 70_000) == [(0, 256), (1, 17)]
    assert tiles_at(2, 70_000) == [(0, 1)]
    assert levels_of(70_000) == 3
    assert tiles_at(0, 256) == [(0, 256)]
    assert tiles_at(1, 256) == [(0, 1)], "one full tile has a partial one above"
    assert levels_of(0) == 0
    assert tiles_at(0, 0) == []


@every("kind", [0, 1, 63, "entries"])
@every("number", [0, 999, 1000, 1234067, (1 << 64) // 256])
@every("width", [1, 255, 256])
def test_a_path_names_its_tile(kind: Kind, number: int, width: int) -> None:
    assert parse_tile_path(tile_path(kind, number, width)) == Tile(kind, number, width)


@every(
    "path",
    [
        *("tile/64/000", "tile/00/000", "tile/-1/000", "tile/entries/entries"),
        *("tile/0/0", "tile/0/1000", "tile/0/x000/001", "tile/0/001/000", "tile/0/000/", "tile/0/٠٠٠"),
        *("tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/999", "tile/0/../../checkpoint"),
        f"tile/0/{'x123/' * 7}456",
        f"tile/0/{'x123/' * 1450}456",
        "",
    ],
)
def test_what_is_not_written_so_names_none(path: str) -> None:
    assert parse_tile_path(path) is None


def test_a_tile_is_within_a_tree_that_has_all_of_it() -> None:
    assert Tile(0, 1, 44).is_within(300)
    assert not Tile(0, 1, 45).is_within(300)
    assert Tile(1, 0, 1).is_within(300)
    assert not Tile(1, 0, 2).is_within(300)
    assert Tile("entries", 0).is_within(256)
