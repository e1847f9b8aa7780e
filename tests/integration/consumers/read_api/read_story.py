"""A short log in which everything that the read API shows is there once, told by two agencies with a partner each.

`health` has PPP-HEALTH with partner ACME, `labour` has PPP-LABOUR with partner GLOBEX. Of PPP-HEALTH there is also what
others said who had no say in it: a receipt before it was signed, one by `labour`, and a contract of `labour`'s own
under the same id.
"""

from __future__ import annotations

from typing import Any

from tests.oracle.entries import registrations
from tests.oracle.fold import with_campaigns
from tests.oracle.log import EntryDict, JsonObject, make_entry, make_event
from tests.oracle.validation import Agency
from tests.world.entries import TEXT
from tests.world.ledger import terms

AGENCIES = tuple(Agency(code, "office" if code == "yesser" else "agency") for code in ("yesser", "health", "labour"))
OWNERS = {"health": ("PPP-HEALTH", "ACME"), "labour": ("PPP-LABOUR", "GLOBEX")}
STRANGER_RECEIPTS = ("R-EARLY", "R-STRANGER")


class Teller:
    """Writes facts down as entries, one after another."""

    def __init__(self) -> None:
        self.log: list[EntryDict] = []
        for event in registrations(AGENCIES):
            self.log.append(make_entry(len(self.log), event))

    def say(self, fact: str, agency: str, subject: str, **data: Any) -> None:
        index = len(self.log)
        self.log.append(make_entry(index, make_event(fact, agency, subject, data, f"e{index}")))

    def of(self, partnership_id: str, fact: str, agency: str, **data: Any) -> None:
        """A fact about a partnership."""
        self.say(fact, agency, f"partnership/{partnership_id}", partnership_id=partnership_id, **data)

    def sign(self, agency: str, partnership_id: str, partner_id: str) -> None:
        partner = {"partner_id": partner_id, "name": TEXT}
        given: JsonObject = {"services": ["S1"], "legal_basis": TEXT, "signed_on": "2004-12-01", "terms": terms()}
        self.of(partnership_id, "partnership.signed", agency, partner=partner, **given)

    def collect(self, agency: str, partnership_id: str, receipt_id: str) -> None:
        given = {"service_id": "S1", "amount_halalas": 5000, "collected_on": "2005-01-03", "receipts": 1}
        self.of(partnership_id, "revenue.collected", agency, receipt_id=receipt_id, **given)


def story() -> list[EntryDict]:
    """The log."""
    teller = Teller()
    zeros = {"1": 1, "2": 0, "3": 0}
    targets = {"infrastructure_projects": 1, "national_applications": 1, "services": zeros}
    plan = {"name": TEXT, "starts_on": "2006-01-01", "ends_on": "2010-12-31", "targets": targets}
    teller.say("plan.adopted", "yesser", "plan/FIVE-YEAR", plan_id="FIVE-YEAR", **plan)
    teller.collect("labour", "PPP-HEALTH", "R-EARLY")
    for agency, (partnership_id, partner_id) in OWNERS.items():
        _what_an_agency_does(teller, agency)
        teller.sign(agency, partnership_id, partner_id)
        for receipt_id in ("R-1", "R-2", "R-1"):
            teller.collect(agency, partnership_id, receipt_id)
        teller.of(partnership_id, "revenue.period-closed", agency, period="2005-01")
        teller.of(partnership_id, "revenue.period-closed", agency, period="2005-02")
    teller.collect("labour", "PPP-HEALTH", "R-STRANGER")
    teller.sign("labour", "PPP-HEALTH", "GLOBEX")
    return with_campaigns(teller.log)


def _what_an_agency_does(teller: Teller, agency: str) -> None:
    service_id, project_id = f"SVC-{agency}", f"PRJ-{agency}"
    service, project = f"service/{service_id}", f"project/{project_id}"
    first = {"plan_id": "FIVE-YEAR", "name": TEXT}
    teller.say("service.registered", agency, service, service_id=service_id, group=1, **first)
    teller.say("service.launched", agency, service, service_id=service_id, on="2006-03-01", channels=["web"])
    teller.say("service.suspended", agency, service, service_id=service_id, on="2006-04-01", reason=TEXT)
    phases = [{"phase": number, "name": TEXT} for number in (1, 2, 3)]
    kind = "national-application"
    teller.say("project.registered", agency, project, project_id=project_id, kind=kind, phases=phases, **first)
    for step in ("started", "completed"):
        teller.say(f"project.phase-{step}", agency, project, project_id=project_id, phase=1, on="2006-02-01")
    teller.say("project.phase-started", agency, project, project_id=project_id, phase=2, on="2006-05-01")
    teller.say("training.revoked", agency, f"trainee/{'trn_' + 'a' * 16}", certificate_id="NONE", **_revoked())
    initiative = {"initiative_id": f"INI-{agency}", "name": TEXT, "aim": TEXT, "on": "2006-01-01"}
    teller.say("awareness.initiative-announced", agency, f"initiative/INI-{agency}", **initiative)


def _revoked() -> JsonObject:
    return {"trainee": "trn_" + "a" * 16, "on": "2006-01-01", "reason": TEXT}
