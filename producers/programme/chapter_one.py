"""The first chapter: the events of the agencies and the programme office, up to the campaigns that they trigger."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b32encode
from collections.abc import Iterator
from typing import Final

from producers.programme.records import Record, picked, read_records
from producers.programme.story_event import EventHeader, StoryEvent, story_event

OFFICE: Final = "yesser"
_PSEUDONYM_KEY: Final = b"the story's trainees are invented"
_PSEUDONYM_CHARACTERS: Final = 26


def chapter_one() -> list[StoryEvent]:
    """All events in date order; each agency's own order is kept."""
    events = [*_plans(), *_projects(), *_services(), *_training(), *_partnerships(), *_initiatives()]
    return sorted(events, key=lambda event: event.on)


def _plans() -> Iterator[StoryEvent]:
    for plan in read_records("plan")["plans"]:
        header = EventHeader(OFFICE, "plan.adopted", f"plan/{plan['plan_id']}", plan["plan_id"], plan["on"])
        yield story_event(header, picked(plan, "plan_id", "name", "starts_on", "ends_on", "targets"))


def _projects() -> Iterator[StoryEvent]:
    for project in read_records("projects")["projects"]:
        project_id, agency = project["project_id"], project["agency"]
        subject = f"project/{project_id}"
        phases = [{"phase": number, "name": name} for number, name in enumerate(project["phases"], 1)]
        yield story_event(
            EventHeader(agency, "project.registered", subject, project_id, project["on"]),
            picked(project, "project_id", "plan_id", "kind", "name") | {"phases": phases},
        )
        for step in project["steps"]:
            key = f"{project_id}.{step['phase']}"
            yield story_event(
                EventHeader(agency, f"project.phase-{step['step']}", subject, key, step["on"]),
                {"project_id": project_id} | picked(step, "phase", "on"),
            )


def _services() -> Iterator[StoryEvent]:
    records = read_records("services")
    for group in records["groups"]:
        for service in group["services"]:
            yield _service_registered(service, group["group"], records["plan_id"], records["registered_on"])
            if "launched_on" in service:
                yield _service_launched(service)


def _service_registered(service: Record, group: int, plan_id: str, on: str) -> StoryEvent:
    service_id = service["service_id"]
    return story_event(
        EventHeader(service["agency"], "service.registered", f"service/{service_id}", service_id, on),
        picked(service, "service_id", "name") | {"group": group, "plan_id": plan_id},
    )


def _service_launched(service: Record) -> StoryEvent:
    service_id, on = service["service_id"], service["launched_on"]
    return story_event(
        EventHeader(service["agency"], "service.launched", f"service/{service_id}", service_id, on),
        picked(service, "service_id", "channels") | {"on": on},
    )


def _training() -> Iterator[StoryEvent]:
    records = read_records("training")
    for quota in records["quotas"]:
        key = f"{quota['calendar']}/{quota['year']}/{quota['track']}"
        header = EventHeader(OFFICE, "training.quota-set", f"quota/{key}", key.replace("/", "."), quota["on"])
        yield story_event(header, picked(quota, "calendar", "year", "track", "seats"))
    for course in records["courses"]:
        for number in range(1, course["trainees"] + 1):
            yield _certified(records["certifier"], course, number)
    for revoked in records["revoked"]:
        yield _revoked(records["certifier"], revoked)


def _certified(certifier: str, course: Record, number: int) -> StoryEvent:
    certificate_id, trainee = _certificate(course["course_id"], number)
    return story_event(
        EventHeader(certifier, "training.certified", f"trainee/{trainee}", certificate_id, course["on"]),
        picked(course, "track", "on", "employer") | {"certificate_id": certificate_id, "trainee": trainee},
    )


def _revoked(certifier: str, revoked: Record) -> StoryEvent:
    certificate_id, trainee = _certificate(revoked["course_id"], revoked["trainee"])
    return story_event(
        EventHeader(certifier, "training.revoked", f"trainee/{trainee}", certificate_id, revoked["on"]),
        picked(revoked, "on", "reason") | {"certificate_id": certificate_id, "trainee": trainee},
    )


def _certificate(course_id: str, number: int) -> tuple[str, str]:
    """The certificate's id and the trainee's pseudonym: a keyed hash, as an agency derives it from a national id."""
    certificate_id = f"{course_id}-{number:03d}"
    digest = hmac.new(_PSEUDONYM_KEY, certificate_id.encode(), hashlib.sha256).digest()
    return certificate_id, "trn_" + b32encode(digest).decode().lower()[:_PSEUDONYM_CHARACTERS]


def _partnerships() -> Iterator[StoryEvent]:
    records = read_records("partnerships")
    for workshop in records["workshops"]:
        workshop_id, on = workshop["workshop_id"], workshop["on"]
        header = EventHeader(
            OFFICE, f"partnership.workshop-{workshop['step']}", f"workshop/{workshop_id}", workshop_id, on
        )
        yield story_event(header, picked(workshop, "workshop_id", "topic", "on", "place", "partners"))
    for framework in records["frameworks"]:
        framework_id, on = framework["framework_id"], framework["on"]
        header = EventHeader(OFFICE, "partnership.framework-published", f"framework/{framework_id}", framework_id, on)
        yield story_event(header, picked(framework, "framework_id", "title", "legal_basis", "on"))
    for partnership in records["partnerships"]:
        yield story_event(
            _about(partnership, "partnership.signed", "signed", partnership["signed_on"]),
            picked(partnership, "partnership_id", "partner", "services", "legal_basis", "signed_on", "terms"),
        )
        for step in partnership["steps"]:
            yield _revenue(partnership, step)


def _revenue(partnership: Record, step: Record) -> StoryEvent:
    """One receipt, reversal, closing or payout. Only the story knows the day of a closing."""
    data = {name: value for name, value in step.items() if name != "step"}
    on = next(step[name] for name in ("collected_on", "reversed_on", "paid_on", "on") if name in step)
    key = next(step[name] for name in ("receipt_id", "reversal_id", "payout_id", "period") if name in step)
    data.pop("on", None)
    return story_event(
        _about(partnership, f"revenue.{step['step']}", key, on),
        data | {"partnership_id": partnership["partnership_id"]},
    )


def _about(partnership: Record, type_: str, key: str, on: str) -> EventHeader:
    partnership_id = partnership["partnership_id"]
    return EventHeader(partnership["agency"], type_, f"partnership/{partnership_id}", f"{partnership_id}.{key}", on)


def _initiatives() -> Iterator[StoryEvent]:
    for initiative in read_records("awareness")["initiatives"]:
        initiative_id = initiative["initiative_id"]
        yield story_event(
            EventHeader(
                initiative["agency"],
                "awareness.initiative-announced",
                f"initiative/{initiative_id}",
                initiative_id,
                initiative["on"],
            ),
            picked(initiative, "initiative_id", "name", "aim", "on"),
        )
