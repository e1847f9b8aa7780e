"""The Go program is built and run where Go is installed; elsewhere its tests are left out, and the summary says so."""

from __future__ import annotations

from tests.audit_go.auditor import HAS_GO
from tests.scenarios.figures import tell

collect_ignore_glob = [] if HAS_GO else ["test_*.py"]

if not HAS_GO:
    tell("Go is not installed: the mirror was not checked with golang.org/x/mod (tests/audit_go).")
