"""The examples of the documents."""

from __future__ import annotations

from tests.every import every
from tests.paths import ROOT

EXAMPLES = ROOT / "docs" / "examples"


@every("name", ["send_over_http.py", "send_over_kafka.py"])
def test_an_example_is_short_and_the_gateways_page_leads_to_it(name: str) -> None:
    assert len((EXAMPLES / name).read_text().splitlines()) <= 20
    assert f"(examples/{name})" in (EXAMPLES.parent / "gateway.md").read_text()
