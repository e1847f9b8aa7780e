"""Reads a file that only its owner may read."""

from __future__ import annotations

from pathlib import Path

from infra.log.signed_note import InvalidKey


def read_private(path: Path, *, any_mode: bool = False) -> str | None:
    """The text of a private file, or None. Raises `InvalidKey` where others may read it, unless `any_mode`."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    if mode & 0o077 and not any_mode:
        raise InvalidKey(f"others may read {path}: run `chmod 600` on it, and consider who has read it")
    return path.read_text(encoding="utf-8", errors="replace").strip()
