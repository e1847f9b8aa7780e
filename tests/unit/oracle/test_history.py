"""Generated histories: validation agrees with the counts by construction, and the order of files does not matter."""

from __future__ import annotations

import json
from collections import Counter

from hypothesis import HealthCheck, given, settings

from bench.history import bench_agencies, generate_bench
from tests.every import every
from tests.oracle.entries import log_of, round_robin
from tests.oracle.fold import Figures, fold
from tests.oracle.history import CLEAN, HOSTILE, MIXED, REVENUE, History, Profile, entries_from, generate
from tests.oracle.log import EntryDict, entry_bytes
from tests.oracle.second_wave import second_wave
from tests.oracle.strategies import campaign_logs, mixed_logs, revenue_logs, world_logs
from tests.oracle.validation import Agency, Publication, Registrar, verdicts

EVENTS = 2_000
QUICK = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


def differences(history: History, publications: dict[str, Publication]) -> list[object]:
    found: list[object] = []
    for agency, expected in history.expected.items():
        publication = publications[agency]
        if publication.counts() != expected.counts():
            found.append((agency, publication.counts(), expected.counts()))
        problems = publication.problems()
        for line, faults in expected.problems.items():
            exact = all(pointer is not None for _, pointer in faults)
            told = sorted(problems.get(line, ()), key=str)
            wanted = sorted(faults, key=str)
            if (told != wanted) if exact else ([code for code, _ in told] != [code for code, _ in wanted]):
                found.append((agency, line, told, wanted))
    return found


@every(("seed", "profile"), [(1, MIXED), (2, HOSTILE), (3, CLEAN), (4, REVENUE)])
def test_the_counts_by_construction_are_those_of_validation(seed: int, profile: Profile) -> None:
    history = generate(seed, 600, profile)
    assert differences(history, verdicts(history.lines, history.agencies)) == []


def test_a_hostile_history_has_every_code_that_a_file_can_have() -> None:
    history = generate(7, 2000, HOSTILE)
    codes = {c for e in history.expected.values() for faults in e.problems.values() for c, _ in faults}
    assert codes == {
        "not-utf8", "not-json", "too-large", "too-deep", "duplicate-name", "number-out-of-range", "missing-field",
        "unknown-field", "invalid-value", "date-out-of-range", "unknown-type", "subject-mismatch", "foreign-source",
        "not-authorised", "personal-data", "id-looks-personal", "conflict",
    }  # fmt: skip


def without_indexes(figures: Figures) -> object:
    indexes = {"first_index", "last_index", "closing_index"}
    statements = [{k: v for k, v in s.items() if k not in indexes} for s in figures.statements]
    anomalies = sorted((a.type, a.subject, a.agency) for a in figures.anomalies)
    campaigns = sorted((c["rule"], c["owner"], str(c["service_id"]), c["paused"]) for c in figures.campaigns)
    return figures.plan, statements, figures.balances, anomalies, campaigns


def test_the_order_of_the_agencies_files_does_not_matter() -> None:
    history = generate(5, 900)
    results = [
        without_indexes(fold(entries_from(history, how)))
        for how in ("round-robin", "one-after-another", "shuffled:1", "shuffled:2")
    ]
    assert all(result == results[0] for result in results)
    assert generate(5, 900).lines == history.lines != generate(6, 900).lines, "the same seed gives the same bytes"


def test_what_comes_back_from_the_campaigns_is_accepted_and_counted() -> None:
    history = generate(6, 600)
    entries = entries_from(history)
    lines = second_wave(6, fold(entries).campaigns, history.lines)
    publications = [Registrar(agency).publish(lines[agency.code]) for agency in history.agencies]
    assert all(len(p.verdicts) == p.count("accepted") for p in publications)
    after = fold([*entries, *log_of(history.agencies, round_robin(publications), start=len(entries))])
    assert after.plan["awareness"]["reach"] > 0
    assert {row["state"] for row in after.campaigns} == {"triggered", "acknowledged", "completed"}


def test_a_history_for_measuring_is_good_throughout() -> None:
    lines: dict[str, list[bytes]] = {}
    kinds: Counter[str] = Counter()
    for agency, line in generate_bench(1, EVENTS):
        lines.setdefault(agency, []).append(line)
        kinds[json.loads(line)["type"]] += 1
    agencies = [Agency("yesser", "office"), *map(Agency, bench_agencies())]
    publications = verdicts(lines, agencies)
    assert sum(publication.count("accepted") for publication in publications.values()) == EVENTS
    assert fold(log_of(agencies, round_robin(publications.values()))).anomalies == []
    assert 0.35 < kinds["sa.gov.yesser.revenue.collected.v1"] / EVENTS < 0.5
    assert 350 < sum(len(line) for each in lines.values() for line in each) / EVENTS < 500


@QUICK
@given(entries=world_logs() | revenue_logs() | campaign_logs() | mixed_logs())
def test_every_drawn_event_is_accepted_and_the_accounts_balance(entries: list[EntryDict]) -> None:
    figures = fold(entries)
    assert [entry["index"] for entry in entries] == list(range(len(entries)))
    assert sum(account["balance_halalas"] for account in figures.balances.values()) == 0
    roles = {"yesser": "office", "platform": "platform"}
    registrars = {
        code: Registrar(Agency(code, roles.get(code, "agency"))) for code in ("yesser", "platform", "alpha", "beta")
    }
    for entry in entries:
        raw = json.loads(entry_bytes(entry))["event"]
        agency = raw["source"].rpartition(":")[2]
        assert registrars[agency].judge(entry["index"] + 1, json.dumps(raw).encode()).faults == ()
