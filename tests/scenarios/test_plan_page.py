"""The plan's page while the database is away. `bench/plan_page.py` measures it over a large log."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from bench.plan_page import address, signed_in
from tests.scenarios.system import fresh_system, until

pytestmark = [pytest.mark.accept, pytest.mark.alone, pytest.mark.timeout(3_000)]


def test_while_the_database_is_away_the_plan_stands_and_says_since_when() -> None:
    with fresh_system() as system:
        cookies = signed_in(system)
        with httpx.Client(base_url=address(system, "console"), cookies=cookies, timeout=60) as client:
            before = client.get("/plan", headers={"Accept-Language": "en"})
            assert before.status_code == 200
            system.kill("postgres")
            standing: list[httpx.Response] = []

            def stands() -> bool:
                standing.append(client.get("/plan"))
                return "قاعدة البيانات لا تجيب" in standing[-1].text

            until(stands, 30, "the page does not say that the database is away")
            assert standing[-1].status_code == 200
            assert caption(standing[-1].text) == caption(before.text)
            unseen = httpx.get(f"{address(system, 'console')}/plan", cookies={"yesser-session": "unknown"})
            assert unseen.status_code in (303, 503), "nobody else sees what was kept"
            system.until_all_ready()
            until(lambda: "قاعدة البيانات لا تجيب" not in client.get("/plan").text, 60, "the notice stays")


def caption(page: str) -> Any:
    found = re.search(r'id="plan-caption">(.*?)</p>', page, re.DOTALL)
    assert found is not None, page
    return found.group(1)
