"""The first chapter: the events of the agencies and the programme office, up to the campaigns that they trigger."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b32encode
from collections.abc import Iterator
from typing import Final

from producers.programme.story_event import Record, StoryEvent, picked, read_records, story_event

OFFICE: Final = "yesser"
_PSEUDONYM_KEY: Final = b"the story's trainees are invented"
_PSEUDONYM_CHARACTERS: Final = 26


def chapter_one() -> list[StoryEvent]:
    """All events in date order; each agency's own order is kept."""
    events = [*_plans(), *_projects(), *_services(), *_training(), *_partnerships(), *_initiatives()]
    return sorted(events, key=lambda event: event.on)


def _plans() -> Iterator[StoryEvent]:
    for plan in read_records("plan")["plans"]:
        data = picked(plan, "plan_id", "name", "starts_on", "ends_on", "targets")
        yield story_event(OFFICE, "plan.adopted", ("plan", plan["plan_id"]), plan["on"], data)


def _projects() -> Iterator[StoryEvent]:
    for project in read_records("projects")["projects"]:
        project_id, agency = project["project_id"], project["agency"]
        thing = "project", project_id
        phases = [{"phase": number, "name": name} for number, name in enumerate(project["phases"], 1)]
        data = picked(project, "project_id", "plan_id", "kind", "name") | {"phases": phases}
        yield story_event(agency, "project.registered", thing, project["on"], data)
        for step in project["steps"]:
            data = {"project_id": project_id} | picked(step, "phase", "on")
            key = f"{project_id}.{step['phase']}"
            yield story_event(agency, f"project.phase-{step['step']}", thing, step["on"], data, key)


def _services() -> Iterator[StoryEvent]:
    records = read_records("services")
    for group in records["groups"]:
        for service in group["services"]:
            thing, about = ("service", service["service_id"]), {"group": group["group"], "plan_id": records["plan_id"]}
            data = picked(service, "service_id", "name") | about
            yield story_event(service["agency"], "service.registered", thing, records["registered_on"], data)
            if "launched_on" in service:
                yield launch(service, service["launched_on"])


def launch(service: Record, on: str, key: str = "") -> StoryEvent:
    """The launch of a service."""
    data = picked(service, "service_id", "channels") | {"on": on}
    return story_event(service["agency"], "service.launched", ("service", service["service_id"]), on, data, key)


def _training() -> Iterator[StoryEvent]:
    records = read_records("training")
    for quota in records["quotas"]:
        key = f"{quota['calendar']}/{quota['year']}/{quota['track']}"
        data = picked(quota, "calendar", "year", "track", "seats")
        yield story_event(OFFICE, "training.quota-set", ("quota", key), quota["on"], data, key.replace("/", "."))
    for course in records["courses"]:
        for number in range(1, course["trainees"] + 1):
            yield _trained(records["certifier"], "certified", course, number, "track", "on", "employer")
    for revoked in records["revoked"]:
        yield _trained(records["certifier"], "revoked", revoked, revoked["trainee"], "on", "reason")


def _trained(certifier: str, what: str, row: Record, number: int, *names: str) -> StoryEvent:
    certificate_id, trainee = _certificate(row["course_id"], number)
    data = picked(row, *names) | {"certificate_id": certificate_id, "trainee": trainee}
    return story_event(certifier, f"training.{what}", ("trainee", trainee), row["on"], data, certificate_id)


def _certificate(course_id: str, number: int) -> tuple[str, str]:
    """The certificate's id and the trainee's pseudonym: a keyed hash, as an agency derives it from a national id."""
    certificate_id = f"{course_id}-{number:03d}"
    digest = hmac.new(_PSEUDONYM_KEY, certificate_id.encode(), hashlib.sha256).digest()
    return certificate_id, "trn_" + b32encode(digest).decode().lower()[:_PSEUDONYM_CHARACTERS]


def _partnerships() -> Iterator[StoryEvent]:
    records = read_records("partnerships")
    for workshop in records["workshops"]:
        thing, type_ = ("workshop", workshop["workshop_id"]), f"partnership.workshop-{workshop['step']}"
        data = picked(workshop, "workshop_id", "topic", "on", "place", "partners")
        yield story_event(OFFICE, type_, thing, workshop["on"], data)
    for framework in records["frameworks"]:
        data = picked(framework, "framework_id", "title", "legal_basis", "on")
        thing = "framework", framework["framework_id"]
        yield story_event(OFFICE, "partnership.framework-published", thing, framework["on"], data)
    for partnership in records["partnerships"]:
        data = picked(partnership, "partnership_id", "partner", "services", "legal_basis", "signed_on", "terms")
        yield _of_partnership(partnership, "partnership.signed", "signed", partnership["signed_on"], data)
        for step in partnership["steps"]:
            yield _revenue(partnership, step)


def _revenue(partnership: Record, step: Record) -> StoryEvent:
    """One receipt, reversal, closing or payout. Only the story knows the day of a closing."""
    data = {name: value for name, value in step.items() if name not in ("step", "on")}
    on = next(step[name] for name in ("collected_on", "reversed_on", "paid_on", "on") if name in step)
    key = next(step[name] for name in ("receipt_id", "reversal_id", "payout_id", "period") if name in step)
    data |= {"partnership_id": partnership["partnership_id"]}
    return _of_partnership(partnership, f"revenue.{step['step']}", key, on, data)


def _of_partnership(partnership: Record, type_: str, key: str, on: str, data: Record) -> StoryEvent:
    partnership_id = partnership["partnership_id"]
    thing = "partnership", partnership_id
    return story_event(partnership["agency"], type_, thing, on, data, f"{partnership_id}.{key}")


def _initiatives() -> Iterator[StoryEvent]:
    for row in read_records("awareness")["initiatives"]:
        data = picked(row, "initiative_id", "name", "aim", "on")
        thing = "initiative", row["initiative_id"]
        yield story_event(row["agency"], "awareness.initiative-announced", thing, row["on"], data)
