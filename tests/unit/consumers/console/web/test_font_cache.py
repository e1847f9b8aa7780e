"""A font is cut once on a machine, and whatever the cache is, the same bytes are served."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from consumers.console.web import assets

FONT = Path(str(files("fontpkg_ibm_plex_sans_arabic").joinpath("files/IBMPlexSansArabic-Regular.ttf")))


def test_each_font_is_cut_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cuts: list[Path] = []

    def cut(path: Path) -> bytes:
        cuts.append(path)
        return path.read_bytes()[:8]

    monkeypatch.setattr(assets, "cut_anew", cut)
    monkeypatch.setenv("YESSER_CACHE", str(tmp_path / "cache"))
    first = assets.cut(FONT)
    assert assets.cut(FONT) == first == FONT.read_bytes()[:8]
    assert cuts == [FONT]
    other = tmp_path / FONT.name
    other.write_bytes(b"another font")
    assert assets.cut(other) == b"another "
    assert cuts == [FONT, other]
    assert [path.suffix for path in (tmp_path / "cache" / "fonts").iterdir()] == [".woff2"] * 2
    (tmp_path / "file").touch()
    monkeypatch.setenv("YESSER_CACHE", str(tmp_path / "file"))
    assert assets.cut(FONT) == assets.cut(FONT) == first
    assert cuts[2:] == [FONT, FONT], "each time, where nothing can be kept"
