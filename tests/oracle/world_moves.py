"""Moves of a strategy about plans, projects, services, training, things that happen once, and campaigns."""

from __future__ import annotations

from tests.oracle.builder import AGENCIES, TEXT, Builder, Move
from tests.oracle.log import JsonObject

DAY = "2005-05-05"
CERTIFIED_ON = ("2004-02-29", "2005-02-09", "2005-02-10", "2006-01-30", "2006-01-31")


def world_move(b: Builder) -> None:
    """Anything about plans, projects, services, training and things that happen once."""
    moves: tuple[Move, ...] = (plan_move, project_move, project_move, service_move, service_move, training_move)
    (*moves, once_move)[b.number(0, len(moves))](b)


def plan_move(b: Builder) -> None:
    """Adopted or amended, with targets that are quickly reached."""
    plan_id = b.pick("P1", "P2")
    known = plan_id in b.oracle.world.plans.targets
    verb = b.pick("amended", "amended", "amended", "adopted") if known else b.pick("adopted", "adopted", "amended")
    services = {group: b.number(0, 2) for group in "123"}
    targets = {"infrastructure_projects": 1, "national_applications": 1, "services": services}
    data: JsonObject = {"plan_id": plan_id, "targets": targets}
    data |= {"name": TEXT, "starts_on": DAY, "ends_on": DAY} if verb == "adopted" else {"reason": TEXT}
    b.tell("yesser", (f"plan.{verb}", f"plan/{plan_id}", data))


def project_move(b: Builder) -> None:
    """A fact about one of two projects of at most three phases."""
    project_id = b.pick("J1", "J2")
    project = b.oracle.world.owned.projects.get(project_id)
    agency = project.owner if project and not b.sometimes(6) else b.pick(*AGENCIES)
    verbs = ("phase-completed", "phase-started", "phase-completed", "phase-reopened", "cancelled", "reassigned")
    verb = b.pick("registered", *verbs) if project is None or b.sometimes(8) else b.pick(*verbs)
    data: JsonObject = {"project_id": project_id}
    if verb == "registered":
        phases = [{"phase": n, "name": TEXT} for n in range(1, b.number(1, 3) + 1)]
        kind = b.pick("national-application", "infrastructure")
        data |= {"plan_id": b.pick("P1", "P2"), "kind": kind, "name": TEXT, "phases": phases}
    elif verb == "reassigned":
        agency, data = "yesser", {**data, "to": b.pick(*AGENCIES), "on": DAY, "reason": TEXT}
    else:
        data |= {"on": DAY}
        if verb != "cancelled":
            data["phase"] = b.number(1, 4)
        if verb in ("cancelled", "phase-reopened"):
            data["reason"] = TEXT
    b.tell(agency, (f"project.{verb}", f"project/{project_id}", data))


def service_move(b: Builder) -> None:
    """A fact about one of three services."""
    service_id = b.pick("S1", "S2", "S3")
    service = b.oracle.world.owned.services.get(service_id)
    agency = service.owner if service and not b.sometimes(6) else b.pick(*AGENCIES)
    if service is None:
        verb = b.pick("registered", "registered", "launched", "suspended", "reassigned", "retired")
    elif not service.launched and not b.sometimes(4):
        verb = "launched"
    else:
        verb = b.pick("suspended", "resumed", "suspended", "resumed", "retired", "reassigned", "registered", "launched")
    data: JsonObject = {"service_id": service_id}
    if verb == "registered":
        data |= {"plan_id": b.pick("P1", "P2"), "group": b.number(1, 3), "name": TEXT}
    elif verb == "reassigned":
        agency, data = "yesser", {**data, "to": b.pick(*AGENCIES), "on": DAY, "reason": TEXT}
    elif verb == "launched":
        data |= {"on": DAY, "channels": ["web"]}
    else:
        data |= {"on": DAY} if verb == "resumed" else {"on": DAY, "reason": TEXT}
    b.tell(agency, (f"service.{verb}", f"service/{service_id}", data))


def training_move(b: Builder) -> None:
    """A quota, a certificate or its revocation, in a few cells of both calendars."""
    certificates = b.oracle.world.training.certificates
    verbs = ("certified", "quota-set", "revoked") if certificates else ("certified", "quota-set")
    verb, track = b.pick(*verbs), b.pick("usage", "leadership")
    if verb == "quota-set":
        calendar = b.pick("gregorian", "umm-al-qura")
        year = b.number(2004, 2006) if calendar == "gregorian" else b.number(1425, 1426)
        data: JsonObject = {"calendar": calendar, "year": year, "track": track, "seats": b.number(0, 2)}
        b.tell("yesser", ("training.quota-set", f"quota/{calendar}/{year}/{track}", data))
        return
    trainee = b.pick("trn_aaaaaaaaaaaaaaaa", "trn_bbbbbbbbbbbbbbbb")
    agency, certificate_id = b.pick(*AGENCIES), b.pick("C1", "C2", "C3", "C4")
    if verb == "revoked" and not b.sometimes(4):
        agency, certificate_id = sorted(certificates)[b.number(0, len(certificates) - 1)]
        trainee = certificates[agency, certificate_id].trainee
    data = {"certificate_id": certificate_id, "trainee": trainee, "on": b.pick(*CERTIFIED_ON)}
    data |= {"track": track, "employer": "gamma"} if verb == "certified" else {"reason": TEXT}
    b.tell(agency, (f"training.{verb}", f"trainee/{trainee}", data))


def once_move(b: Builder) -> None:
    """A workshop, a framework or an initiative."""
    serial, kind = b.number(1, 4), b.pick("initiative-announced", "workshop-announced", "workshop-held", "framework")
    if kind == "initiative-announced":
        data: JsonObject = {"initiative_id": f"I{serial}", "name": TEXT, "aim": TEXT, "on": DAY}
        b.tell(b.pick(*AGENCIES), ("awareness.initiative-announced", f"initiative/I{serial}", data))
    elif kind == "framework":
        data = {"framework_id": f"F{serial}", "title": TEXT, "legal_basis": TEXT, "on": DAY}
        b.tell("yesser", ("partnership.framework-published", f"framework/F{serial}", data))
    else:
        data = {"workshop_id": f"W{serial}", "topic": TEXT, "on": DAY, "place": TEXT, "partners": []}
        b.tell("yesser", (f"partnership.{kind}", f"workshop/W{serial}", data))


def campaign_move(b: Builder) -> None:
    """The platform triggers what is due, or an agency speaks of a campaign: due, triggered or unknown."""
    due, campaigns = b.oracle.campaigns.due(), b.oracle.campaigns.campaigns
    if due and not b.sometimes(3):
        b.append(due[b.number(0, len(due) - 1)].event())
        return
    if not campaigns and not b.sometimes(6):
        moves: tuple[Move, ...] = (service_move, once_move)
        moves[b.number(0, 1)](b)
        return
    triggered = sorted(c.campaign_id for c in campaigns.values() if c.triggered)
    others = ("service-launched.i999999", *sorted(campaigns))
    campaign_id = b.pick(*triggered) if triggered and not b.sometimes(8) else b.pick(*others)
    campaign = campaigns.get(campaign_id)
    agency = b.pick("yesser", *AGENCIES) if campaign is None or b.sometimes(4) else campaign.owner
    verb = b.pick("aired", "aired", "aired", "airing-corrected", "acknowledged", "completed")
    data: JsonObject = {"campaign_id": campaign_id, "on": DAY}
    if verb == "aired":
        airing = {"airing_id": b.pick("A1", "A2", "A3", "A4"), "channel": b.pick("tv", "radio", "print")}
        data |= {**airing, "outlet": TEXT, "reach": b.number(0, 5)}
    elif verb == "airing-corrected":
        data |= {"airing_id": b.pick("A1", "A2", "A3"), "reach": b.number(0, 5), "reason": TEXT}
    elif verb == "acknowledged":
        data["by"] = "desk"
    b.tell(agency, (f"awareness.campaign-{verb}", f"campaign/{campaign_id}", data))
