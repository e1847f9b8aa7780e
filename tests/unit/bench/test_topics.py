"""What a bench expects of its traffic is what the oracle finds in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable

import pytest

from bench.history import AGENCIES
from bench.independent import LINES, OUTCOMES, expected, independent, repetitions
from bench.traffic import OFFICE, Expected, Line, mixed
from tests.oracle.entries import log_of, one_after_another
from tests.oracle.fold import fold
from tests.oracle.log import short_type
from tests.oracle.validation import Agency, verdicts

SENDERS = [Agency(OFFICE, "office"), *map(Agency, AGENCIES)]
EVENTS = 3 * LINES


def judged(lines: Iterable[Line]) -> Expected:
    """What the oracle makes of it, one agency after another."""
    topics: dict[str, list[bytes]] = {}
    for code, line, _ in lines:
        topics.setdefault(code, []).append(line)
    publications = list(verdicts(topics, SENDERS).values())
    figures, found = fold(log_of(SENDERS, one_after_another(publications))), Expected()
    for publication in publications:
        found.outcomes.update(OUTCOMES[verdict.kind] for verdict in publication.verdicts)
    found.net_halalas = sum(row["net_halalas"] for row in figures.plan["partnerships"])
    found.anomalies = len(figures.anomalies)
    return found


@pytest.fixture(scope="module")
def histories() -> list[Line]:
    return list(independent(EVENTS))


@pytest.mark.accept
def test_expected_results_of_mixed_traffic_are_those_of_the_oracle() -> None:
    result, lines = Expected(), list(mixed(3, 4_000))
    for _, line, outcome in lines:
        result.count(line, outcome)
    assert result == judged(lines)
    assert result.anomalies > 0


@pytest.mark.accept
def test_expected_results_of_independent_traffic_are_those_of_the_oracle(histories: list[Line]) -> None:
    """Three histories: the third one adds what the second one did, in another order of topics too."""
    assert repetitions(EVENTS) == 3
    result = expected(EVENTS)
    assert result == judged(histories)
    assert result.events == len(histories)
    assert min(result.outcomes["refused"], result.outcomes["duplicate"], result.anomalies) > 50


def test_independent_traffic_has_what_agencies_correct_and_say_late(histories: list[Line]) -> None:
    accepted = [json.loads(line) for _, line, outcome in histories if outcome == "accepted"]
    types = Counter(map(short_type, accepted))
    for name in ("revenue.reversed", "partnership.amended", "partnership.terminated"):
        assert types[name] >= 3, name
    first = {(short_type(event), event["subject"]): at for at, event in reversed(list(enumerate(accepted)))}
    launched = [(thing, at) for (name, thing), at in first.items() if name == "service.launched"]
    late = [thing for thing, at in launched if at < first.get(("service.registered", thing), 0)]
    assert late, "a fact that waits for its registration"
