"""The read models by the names under which commands show them, with the fields of their documents (events.md §5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final

from consumers.documents.formulas import AND, Both
from consumers.explain.figures import Figures, KeyFigures, Part, column, counted
from consumers.explain.models import Model, parse_key, table_model, table_models
from consumers.explain.plan_model import PLAN, training_figures, training_row
from consumers.explain.statement_model import STATEMENTS, partnership_figures
from consumers.programme.campaigns.consumer import CONSUMER as CAMPAIGNS
from consumers.programme.campaigns.rows import AIRING, CAMPAIGN, COVERAGE
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.programme.projections.handlers import activity
from consumers.programme.projections.handlers.projects import PROJECT
from consumers.programme.projections.handlers.services import SERVICE
from consumers.programme.projections.handlers.training import QUOTA
from consumers.replay.fold.consumer import Consumer
from consumers.revenue.consumer import CONSUMER as REVENUE
from consumers.revenue.rows import ACCOUNT, CONTRACT
from events.values.bilingual import Bilingual
from infra.postgres.unit_of_work import Key, Table

Where = Mapping[str, Any]
_RUNNING: Final = Bilingual("لم تكتمل الحملة", "the campaign is not completed")
_SUSPENDED: Final = Bilingual("خدمتها موقوفة", "its service is suspended")


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
