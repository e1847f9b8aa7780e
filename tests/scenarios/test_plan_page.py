"""The plan's page over a large log, on two hundred open pages, and while the database is away."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench.plan_page import (
    Publisher,
    address,
    large_system,
    many_things,
    measure_loads,
    measure_open_pages,
    measure_past,
    programme,
    signed_in,
)
from tests.oracle.history import History
from tests.scenarios.system import fresh_system, until

pytestmark = [pytest.mark.accept, pytest.mark.alone, pytest.mark.timeout(3_000)]


@pytest.mark.parametrize("written", [programme, many_things])
def test_a_change_is_on_200_open_pages_of_a_large_log(tmp_path: Path, written: Callable[[], History]) -> None:
    with large_system(tmp_path, written) as system:
        cookies, publisher = signed_in(system), Publisher(system)
        asyncio.run(measure_loads(system, cookies, publisher))
        asyncio.run(measure_past(system, cookies))
        asyncio.run(measure_open_pages(system, cookies, publisher))


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
