"""JavaScript runs where Node.js and npm are installed; elsewhere it is left out, and the summary says so."""

from __future__ import annotations

import shutil

from tests.scenarios.figures import tell

HAS_NODE = shutil.which("node") is not None and shutil.which("npm") is not None
collect_ignore_glob = [] if HAS_NODE else ["test_*.py"]

if not HAS_NODE:
    tell(
        "Node.js is not installed: the gateway was not tried with the CloudEvents SDK for JavaScript, nor"
        " webhooks with the library of Standard Webhooks (tests/senders_js)."
    )
