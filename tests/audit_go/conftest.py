"""The Go program is built and run where Go is installed; elsewhere its tests are left out, and the summary says so."""

from __future__ import annotations

import shutil

from tests.scenarios.figures import tell

HAS_GO = shutil.which("go") is not None
collect_ignore_glob = [] if HAS_GO else ["test_*.py"]

if not HAS_GO:
    tell("Go is not installed: the mirror was not checked with golang.org/x/mod (tests/audit_go).")
