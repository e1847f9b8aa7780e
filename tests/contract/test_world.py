"""Tests share modules, not each other: what several need is in `tests/world`, or in a module of their folder."""

from __future__ import annotations

import re
from collections import Counter

from tests.paths import ROOT

FROM_A_TEST = re.compile(r"^\s*(?:(?:from|import) tests\.[\w.]*\btest_|from tests[\w.]* import .*\btest_)", re.M)
STILL = {
    "tests/audit_go": 2,
    "tests/faults": 4,
    "tests/hsm": 1,
    "tests/integration": 40,
    "tests/scenarios": 1,
    "tests/simulate": 1,
    "tests/unit": 27,
}
"""How many modules of a folder import from a test. These numbers only fall; the table goes when all are 0."""


def test_no_module_imports_from_a_test() -> None:
    modules = [path.relative_to(ROOT) for folder in ("tests", "bench") for path in (ROOT / folder).rglob("*.py")]
    found = [path for path in modules if FROM_A_TEST.search((ROOT / path).read_text(encoding="utf-8"))]
    counts = Counter("/".join(path.parts[:2]) for path in found)
    more = {folder: count for folder, count in counts.items() if count > STILL.get(folder, 0)}
    listed = "\n".join(sorted(path.as_posix() for path in found if "/".join(path.parts[:2]) in more))
    assert not more, f"move what they share into tests/world, or into a module of their folder:\n{listed}"
