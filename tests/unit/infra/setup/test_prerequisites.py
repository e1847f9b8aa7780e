"""What a machine lacks is one sentence with the remedy."""

from __future__ import annotations

from infra.setup.prerequisites import first_missing
from tests.every import every

GOOD = ((3, 11), ["venv", "ensurepip"], 10 << 30, "linux")


@every(
    ("version", "modules", "free_bytes", "platform", "sentence"),
    [
        ((3, 9), GOOD[1], GOOD[2], "linux", "Python 3.11 or newer is needed, this is 3.9"),
        (GOOD[0], ["venv"], GOOD[2], "linux", "apt install python3-venv"),
        (GOOD[0], GOOD[1], 100 << 20, "linux", "Only 100 MiB are free"),
        (GOOD[0], GOOD[1], GOOD[2], "win32", "WSL 2"),
    ],
)
def test_what_is_missing_is_named(
    version: tuple[int, int], modules: list[str], free_bytes: int, platform: str, sentence: str
) -> None:
    assert first_missing(*GOOD) is None
    assert sentence in (first_missing(version, modules, free_bytes, platform) or "")
