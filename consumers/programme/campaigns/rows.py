"""The campaigns consumer's own rows, besides those of the plan, the services and the training figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from events.values.data import Data
from infra.postgres.unit_of_work import Table


@dataclass(slots=True)
class Campaign:
    """A campaign that a rule decided.

    It is visible only from its entry `campaign.triggered` on: until then `triggered_index` is None, it is not listed,
    and events about it are about an unknown campaign. From then on it has a `state`. `acknowledged_at` is the recorded
    time of the acknowledgement.
    `days_added` = the working days by which resumptions moved `due_on` from `triggered_due_on`, that of the trigger.
    `waiting` = pauses and resumptions to announce after the trigger. `tv`, `radio`, `print` count airings; their reach
    is summed on reading, because the sum may exceed a bigint.
    """

    campaign_id: str
    rule: str
    rules_version: int
    kind: str
    cause_index: int
    owner: str
    service_id: str | None
    channels: list[Any]
    due_on: str
    triggered_due_on: str
    brief: Data
    reason: Data
    urgency: str
    state: str | None = None
    days_added: int = 0
    waiting: list[Any] = field(default_factory=list)
    triggered_index: int | None = None
    acknowledged_index: int | None = None
    acknowledged_by: str | None = None
    acknowledged_at: str | None = None
    completed_index: int | None = None
    escalated: bool = False
    tv: int = 0
    radio: int = 0
    print: int = 0
    first_index: int = 0
    last_index: int = 0
    count: int = 0


@dataclass(slots=True)
class Airing:
    """An airing that counted: `airing_id` is unique within its campaign.

    `corrected_index`: the entry that gave its `reach` last, where `index` did not."""

    campaign_id: str
    airing_id: str
    index: int
    channel: str
    outlet: Data
    aired_on: str
    reach: int
    corrected_index: int | None


@dataclass(slots=True)
class Coverage:
    """The airings about a service, and whether its campaigns are paused.

    `launched_recorded` = recorded time of the launch. `suspended_from` = recorded date (Asia/Riyadh) of the last
    `suspended` that has no later `resumed`; retiring the service leaves it. `days_suspended` = the working days of all
    suspensions that ended. `tv`, `radio`, `print` count the airings of its specific campaigns.
    """

    service_id: str
    launched_index: int | None
    launched_recorded: str | None
    suspended_from: str | None
    days_suspended: int
    campaign_ids: list[Any]
    tv: int
    radio: int
    print: int
    first_index: int
    last_index: int
    count: int


@dataclass(slots=True)
class Evaluation:
    """A rule's decision on a cause: fired or not, and why.

    `index` is the entry at which it was decided: for a cause that was pending, that of `registered`.
    """

    rule: str
    cause_index: int
    part: str
    rules_version: int
    fired: bool
    campaign_id: str | None
    reason: Data
    index: int


@dataclass(slots=True)
class EvaluationRun:
    """The evaluations of a rule at certificates that did not fire, by `why`: one row for all of a quota (`part`).

    `figure` and `target` are those of the last one; none where the certificates changed nothing.
    """

    rule: str
    part: str
    why: str
    first_index: int
    last_index: int
    count: int
    figure: int | None
    target: int | None


@dataclass(slots=True)
class FiredOnce:
    """A rule that fires once for each `part` has fired: a group of a plan, a quota."""

    rule: str
    part: str
    campaign_id: str
    index: int


@dataclass(slots=True)
class Office:
    """The programme office that owns general campaigns: the first one registered."""

    slot: int
    code: str
    index: int


@dataclass(slots=True)
class AgencyName:
    """A registered agency and its name, for texts that name the owner."""

    code: str
    name: Data
    index: int


@dataclass(slots=True)
class Route:
    """An entry about a campaign that took effect, at `index` of the log: the teams of `owner` get them in this order.

    `type` is short, such as `campaign.triggered` or `awareness.campaign-aired`.
    """

    index: int
    campaign_id: str
    type: str
    owner: str
    service_id: str | None


SLOT: Final = 1
CAMPAIGN: Final = Table("campaign", Campaign, key=("campaign_id",))
AIRING: Final = Table("airing", Airing, key=("campaign_id", "airing_id"))
COVERAGE: Final = Table("coverage", Coverage, key=("service_id",))
EVALUATION: Final = Table("evaluation", Evaluation, key=("rule", "cause_index", "part"), append_only=True)
EVALUATION_RUN: Final = Table("evaluation_run", EvaluationRun, key=("rule", "part", "why"))
ONCE: Final = Table("once", FiredOnce, key=("rule", "part"))
OFFICE: Final = Table("office", Office, key=("slot",))
AGENCY_NAME: Final = Table("agency_name", AgencyName, key=("code",))
ROUTE: Final = Table("route", Route, key=("index",), append_only=True)

TABLES: Final[tuple[Table[Any], ...]] = (
    CAMPAIGN,
    AIRING,
    COVERAGE,
    EVALUATION,
    EVALUATION_RUN,
    ONCE,
    OFFICE,
    AGENCY_NAME,
    ROUTE,
)
SQL_FILES: Final = (("consumers.programme.campaigns", "tables.sql"),)
