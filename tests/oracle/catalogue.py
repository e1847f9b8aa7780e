"""The table of §2: who may say what, about which subject, with which data."""

from __future__ import annotations

from dataclasses import dataclass
from string import Formatter

from tests.oracle.form import (
    Check,
    agency_code,
    calendar,
    day,
    identifier,
    integer,
    items,
    line,
    matching,
    natural,
    nowhere,
    nullable,
    one_of,
    period,
    positive,
    record,
    ruled,
    text,
    url,
)
from tests.oracle.log import JsonObject
from tests.oracle.terms import terms


@dataclass(frozen=True)
class TypeRule:
    """One row; an empty `subject` is not compared with the data."""

    subject: str
    who: str
    data: Check

    @property
    def subject_fields(self) -> list[str]:
        return [name for _, name, _, _ in Formatter().parse(self.subject) if name]

    def subject_of(self, data: JsonObject) -> str:
        return self.subject.format(**data)


track = one_of("usage", "specialist", "leadership")
trainee = matching(r"trn_[a-z2-7]{16,52}")
channel = one_of("tv", "radio", "print")
service_channel = one_of("web", "mobile", "kiosk", "phone", "counter")
targets = record(
    {
        "infrastructure_projects": natural,
        "national_applications": natural,
        "services": record({"1": natural, "2": natural, "3": natural}),
    }
)
phases = ruled(
    items(record({"phase": positive, "name": text}), 1, 50),
    lambda value: [item["phase"] for item in value if isinstance(item, dict)] == list(range(1, len(value) + 1)),
)
distinct_services = ruled(items(identifier, 1, 200), lambda value: len(set(map(str, value))) == len(value))
partner = record({"partner_id": identifier, "name": text})
campaign = record(
    {
        "campaign_id": identifier,
        "rule": identifier,
        "rules_version": nowhere,
        "cause_index": natural,
        "kind": one_of("specific", "general"),
        "owner": agency_code,
        "channels": items(channel, 0, 10),
        "due_on": day,
        "brief": text,
        "reason": text,
    },
    {"service_id": identifier, "urgency": one_of("normal", "high")},
)
HALALAS_OF_STATEMENT = (
    *("opening_cumulative", "collected", "reversed", "net", "prior_period", "closing_cumulative"),
    *("partner_base", "guarantee", "top_up", "recovered", "top_up_outstanding"),
    *("partner_total", "treasury_total", "expected"),
)
statement = record(
    {
        "partnership_id": identifier,
        "period": period,
        "contract_version": natural,
        **{f"{name}_halalas": integer() for name in HALALAS_OF_STATEMENT},
        "first_index": nullable(natural),
        "last_index": nullable(natural),
        "closing_index": natural,
    }
)
problem = record(
    {
        "type": line(2_000),
        "title": text,
        "errors": items(record({"code": line(64), "pointer": nowhere, "detail": text})),
    }
)
claims: dict[str, Check] = {name: line(2_000) for name in ("claimed_source", "claimed_id", "claimed_type")}

PLAN, PROJECT, SERVICE = "plan/{plan_id}", "project/{project_id}", "service/{service_id}"
PARTNERSHIP, CAMPAIGN = "partnership/{partnership_id}", "campaign/{campaign_id}"


def about(subject: str, who: str, optional: dict[str, Check] | None = None, **fields: Check) -> TypeRule:
    return TypeRule(subject, who, record(fields, optional))


def project_fact(who: str = "agency", **fields: Check) -> TypeRule:
    return about(PROJECT, who, None, project_id=identifier, **fields)


def service_fact(who: str = "agency", **fields: Check) -> TypeRule:
    return about(SERVICE, who, None, service_id=identifier, **fields)


def contract_fact(who: str = "agency", **fields: Check) -> TypeRule:
    return about(PARTNERSHIP, who, None, partnership_id=identifier, **fields)


def campaign_fact(**fields: Check) -> TypeRule:
    return about(CAMPAIGN, "agency", None, campaign_id=identifier, **fields)


plan_adopted = about(PLAN, "office", plan_id=identifier, name=text, starts_on=day, ends_on=day, targets=targets)
workshop = about(
    "workshop/{workshop_id}",
    "office",
    workshop_id=identifier,
    topic=text,
    on=day,
    place=text,
    partners=items(text, 0, 100),
)
reassignment: dict[str, Check] = {"to": agency_code, "on": day, "reason": text}

TYPES: dict[str, TypeRule] = {
    "plan.adopted": plan_adopted,
    "plan.amended": about(PLAN, "office", plan_id=identifier, targets=targets, reason=text),
    "project.registered": project_fact(
        plan_id=identifier, kind=one_of("infrastructure", "national-application"), name=text, phases=phases
    ),
    "project.phase-started": project_fact(phase=positive, on=day),
    "project.phase-completed": project_fact(phase=positive, on=day),
    "project.phase-reopened": project_fact(phase=positive, on=day, reason=text),
    "project.cancelled": project_fact(on=day, reason=text),
    "project.reassigned": project_fact("office", **reassignment),
    "service.registered": service_fact(plan_id=identifier, group=one_of(1, 2, 3), name=text),
    "service.launched": about(
        SERVICE, "agency", {"url": url}, service_id=identifier, on=day, channels=items(service_channel, 1, 10)
    ),
    "service.suspended": service_fact(on=day, reason=text),
    "service.retired": service_fact(on=day, reason=text),
    "service.resumed": service_fact(on=day),
    "service.reassigned": service_fact("office", **reassignment),
    "training.quota-set": about(
        "quota/{calendar}/{year}/{track}", "office", calendar=calendar, year=integer(1343, 2077), track=track,
        seats=natural,
    ),
    "training.certified": about(
        "trainee/{trainee}", "agency", certificate_id=identifier, trainee=trainee, track=track, on=day,
        employer=agency_code,
    ),
    "training.revoked": about(
        "trainee/{trainee}", "agency", certificate_id=identifier, trainee=trainee, on=day, reason=text
    ),
    "partnership.workshop-announced": workshop,
    "partnership.workshop-held": workshop,
    "partnership.framework-published": about(
        "framework/{framework_id}", "office", framework_id=identifier, title=text, legal_basis=text, on=day
    ),
    "partnership.signed": contract_fact(
        partner=partner, services=distinct_services, legal_basis=text, signed_on=day, terms=terms
    ),
    "partnership.amended": contract_fact(effective_from=period, terms=terms, reason=text),
    "partnership.terminated": contract_fact(on=day, reason=text),
    "partnership.reassigned": contract_fact("office", **reassignment),
    "revenue.collected": contract_fact(
        receipt_id=identifier, service_id=identifier, amount_halalas=positive, collected_on=day, receipts=positive
    ),
    "revenue.reversed": contract_fact(
        reversal_id=identifier, reverses=identifier, amount_halalas=positive, reversed_on=day, reason=text
    ),
    "revenue.period-closed": contract_fact(period=period),
    "revenue.paid-out": contract_fact(payout_id=identifier, amount_halalas=positive, paid_on=day),
    "awareness.initiative-announced": about(
        "initiative/{initiative_id}", "agency", initiative_id=identifier, name=text, aim=text, on=day
    ),
    "awareness.campaign-acknowledged": campaign_fact(by=identifier, on=day),
    "awareness.campaign-aired": campaign_fact(
        airing_id=identifier, channel=channel, outlet=text, on=day, reach=natural
    ),
    "awareness.campaign-airing-corrected": campaign_fact(airing_id=identifier, reach=natural, on=day, reason=text),
    "awareness.campaign-completed": campaign_fact(on=day),
    "canary.sent": about("canary/{origin}", "agency", origin=identifier),
    "registry.agency-registered": about(
        "agency/{code}", "platform", code=agency_code, name=text, role=one_of("office", "agency", "platform")
    ),
    **{
        f"registry.agency-{verb}": about("agency/{code}", "platform", code=agency_code, reason=text)
        for verb in ("suspended", "resumed")
    },
    "registry.text-withheld": about(
        "entry/{entry}", "platform", entry=natural, pointer=matching("/data/[a-z][a-z_]{0,63}"), reason=text,
        legal_basis=text,
    ),
    "registrar.catalogue-adopted": about(
        "catalogue/{sha256}", "platform", sha256=matching("[0-9a-f]{64}"),
        release=matching("[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}"),
    ),
    "registrar.refused": about(
        "", "platform", {"sha256": matching("[0-9a-f]{64}"), **claims}, address=line(400), problem=problem
    ),
    **{
        f"campaign.{verb}": TypeRule(CAMPAIGN, "platform", campaign)
        for verb in ("triggered", "paused", "resumed", "escalated")
    },
    "settlement.issued": TypeRule(PARTNERSHIP, "platform", statement),
    "projection.committed": about(
        "projection/{name}", "platform", {"fold_version": identifier}, name=identifier, log_index=natural, rows=natural,
        sha256=matching("[0-9a-f]{64}"),
    ),
    "projection.commitment-acknowledged": about(
        "projection/{name}", "platform", name=identifier, commitment_index=natural, reason=text
    ),
}  # fmt: skip
