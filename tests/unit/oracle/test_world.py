"""The oracle's world: what waits, what contradicts, what is counted, which campaigns follow."""

from __future__ import annotations

from tests.oracle.fold import Figures, fold, with_campaigns
from tests.oracle.log import EntryDict, JsonObject, make_entry, make_event, registration

TEXT = {"ar": "نص", "en": "text"}
DAY = {"on": "2005-05-05"}
NOTE = DAY | {"reason": TEXT}
StoryEvent = tuple[str, str, JsonObject]


def project(agency: str, verb: str, **data: object) -> StoryEvent:
    return agency, f"project.{verb}", {"project_id": "J", **(NOTE if verb != "registered" else {}), **data}


def registered_project(agency: str, phases: int) -> StoryEvent:
    listed = [{"phase": n, "name": TEXT} for n in range(1, phases + 1)]
    return project(agency, "registered", plan_id="P", kind="national-application", name=TEXT, phases=listed)


def service(agency: str, verb: str, **data: object) -> StoryEvent:
    return agency, f"service.{verb}", {"service_id": "S", **(NOTE if verb != "registered" else {}), **data}


def registered_service(agency: str) -> StoryEvent:
    return service(agency, "registered", plan_id="P", group=1, name=TEXT)


def adopted(target: int) -> StoryEvent:
    services = {"1": target, "2": 0, "3": 0}
    targets = {"infrastructure_projects": 1, "national_applications": 1, "services": services}
    return "yesser", "plan.adopted", {"plan_id": "P", "name": TEXT, "targets": targets}


def log(*told: StoryEvent) -> list[EntryDict]:
    events = [registration("yesser", "office")]
    for number, (agency, name, data) in enumerate(told, 1):
        subject = {"project": "project/J", "service": "service/S"}.get(name.partition(".")[0], "other/X")
        events.append(make_event(name, agency, subject, data, f"e{number}"))
    return [make_entry(index, event) for index, event in enumerate(events)]


def rules(figures: Figures) -> list[tuple[int, int, str]]:
    return [(anomaly.index, anomaly.found_index, anomaly.rule) for anomaly in figures.anomalies]


def test_facts_wait_for_their_project_and_are_judged_when_it_is_registered() -> None:
    figures = fold(
        log(
            project("a", "phase-completed", phase=1),
            project("a", "phase-completed", phase=3),
            project("b", "phase-started", phase=2),
            registered_project("a", 3),
            project("a", "phase-started", phase=2),
        )
    )
    assert rules(figures) == [(2, 4, "not-allowed-now"), (3, 4, "not-owner")]


def test_a_fact_that_still_waits_is_no_anomaly() -> None:
    assert fold(log(project("a", "phase-started", phase=1))).anomalies == []


def test_phases_go_in_order_and_the_highest_completed_one_can_be_reopened() -> None:
    figures = fold(
        log(
            adopted(0),
            registered_project("a", 2),
            project("a", "phase-started", phase=2),
            project("a", "phase-completed", phase=1),
            project("a", "phase-started", phase=1),
            project("a", "phase-completed", phase=2),
            project("a", "cancelled"),
            project("a", "phase-reopened", phase=1),
            project("a", "phase-reopened", phase=2),
            project("a", "phase-started", phase=3),
            project("a", "cancelled"),
            project("a", "phase-completed", phase=1),
            project("a", "phase-completed", phase=2),
            project("a", "cancelled"),
        )
    )
    assert [rule for _, _, rule in rules(figures)] == [
        "not-allowed-now", "already-started", "not-allowed-now", "not-allowed-now", "unknown-phase",
        "already-completed", "not-allowed-now", "already-cancelled",
    ]  # fmt: skip
    assert figures.plan["national_applications"]["projects"] == [
        {"project_id": "J", "agency": "a", "phases": 2, "started": 2, "completed": 1, "cancelled": True}
    ]


def test_a_reassignment_takes_effect_at_its_index_even_after_a_cancellation() -> None:
    figures = fold(
        log(
            registered_project("a", 1),
            project("a", "cancelled"),
            project("yesser", "reassigned", to="b"),
            registered_project("a", 1),
            registered_project("b", 1),
        )
    )
    assert [rule for _, _, rule in rules(figures)] == ["not-owner", "already-registered"]


def test_a_service_is_launched_once_and_a_retired_one_is_no_longer_suspended() -> None:
    figures = fold(
        log(
            adopted(1),
            service("a", "launched"),
            registered_service("a"),
            service("a", "launched"),
            service("a", "resumed"),
            service("a", "suspended"),
            service("a", "suspended"),
            service("a", "retired"),
            service("a", "suspended"),
            service("a", "resumed"),
            service("a", "retired"),
        )
    )
    assert [rule for _, _, rule in rules(figures)] == [
        "already-launched", "not-allowed-now", "already-suspended", "not-allowed-now", "not-allowed-now",
        "already-retired",
    ]  # fmt: skip
    group = figures.plan["services"]["groups"]["1"]
    assert group == {"target": 1, "registered": 1, "launched": 1, "live": 0, "suspended": 0, "retired": 1}


def test_the_cause_of_a_campaign_is_the_launch_itself_and_of_a_completed_group_the_entry_that_changed_the_figure() -> (
    None
):
    entries = log(adopted(1), service("a", "launched"), service("a", "suspended"), registered_service("a"))
    figures = fold(with_campaigns(entries))
    rows = {row["campaign_id"]: row for row in figures.campaigns}
    assert list(rows) == ["group-completed.i4.1", "service-launched.i2"]
    assert rows["service-launched.i2"]["paused"] is True
    assert rows["service-launched.i2"]["owner"] == "a"
    assert rows["group-completed.i4.1"]["owner"] == "yesser"
    assert figures.untriggered == []


def test_a_resumption_moves_the_due_date_by_the_working_days_that_were_lost() -> None:
    entries = log(registered_service("a"), service("a", "launched"), service("a", "suspended"), service("a", "resumed"))
    for entry, day in zip(entries, ("01", "01", "01", "03", "08"), strict=True):
        entry["recordedtime"] = f"2026-11-{day}T06:00:00.000000Z"
    before, after = fold(entries[:-1]).campaigns[0], fold(entries).campaigns[0]
    assert (before["due_on"], before["paused"]) == ("2026-11-15", True)
    assert (after["due_on"], after["paused"]) == ("2026-11-18", False)


def test_a_quota_is_met_once_and_certificates_count_in_both_calendars() -> None:
    def quota(calendar: str, year: int, seats: int) -> StoryEvent:
        data = {"calendar": calendar, "year": year, "track": "usage", "seats": seats}
        return "yesser", "training.quota-set", data

    certificate = {"certificate_id": "C", "trainee": "trn_a", "track": "usage", "on": "2005-02-09", "employer": "b"}
    figures = fold(
        log(
            ("a", "training.certified", certificate),
            quota("gregorian", 2005, 2),
            quota("umm-al-qura", 1425, 1),
            ("a", "training.revoked", certificate | {"trainee": "trn_b"}),
            ("b", "training.revoked", certificate),
            ("a", "training.revoked", certificate),
            ("a", "training.revoked", certificate | {"trainee": "trn_b"}),
            quota("umm-al-qura", 1425, 1),
        )
    )
    assert [rule for _, _, rule in rules(figures)] == ["not-allowed-now", "unknown-certificate", "already-revoked"]
    assert [(row["certified"], row["revoked"], row["net"]) for row in figures.plan["training"]] == [(1, 1, 0)] * 2
    assert [row["campaign_id"] for row in figures.campaigns] == ["quota-met.i3.umm-al-qura-1425-usage"]


def test_only_a_triggered_campaign_is_known_and_only_its_owner_may_speak_of_it() -> None:
    def aired(agency: str, airing_id: str) -> StoryEvent:
        data = {"campaign_id": "service-launched.i2", "airing_id": airing_id, "channel": "tv", "reach": 5}
        return agency, "awareness.campaign-aired", data

    entries = with_campaigns(log(registered_service("a"), service("a", "launched"), aired("a", "A")))
    facts = [aired("b", "A"), aired("a", "A"), aired("a", "A"), aired("a", "B")]
    entries += [
        make_entry(number, make_event(name, agency, "campaign/service-launched.i2", data, f"e{number}"))
        for number, (agency, name, data) in enumerate(facts, len(entries))
    ]
    figures = fold(entries)
    assert [rule for _, _, rule in rules(figures)] == ["unknown-campaign", "not-owner", "already-aired"]
    assert figures.plan["awareness"]["aired"] == {"tv": 1, "radio": 0, "print": 0}
    assert (figures.plan["awareness"]["reach"], figures.campaigns[0]["aired"]["tv"]) == (10, 2)


def test_without_a_plan_nothing_of_a_plan_is_counted() -> None:
    plan = fold(log(registered_service("a"), registered_project("a", 1))).plan
    assert plan["plan_id"] is None
    assert plan["services"]["target"] == 0
    assert plan["services"]["groups"]["1"]["registered"] == 0
    assert plan["national_applications"] == {"target": 0, "projects": []}
