"""A short log in which everything that the read API shows is there once, told by two agencies with a partner each.

`health` has PPP-HEALTH with partner ACME, `labour` has PPP-LABOUR with partner GLOBEX. Of PPP-HEALTH there is also what
others said who had no say in it: a receipt before it was signed, one by `labour`, and a contract of `labour`'s own
under the same id.
"""

from __future__ import annotations

from tests.oracle.entries import registrations
from tests.oracle.fold import with_campaigns
from tests.oracle.log import EntryDict, JsonObject
from tests.oracle.validation import Agency
from tests.world.entries import TEXT, EventLog
from tests.world.ledger import terms

AGENCIES = tuple(Agency(code, "office" if code == "yesser" else "agency") for code in ("yesser", "health", "labour"))
OWNERS = {"health": ("PPP-HEALTH", "ACME"), "labour": ("PPP-LABOUR", "GLOBEX")}
STRANGER_RECEIPTS = ("R-EARLY", "R-STRANGER")


class Teller(EventLog):
    """Partnerships and their receipts."""

    def sign(self, agency: str, partnership_id: str, partner_id: str) -> None:
        given: JsonObject = {"services": ["S1"], "legal_basis": TEXT, "signed_on": "2004-12-01", "terms": terms()}
        partner = {"partner_id": partner_id, "name": TEXT}
        self.tell(agency, "partnership.signed", partnership_id=partnership_id, partner=partner, **given)

    def collect(self, agency: str, partnership_id: str, receipt_id: str) -> None:
        about = {"partnership_id": partnership_id, "receipt_id": receipt_id, "service_id": "S1"}
        self.tell(agency, "revenue.collected", **about, amount_halalas=5000, collected_on="2005-01-03", receipts=1)


def story() -> list[EntryDict]:
    """The log."""
    teller = Teller()
    for event in registrations(AGENCIES):
        teller.add(event)
    zeros = {"1": 1, "2": 0, "3": 0}
    targets = {"infrastructure_projects": 1, "national_applications": 1, "services": zeros}
    plan: JsonObject = {"name": TEXT, "starts_on": "2006-01-01", "ends_on": "2010-12-31", "targets": targets}
    teller.tell("yesser", "plan.adopted", plan_id="FIVE-YEAR", **plan)
    teller.collect("labour", "PPP-HEALTH", "R-EARLY")
    for agency, (partnership_id, partner_id) in OWNERS.items():
        _what_an_agency_does(teller, agency)
        teller.sign(agency, partnership_id, partner_id)
        for receipt_id in ("R-1", "R-2", "R-1"):
            teller.collect(agency, partnership_id, receipt_id)
        for period in ("2005-01", "2005-02"):
            teller.tell(agency, "revenue.period-closed", partnership_id=partnership_id, period=period)
    teller.collect("labour", "PPP-HEALTH", "R-STRANGER")
    teller.sign("labour", "PPP-HEALTH", "GLOBEX")
    return with_campaigns(teller.log)


def _what_an_agency_does(teller: Teller, agency: str) -> None:
    service = {"service_id": f"SVC-{agency}"}
    project: JsonObject = {"project_id": f"PRJ-{agency}"}
    first = {"plan_id": "FIVE-YEAR", "name": TEXT}
    phases = [{"phase": number, "name": TEXT} for number in (1, 2, 3)]
    initiative = {"initiative_id": f"INI-{agency}", "name": TEXT, "aim": TEXT, "on": "2006-01-01"}
    revoked = {"certificate_id": "NONE", "trainee": "trn_" + "a" * 16, "on": "2006-01-01", "reason": TEXT}
    facts: list[tuple[str, JsonObject]] = [
        ("service.registered", {**service, **first, "group": 1}),
        ("service.launched", {**service, "on": "2006-03-01", "channels": ["web"]}),
        ("service.suspended", {**service, "on": "2006-04-01", "reason": TEXT}),
        ("project.registered", {**project, **first, "kind": "national-application", "phases": phases}),
        ("project.phase-started", {**project, "phase": 1, "on": "2006-02-01"}),
        ("project.phase-completed", {**project, "phase": 1, "on": "2006-02-01"}),
        ("project.phase-started", {**project, "phase": 2, "on": "2006-05-01"}),
        ("training.revoked", revoked),
        ("awareness.initiative-announced", initiative),
    ]
    for fact, data in facts:
        teller.tell(agency, fact, **data)
