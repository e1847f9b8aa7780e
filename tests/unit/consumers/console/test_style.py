"""A class of a page has a rule (a merge once lost those of a whole room), colours contrast, a font is cut once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from itertools import product
from pathlib import Path

import pytest

from consumers.console.web import assets
from tests.every import every
from tests.paths import ROOT

CONSOLE = ROOT / "consumers" / "console"
FILLED_IN = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
MADE_BY_A_PAGE = frozenset({"tag-", "notice-"})
"""They go on with a word: `tag-good`."""


def with_rules() -> set[str]:
    sheets = "".join(path.read_text(encoding="utf-8") for path in (CONSOLE / "static").glob("*.css"))
    return set(re.findall(r"\.([a-z][\w-]*)", re.sub(r'"[^"]*"', "", sheets)))


def classes_of(text: str) -> Iterator[str]:
    for found in re.finditer(r'class="([^"]*)"', FILLED_IN.sub(" ", text)):
        yield from found[1].split()


def test_every_class_has_a_rule() -> None:
    known = with_rules() | MADE_BY_A_PAGE
    for path in (*CONSOLE.rglob("*.html"), *CONSOLE.rglob("*.py")):
        assert not {*classes_of(path.read_text(encoding="utf-8"))} - known, path


def test_no_page_asks_for_an_orientation() -> None:
    for folder in ("consumers/console/static", "producers/docs_pages/templates"):
        for sheet in (ROOT / folder).glob("*.css"):
            assert "orientation" not in sheet.read_text(encoding="utf-8"), f"{sheet.name}: axe's rule is not run"


def test_the_box_of_a_choice_keeps_its_size_beside_long_words() -> None:
    sheet = (CONSOLE / "static" / "console.css").read_text(encoding="utf-8")
    assert re.search(r"label\.choice \{[^}]*display: flex", sheet) is not None
    assert "label.choice input { flex: none; }" in sheet


PAGES = ("page", "card", "good-page", "late-page", "bad-page")
"""What a text may stand on."""
PAIRS = (
    *((text, page) for text in ("text", "muted", "link") for page in PAGES),
    *((tone, page) for tone in ("good", "late", "bad") for page in ("page", "card", f"{tone}-page")),
    *(("brand-text", "brand"), ("focus-text", "focus")),
)


@every("scheme, pair", lambda: product(("light", "dark"), PAIRS))
def test_the_colours_of_a_text_have_the_contrast_of_wcag(scheme: str, pair: tuple[str, str]) -> None:
    colors = colors_of(scheme)
    first, second = sorted((luminance(colors[name]) for name in pair), reverse=True)
    assert (first + 0.05) / (second + 0.05) >= 4.5


def colors_of(scheme: str) -> dict[str, str]:
    """The variables of the style sheet: those of the dark scheme stand after the others."""
    sheet = (CONSOLE / "static" / "console.css").read_text(encoding="utf-8")
    light, dark = re.findall(r":root \{([^}]*)\}", sheet)
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light + (dark if scheme == "dark" else "")))


def luminance(color: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


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
