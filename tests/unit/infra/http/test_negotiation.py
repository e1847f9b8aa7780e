"""The preferred media type: what a client ranks highest, by the most specific range."""

from __future__ import annotations

from infra.http.negotiation import preferred
from tests.every import every

OFFERED = ("application/json", "text/html", "application/pdf")


@every(
    ("accept", "chosen"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/html", "text/html"),
        ("TEXT/HTML", "text/html"),
        ("text/html;q=0.5, application/pdf", "application/pdf"),
        ("text/html;q=0.5, application/pdf;q=0.5", "text/html"),
        ("text/*, */*;q=0.1", "text/html"),
        ("*/*, application/json;q=0", "text/html"),
        ("application/*;q=0.9, application/json;q=0.2", "application/pdf"),
        ("text/html;level=1;q=0.7", "text/html"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("image/png", None),
        ("application/json;q=none", None),
        (",;,", None),
        ("*/*;q=0", None),
    ],
)
def test_the_preferred_type_is_offered(accept: str, chosen: str | None) -> None:
    assert preferred(accept, OFFERED) == chosen
