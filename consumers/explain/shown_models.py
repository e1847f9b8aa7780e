"""The read models by the names under which commands show them, with the fields of their documents (events.md §5).

The figures of `yesser plan` by the path of its document (events.md §5).

Projects and services count if they name the plan that is shown, whenever it was adopted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final

from consumers.documents.formulas import AND, PLUS, Both
from consumers.explain.figures import EVERYTHING, Figures, KeyFigures, Part, Scope, column, counted, own_row
from consumers.explain.models import CAMPAIGN_TYPES, Model, parse_key, table_model, table_models
from consumers.explain.statement_model import STATEMENTS, partnership_figures
from consumers.programme.campaigns.consumer import CONSUMER as CAMPAIGNS
from consumers.programme.campaigns.rows import AIRING, CAMPAIGN, COVERAGE
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.programme.projections.handlers import activity, plan, projects, services, training
from consumers.programme.projections.handlers.projects import PROJECT
from consumers.programme.projections.handlers.services import SERVICE
from consumers.programme.projections.handlers.training import QUOTA
from consumers.replay.fold.anomaly import ANOMALY_COUNT
from consumers.replay.fold.consumer import Consumer
from consumers.revenue.consumer import CONSUMER as REVENUE
from consumers.revenue.rows import ACCOUNT, CONTRACT
from events.values.bilingual import Bilingual
from events.wire.entry import Entry
from infra.postgres.unit_of_work import Key, Table, UnitOfWork

CHANNELS: Final = ("tv", "radio", "print")
_COUNTING: Final = (
    (PROJECTIONS, Bilingual("تناقضات الخطة", "anomalies of the plan")),
    (CAMPAIGNS, Bilingual("تناقضات الحملات", "anomalies of campaigns")),
    (REVENUE, Bilingual("تناقضات حصة الإيرادات", "anomalies of the revenue share")),
)
"""The consumers that count anomalies."""
_COUNTS: Final = ("registered", "launched", "live", "suspended", "retired")

SHOWN_PLAN: Final = KeyFigures(
    {"plan_id": column(PROJECTIONS, plan.SHOWN_PLAN, {}, "plan_id")}, Scope(types=plan.TYPES)
)
"""The plan that is shown."""
Where = Mapping[str, Any]
_RUNNING: Final = Bilingual("لم تكتمل الحملة", "the campaign is not completed")
_SUSPENDED: Final = Bilingual("خدمتها موقوفة", "its service is suspended")


def shown_plan_id(entries: Iterable[Entry]) -> str | None:
    """The plan that is shown after these entries; only those of plans count."""
    rows = UnitOfWork()
    for table in plan.TABLES:
        rows.adopt(table, (), whole=True)
    for entry in entries:
        plan.apply(rows, entry)
    plan_row = plan.shown(rows)
    return None if plan_row is None else plan_row.plan_id


def _target(of: Callable[[Mapping[str, Any]], int]) -> Part:
    return counted(PROJECTIONS, plan.SHOWN_PLAN, {}, lambda row: of(row.targets))


def _infrastructure(plan_id: str | None) -> KeyFigures:
    where = {"kind": "infrastructure", "plan_id": plan_id}

    def count(of: Callable[[Any], int]) -> Part:
        return counted(PROJECTIONS, projects.PROJECT, where, of)

    figures = {
        "target": _target(lambda targets: int(targets["infrastructure_projects"])),
        "registered": count(lambda row: 1),
        "completed": count(lambda row: int(row.completed == row.phases)),
        "cancelled": count(lambda row: int(row.cancelled)),
    }
    return KeyFigures(figures, Scope(types=plan.TYPES | projects.TYPES))


def _applications(plan_id: str | None) -> KeyFigures:
    where = {"kind": "national-application", "plan_id": plan_id}
    figures = {
        "target": _target(lambda targets: int(targets["national_applications"])),
        "registered": counted(PROJECTIONS, projects.PROJECT, where),
    }
    return KeyFigures(figures, Scope(types=plan.TYPES | projects.TYPES))


def _application(plan_id: str | None, project_id: str) -> KeyFigures:
    where = {"kind": "national-application", "plan_id": plan_id, "project_id": project_id}
    figures = {
        name: column(PROJECTIONS, projects.PROJECT, where, name)
        for name in ("phases", "started", "completed", "cancelled")
    }
    figures["agency"] = column(PROJECTIONS, projects.PROJECT, where, "owner")
    return KeyFigures(figures, Scope(f"project/{project_id}"), own_row(PROJECTIONS, projects.PROJECT, where))


def _all_services(plan_id: str | None) -> KeyFigures:
    target = _target(lambda targets: sum(targets["services"].values()))
    return KeyFigures({"target": target}, Scope(types=plan.TYPES))


def _group(plan_id: str | None, group: str) -> KeyFigures:
    where = {"plan_id": plan_id, "group_number": int(group)}
    figures = {"target": _target(lambda targets: int(targets["services"][group]))}
    figures |= {name: counted(PROJECTIONS, services.SERVICE_GROUP, where, attrgetter(name)) for name in _COUNTS}
    return KeyFigures(figures, Scope(types=plan.TYPES | services.TYPES))


def training_figures(calendar: str, year: int, track: str) -> dict[str, Part]:
    """A row of `training`; certificates count whether the quota was set before or after them."""
    where = {"calendar": calendar, "year": year, "track": track}

    def count(of: Callable[[Any], int]) -> Part:
        return counted(PROJECTIONS, training.TRAINING_COUNT, where, of)

    return {
        "quota": column(PROJECTIONS, training.QUOTA, where, "seats"),
        "certified": count(lambda row: int(row.certified)),
        "revoked": count(lambda row: int(row.revoked)),
        "net": count(lambda row: int(row.certified - row.revoked)),
    }


def training_row(calendar: str, year: int, track: str) -> KeyFigures:
    """The same, with the quota that it stands for."""
    where = {"calendar": calendar, "year": year, "track": track}
    row = own_row(PROJECTIONS, training.QUOTA, where)
    return KeyFigures(training_figures(calendar, year, track), Scope(types=training.TYPES), row)


def _awareness(plan_id: str | None) -> KeyFigures:
    def covered(channels: tuple[str, ...]) -> Part:
        return counted(
            CAMPAIGNS,
            COVERAGE,
            {},
            lambda row: int(row.launched_index is not None and all(getattr(row, name) > 0 for name in channels)),
        )

    figures = {
        "launched_services": counted(
            PROJECTIONS, services.SERVICE, {}, lambda row: int(row.launched_index is not None)
        ),
        **{f"aired.{channel}": covered((channel,)) for channel in CHANNELS},
        "on_all_three": covered(CHANNELS),
        "general_campaigns": counted(
            CAMPAIGNS, CAMPAIGN, {"kind": "general"}, lambda row: int(row.triggered_index is not None)
        ),
        "reach": counted(CAMPAIGNS, AIRING, {}, attrgetter("reach")),
    }
    return KeyFigures(figures, Scope(types=CAMPAIGN_TYPES | training.TYPES))


def _partnership(plan_id: str | None, partnership_id: str) -> KeyFigures:
    row = own_row(REVENUE, CONTRACT, {"partnership_id": partnership_id})
    return KeyFigures(partnership_figures(partnership_id), Scope(f"partnership/{partnership_id}"), row)


def _anomalies(plan_id: str | None) -> KeyFigures:
    counts = [
        Part(consumer, ANOMALY_COUNT, {}, lambda row: row.count, "sum", consumer.name, name)
        for consumer, name in _COUNTING
    ]
    return KeyFigures({"count": Both(PLUS, Both(PLUS, counts[0], counts[1]), counts[2])}, EVERYTHING)


def _refusals(plan_id: str | None) -> KeyFigures:
    count = counted(PROJECTIONS, activity.REFUSALS, {}, attrgetter("count"))
    return KeyFigures({"count": count}, Scope(types=frozenset({activity.REFUSED})))


_PATHS: Final[tuple[tuple[str, str, Callable[..., KeyFigures]], ...]] = (
    ("plan", "plan", lambda plan_id: SHOWN_PLAN),
    ("infrastructure", "infrastructure", _infrastructure),
    ("national_applications", "national_applications", _applications),
    ("national_applications/PROJECT", "national_applications/([^/]+)", _application),
    ("services", "services", _all_services),
    ("services/GROUP", "services/([123])", _group),
    (
        "training/CALENDAR/YEAR/TRACK",
        "training/([^/]+)/([0-9]{1,4})/([^/]+)",
        lambda plan_id, calendar, year, track: training_row(calendar, int(year), track),
    ),
    ("awareness", "awareness", _awareness),
    ("partnerships/PARTNERSHIP", "partnerships/([^/]+)", _partnership),
    ("anomalies", "anomalies", _anomalies),
    ("refusals", "refusals", _refusals),
)
"""Form of the key → its pattern → its figures, of the plan that is shown."""


def _parse(text: str) -> Key | None:
    matching = (
        (number, match.groups())
        for number, (_, pattern, _) in enumerate(_PATHS)
        if (match := re.fullmatch(pattern, text)) is not None
    )
    return next(matching, None)


PLAN: Final = Model(
    "plan",
    ", ".join(form for form, _, _ in _PATHS),
    (),
    _parse,
    lambda key, plan_id: _PATHS[key[0]][2](plan_id, *key[1]),
    needs_plan=True,
)


def _columns(consumer: Consumer, table: Table[Any], **names: str) -> Callable[[Where], Figures]:
    """Columns by the names of a document."""
    return lambda where: {shown: column(consumer, table, where, name) for shown, name in names.items()}


def _campaigns(where: Where) -> Figures:
    campaign_id = where["campaign_id"]

    def is_suspended(row: Any) -> int:
        return int(campaign_id in row.campaign_ids and bool(row.suspended_from))

    suspended = Part(CAMPAIGNS, COVERAGE, {}, is_suspended, "sum", "suspended", _SUSPENDED)
    running = Part(CAMPAIGNS, CAMPAIGN, where, lambda row: row.completed_index is None, "value", "running", _RUNNING)
    return {
        "state": column(CAMPAIGNS, CAMPAIGN, where, "state"),
        "paused": Both(AND, running, suspended),
        "reach": counted(CAMPAIGNS, AIRING, where, attrgetter("reach")),
    }


def _accounts(where: Where) -> Figures:
    return {"balance_halalas": Part(REVENUE, ACCOUNT, where, lambda row: row.debits_halalas - row.credits_halalas)}


def _activity_model() -> Model:
    """An agency's accepted events of a type, or with `refusals` in its place its refused records."""
    events = table_model("activity", PROJECTIONS, activity.ACTIVITY)
    refused = table_model("activity", PROJECTIONS, activity.REFUSALS)

    def figures(key: Key, plan_id: str | None) -> KeyFigures:
        return refused.figures(key[:1], plan_id) if key[1] == "refusals" else events.figures(key, plan_id)

    return Model("activity", "AGENCY/TYPE", events.fields, events.parse, figures)


@cache
def models() -> Mapping[str, Model]:
    """All read models by name; those that commands show come first."""
    shown = (
        PLAN,
        table_model(
            "services",
            PROJECTIONS,
            SERVICE,
            _columns(PROJECTIONS, SERVICE, agency="owner", group="group_number", state="state"),
        ),
        table_model("projects", PROJECTIONS, PROJECT, _columns(PROJECTIONS, PROJECT, agency="owner", state="state")),
        Model(
            "training",
            "CALENDAR/YEAR/TRACK",
            tuple(training_figures("", 0, "")),
            lambda text: parse_key(QUOTA, text),
            lambda key, plan_id: training_row(*key),
        ),
        table_model("campaigns", CAMPAIGNS, CAMPAIGN, _campaigns),
        table_model("coverage", CAMPAIGNS, COVERAGE),
        table_model("partnerships", REVENUE, CONTRACT, lambda where: partnership_figures(where["partnership_id"])),
        STATEMENTS,
        table_model("accounts", REVENUE, ACCOUNT, _accounts),
        _activity_model(),
    )
    return MappingProxyType({model.name: model for model in shown} | table_models())
