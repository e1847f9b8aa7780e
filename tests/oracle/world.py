"""The plan, training and the things that happen once: everything of §3 without an owner."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.oracle.calendars import date_parts
from tests.oracle.findings import Finding, verdict
from tests.oracle.log import EntryDict, JsonObject, sender, short_type
from tests.oracle.owned import OwnedThings

ONCE = {
    "partnership.workshop-announced": "already-announced",
    "partnership.workshop-held": "already-held",
    "partnership.framework-published": "already-published",
    "awareness.initiative-announced": "already-announced",
}
CALENDARS = ("gregorian", "umm-al-qura")


@dataclass
class Plans:
    """Targets of every adopted plan; the shown one is the last adopted."""

    targets: dict[str, JsonObject] = field(default_factory=dict)
    shown: str | None = None

    def judge(self, name: str, data: JsonObject) -> str | None:
        plan_id = data["plan_id"]
        if name == "plan.amended":
            if plan_id not in self.targets:
                return "unknown-plan"
        elif plan_id in self.targets:
            return "already-adopted"
        else:
            self.shown = plan_id
        self.targets[plan_id] = data["targets"]
        return None


@dataclass
class Certificate:
    """A certificate of one agency."""

    trainee: str
    track: str
    day: str
    revoked: bool = False

    def cells(self) -> list[tuple[str, int, str]]:
        """The quota in each calendar in which it counts, whether or not that quota is set."""
        return [(calendar, date_parts(self.day, calendar)[0], self.track) for calendar in CALENDARS]


@dataclass
class Training:
    """Quotas, certificates by agency and id, and how many each possible quota has."""

    quotas: dict[tuple[str, int, str], int] = field(default_factory=dict)
    certificates: dict[tuple[str, str], Certificate] = field(default_factory=dict)
    certified: dict[tuple[str, int, str], int] = field(default_factory=dict)
    revoked: dict[tuple[str, int, str], int] = field(default_factory=dict)

    def judge(self, name: str, data: JsonObject, agency: str) -> str | None:
        if name == "training.quota-set":
            self.quotas[data["calendar"], data["year"], data["track"]] = data["seats"]
            return None
        key = (agency, data["certificate_id"])
        known = self.certificates.get(key)
        if name == "training.certified":
            if known is not None:
                return "already-certified"
            self.certificates[key] = certificate = Certificate(data["trainee"], data["track"], data["on"])
            _count(self.certified, certificate)
            return None
        if known is None or known.revoked:
            return "unknown-certificate" if known is None else "already-revoked"
        if known.trainee != data["trainee"]:
            return "not-allowed-now"
        known.revoked = True
        _count(self.revoked, known)
        return None

    def row(self, cell: tuple[str, int, str]) -> JsonObject:
        """The line of `yesser plan` for that quota."""
        certified, revoked = self.certified.get(cell, 0), self.revoked.get(cell, 0)
        return {
            "calendar": cell[0],
            "year": cell[1],
            "track": cell[2],
            "quota": self.quotas[cell],
            "certified": certified,
            "revoked": revoked,
            "net": certified - revoked,
        }


def _count(tally: dict[tuple[str, int, str], int], certificate: Certificate) -> None:
    for cell in certificate.cells():
        tally[cell] = tally.get(cell, 0) + 1


@dataclass
class World:
    """Everything the projections judge."""

    plans: Plans = field(default_factory=Plans)
    owned: OwnedThings = field(default_factory=OwnedThings)
    training: Training = field(default_factory=Training)
    happened: set[tuple[str, str]] = field(default_factory=set)

    def apply(self, entry: EntryDict) -> list[Finding]:
        """Apply one entry; types that are none of the world's business give nothing."""
        event = entry["event"]
        name, agency = short_type(event), sender(event)
        room = name.partition(".")[0]
        if room in ("project", "service"):
            return self.owned.apply(entry)
        if room == "plan":
            return [verdict(entry, self.plans.judge(name, event["data"]), agency)]
        if room == "training":
            return [verdict(entry, self.training.judge(name, event["data"], agency), agency)]
        if name in ONCE:
            before = (name, event["subject"]) in self.happened
            self.happened.add((name, event["subject"]))
            return [verdict(entry, ONCE[name] if before else None, agency)]
        return []
