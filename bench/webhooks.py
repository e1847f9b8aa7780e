"""From a published launch to the webhook of its team, through the whole system: one run, one machine.

    python -m bench.webhooks [--launches N] [--rates 10,50] [--runs N] [--json FILE]

Each rate has a system of its own, with the processes that `yesser up` starts here, Kafka and PostgreSQL included. A run
ends with an error unless every launch has brought exactly one webhook. It takes about two minutes.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Final

import orjson
from rich.console import Console

from bench.ledger import Figures
from tests.scenarios.launches import waits_s

RATES: Final = "10,50"
GOALS: Final = {"50 a second: p50, ms": "≤ 150", "50 a second: p99, ms": "≤ 1,000"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--launches", type=int, default=1_000, help="launches of each rate (default 1,000)")
    parser.add_argument("--rates", default=RATES, help=f"launches a second (default {RATES})")
    parser.add_argument("--runs", type=int, default=1, help="whole runs; medians are shown (default 1)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    given = parser.parse_args()
    figures = Figures()
    for _ in range(given.runs):
        for rate in given.rates.split(","):
            waits = asyncio.run(waits_s(given.launches, float(rate)))
            for name, share in (("p50", 0.5), ("p99", 0.99)):
                figures.add(f"{rate} a second: {name}, ms", 1e3 * waits[int(share * len(waits))])
    Console().print(figures.table("From a launch to its webhook", GOALS))
    if given.json:
        given.json.write_bytes(orjson.dumps(figures.runs, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    main()
