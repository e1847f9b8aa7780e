"""The traffic of the benches is what it says: its outcomes are those of validation, and it hardly ever contradicts."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from itertools import islice

import pytest

from bench.history import AGENCIES
from bench.traffic import OFFICE, Line, mixed, uniform
from events.validation.forms import form_of
from events.validation.quick import has_no_fault
from events.validation.reading import read_claim
from events.validation.validate import validate
from events.validation.verdicts import Accepted
from events.validation.verdicts import Agency as AgencyOfRegistrar
from events.wire.codec import STRUCTURED_HEADERS
from events.wire.kafka_binding import read_headers
from tests.every import every
from tests.oracle.catalogue import TYPES
from tests.oracle.entries import Addressed, log_of, one_after_another, round_robin
from tests.oracle.fold import fold
from tests.oracle.log import short_type
from tests.oracle.validation import Agency, Publication, verdicts

SENDERS = [Agency(OFFICE, "office"), *map(Agency, AGENCIES)]
LINES = 4_000


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    return list(mixed(1, LINES))


@pytest.fixture(scope="module")
def five_years() -> list[Line]:
    """So few events a day that all periods of the contracts are closed."""
    return list(mixed(2, 3_400, events_per_day=2))


@pytest.fixture(scope="module")
def publications(five_years: list[Line]) -> list[Publication]:
    found: dict[str, list[bytes]] = {}
    for code, line, _ in five_years:
        found.setdefault(code, []).append(line)
    return list(verdicts(found, SENDERS).values())


def test_the_same_seed_gives_the_same_bytes(lines: list[Line]) -> None:
    assert list(islice(mixed(1, LINES), 500)) == lines[:500]
    assert list(islice(mixed(2, LINES), 500)) != lines[:500]


def test_each_outcome_is_that_of_the_oracle(five_years: list[Line], publications: list[Publication]) -> None:
    expected = {agency.code: [outcome for code, _, outcome in five_years if code == agency.code] for agency in SENDERS}
    for publication in publications:
        kinds = [verdict.kind.replace("conflict", "refused") for verdict in publication.verdicts]
        assert kinds == expected[publication.agency]


def test_each_outcome_is_that_of_the_registrar(lines: list[Line]) -> None:
    """But for a conflict, which only the log shows. The quick check proves most of what is good."""
    agencies = {code: AgencyOfRegistrar(code, "office" if code == OFFICE else "agency") for code in (OFFICE, *AGENCIES)}
    reading, proven = read_headers(STRUCTURED_HEADERS), 0
    for code, line, outcome in lines:
        accepted = isinstance(validate(line, STRUCTURED_HEADERS, agencies[code]), Accepted)
        assert accepted or outcome == "refused", line
        claim = read_claim(line, reading)
        proven += has_no_fault(claim, form_of(claim.event), agencies[code])
    assert proven > 0.9 * LINES


def test_the_traffic_is_as_mixed_as_it_is_said_to_be(lines: list[Line]) -> None:
    outcomes = Counter(outcome for _, _, outcome in lines)
    good = [line for _, line, outcome in lines if outcome == "accepted"]
    types = Counter(short_type(json.loads(line)) for line in good)
    assert set(types) == {name for name, rule in TYPES.items() if rule.who != "platform"} - {"canary.sent"}
    by_name = [line for line in good if list(json.loads(line)) == sorted(json.loads(line))]
    amounts = [int(found[1]) for line in good if (found := re.search(rb'collected.v1.*"amount_halalas": ?(\d+)', line))]
    for count, of, least, most in (
        (outcomes["duplicate"], LINES, 0.007, 0.013),
        (outcomes["refused"], LINES, 0.007, 0.013),
        (types["revenue.collected"], LINES, 0.42, 0.5),
        (types["training.certified"], LINES, 0.3, 0.36),
        (sum(b"\\u06" in line for line in good), LINES, 0.03, 1),
        (len(by_name), len(good), 0.2, 0.4),
        (sum(amount >= 1_000_000_000 for amount in amounts), len(amounts), 0.03, 0.1),
    ):
        assert least < count / of < most
    for member in (b'"phases"', b'"bands"', b'"expected"', b'"services"', b'"partners"', b"},{then"):
        assert any(member in line for line in good), member
    assert {outcome for _, _, outcome in uniform(1, 500)} == {"accepted"}


@every("order", [round_robin, one_after_another])
def test_only_campaigns_are_unknown_in_either_order_of_topics(
    publications: list[Publication], order: Callable[[list[Publication]], list[Addressed]]
) -> None:
    figures = fold(log_of(SENDERS, order(publications)))
    assert {anomaly.rule for anomaly in figures.anomalies} == {"unknown-campaign"}
    assert any(statement["top_up_halalas"] for statement in figures.statements)
    assert any(statement["prior_period_halalas"] for statement in figures.statements)
