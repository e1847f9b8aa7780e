"""Static files under addresses that name their content, so that browsers keep them; and the fonts, cut to what the
pages use.

The fonts come from a font package. Whole ones are five times the size. Cutting takes seconds of processor time, so the
first process of a machine keeps what it cut in the user's cache folder.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

import structlog

from infra.data_dir import cache_folder

PREFIX: Final = "/static/"
_FOLDER: Final = files("consumers.console").joinpath("static")
_FONTS: Final = {"text.woff2": "IBMPlexSansArabic-Regular.ttf", "bold.woff2": "IBMPlexSansArabic-SemiBold.ttf"}
_UNICODES: Final = (
    *range(0x20, 0x7F),
    *range(0xA0, 0x180),
    *range(0x600, 0x700),
    *(0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2026, 0x2212),
)
_OPTIONS: Final = {
    "flavor": "woff2",
    "layout_features": ["*"],
    "ignore_missing_unicodes": True,
    "drop_tables": ["meta"],
}
_MEDIA_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served."""

    address: str
    media_type: str
    body: bytes


@cache
def assets() -> Mapping[str, Asset]:
    """Every asset by its name. The style sheet names the fonts by their addresses."""
    found = {name: _asset(name, body) for name, body in _fonts()}
    for path in sorted(_FOLDER.iterdir(), key=lambda path: path.name):
        if (suffix := path.name.rpartition(".")[2]) in _MEDIA_TYPES:
            body = path.read_bytes()
            if suffix == "css":
                for name, font in list(found.items()):
                    body = body.replace(f'url("{name}")'.encode(), f'url("{font.address}")'.encode())
            found[path.name] = _asset(path.name, body)
    return found


@cache
def by_address() -> Mapping[str, Asset]:
    return {asset.address: asset for asset in assets().values()}


def _asset(name: str, body: bytes) -> Asset:
    stem, _, suffix = name.rpartition(".")
    return Asset(f"{PREFIX}{stem}-{sha256(body).hexdigest()[:16]}.{suffix}", _MEDIA_TYPES[suffix], body)


def _fonts() -> Iterator[tuple[str, bytes]]:
    folder = files("fontpkg_ibm_plex_sans_arabic").joinpath("files")
    for name, source in _FONTS.items():
        with as_file(folder.joinpath(source)) as path:
            yield name, cut(path)


def cut(path: Path) -> bytes:
    """The cut font, from the cache where it is there. A cache that cannot be written changes nothing."""
    key = sha256(repr((version("fonttools"), _UNICODES, _OPTIONS)).encode() + path.read_bytes()).hexdigest()
    cached = cache_folder() / "fonts" / f"{key}.woff2"
    with suppress(OSError):
        return cached.read_bytes()
    font = cut_anew(path)
    with suppress(OSError):
        cached.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=cached.parent, delete=False) as file:
            file.write(font)
        Path(file.name).replace(cached)
    return font


def cut_anew(path: Path) -> bytes:
    # Imported here: it takes a third of a second, and a font is rarely cut.
    from fontTools import subset

    options = subset.Options(**_OPTIONS)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=_UNICODES)
    result = io.BytesIO()
    with subset.load_font(path, options) as font:
        cutter.subset(font)
        subset.save_font(font, result, options)
    structlog.get_logger().debug("font cut", font=path.name, size=result.tell())
    return result.getvalue()
