"""Tests share modules, not each other: what several need is in `tests/world`, or in a module of their folder."""

from __future__ import annotations

import re

from tests.paths import ROOT

FROM_A_TEST = re.compile(r"^\s*(?:(?:from|import) tests\.[\w.]*\btest_|from tests[\w.]* import .*\btest_)", re.M)


def test_no_module_imports_from_a_test() -> None:
    modules = [path.relative_to(ROOT) for folder in ("tests", "bench") for path in (ROOT / folder).rglob("*.py")]
    found = [path for path in modules if FROM_A_TEST.search((ROOT / path).read_text(encoding="utf-8"))]
    listed = "\n".join(sorted(path.as_posix() for path in found))
    assert not found, f"move what they share into tests/world, or into a module of their folder:\n{listed}"
