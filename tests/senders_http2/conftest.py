"""Clients that offer HTTP/2 are tried where they are installed; elsewhere their tests are left out, and the summary
says so."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any


def _curl_speaks_http2() -> bool:
    curl = shutil.which("curl")
    return curl is not None and b"HTTP2" in subprocess.run([curl, "--version"], capture_output=True, check=False).stdout


LEFT_OUT = {
    name: reason
    for name, reason, is_there in (
        ("test_java_client.py", "No JDK is installed: the HTTP client of Java", shutil.which("javac") is not None),
        ("test_curl.py", "curl with HTTP/2 is not installed: `curl --http2`", _curl_speaks_http2()),
    )
    if not is_there
}
collect_ignore_glob = [*LEFT_OUT]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for reason in LEFT_OUT.values():
        terminalreporter.write_line(f"{reason} was not tried with the gateway (tests/senders_http2).")
