"""What a bench expects of its traffic is what the oracle finds in it."""

from __future__ import annotations

from bench.history import AGENCIES
from bench.topics import Published
from bench.traffic import OFFICE, mixed
from tests.oracle.entries import log_of, round_robin
from tests.oracle.fold import fold
from tests.oracle.validation import Agency, verdicts


def test_expected_results_are_those_of_the_oracle() -> None:
    published, lines = Published(), dict[str, list[bytes]]()
    for code, line, outcome in mixed(3, 4_000):
        published.count(line, outcome)
        lines.setdefault(code, []).append(line)
    agencies = [Agency(OFFICE, "office"), *map(Agency, AGENCIES)]
    publications = verdicts(lines, agencies).values()
    figures = fold(log_of(agencies, round_robin(publications)))
    assert published.net_halalas == sum(row["net_halalas"] for row in figures.plan["partnerships"])
    assert published.unknown_campaigns == len(figures.anomalies) > 0
    refused = sum(p.count("refused") + p.count("conflict") for p in publications)
    assert published.entries == sum(p.count("accepted") for p in publications) + refused
