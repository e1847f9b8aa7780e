"""From a published launch to the webhook of its team, through the whole system, at 10 and 50 launches a second.

Each rate has a system of its own, with the processes that `yesser up` starts here, Kafka and PostgreSQL included. A run
ends with an error unless every launch has brought exactly one webhook.
"""

from __future__ import annotations

from typing import Final

from bench.figures import Figures
from tests.scenarios.launches import waits_s

RATES: Final = (10, 50)


async def measure(launches: int, figures: Figures) -> None:
    """One run."""
    for rate in RATES:
        waits = await waits_s(launches, rate)
        for name, share in (("p50 ms", 0.5), ("p99 ms", 0.99)):
            figures.add(f"{rate} launches a second", name, 1e3 * waits[int(share * len(waits))])
