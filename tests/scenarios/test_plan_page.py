"""The plan's page over a large log, on two hundred open pages, and while the database is away."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench.figures import Figures, number
from bench.plan_page import address, large_system, many_things, measure_pages, programme, signed_in
from tests.oracle.history import History
from tests.scenarios.figures import tell
from tests.scenarios.system import fresh_system, until

EVENTS = 100_000
pytestmark = [pytest.mark.accept, pytest.mark.alone, pytest.mark.timeout(3_000)]


@pytest.mark.parametrize("written", [programme, many_things])
def test_a_change_stands_on_two_hundred_open_pages_of_a_large_log(
    tmp_path: Path, written: Callable[[int], History]
) -> None:
    figures = Figures("console", EVENTS)
    with large_system(tmp_path, written(EVENTS)) as system:
        measure_pages(system, written.__name__, figures)
    for row, columns in figures.rows.items():
        tell(f"{row}: {', '.join(f'{number(found[0])} {column}' for column, found in columns.items())}")


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
