"""The read models whose figures can be explained: those that commands show, and every table by its name in commitments.

A model gives, for a key, its figures by field and the entries that can change them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from consumers.explain.figures import EVERYTHING, Figures, KeyFigures, Scope, column, own_row
from consumers.models.registry import CONSUMERS
from consumers.programme.campaigns.handlers import lifecycle
from consumers.programme.campaigns.rows import COVERAGE
from consumers.programme.projections.handlers import (
    activity,
    one_time_events,
    pending_events,
    plan,
    projects,
    services,
    training,
)
from consumers.proof.commitments.claims import read_model_name
from consumers.replay.fold import anomaly
from consumers.replay.fold.consumer import Consumer
from consumers.revenue.consumer import HANDLERS
from consumers.revenue.rows import ACCOUNT
from events.errors import YesserError
from infra.postgres.unit_of_work import Key, Table

CAMPAIGN_TYPES: Final = (
    plan.TYPES
    | services.TYPES
    | one_time_events.TYPES
    | {"registry.agency-registered", "campaign.triggered"}
    | lifecycle.REPORTS
    | lifecycle.NOTICES
)
"""What can change a campaign, but for those of quotas."""
PROJECTION_TYPES: Final = plan.TYPES | projects.TYPES | services.TYPES | training.TYPES | one_time_events.TYPES
_OF_QUOTA: Final = re.compile(r"(^|\.)(gregorian|umm-al-qura)-[0-9]+-[a-z]+$")
_COLUMN_FORMS: Final = {"subject": "[^/]+/[^/]+", "part": ".*"}


class NoSuchKey(YesserError):
    """The read model has no such key."""


class WrongName(YesserError, ValueError):
    """There is no such read model or field, or the key has another form."""


@dataclass(frozen=True, slots=True)
class Model:
    """A read model. `key_form` names the parts of a key; `figures` takes them and, if `needs_plan`, the shown plan's
    id. `fields` are those of any key."""

    name: str
    key_form: str
    fields: tuple[str, ...]
    parse: Callable[[str], Key | None]
    figures: Callable[[Key, str | None], KeyFigures]
    needs_plan: bool = False


def scope_of(consumer: Consumer, table: Table[Any], key: Mapping[str, Any]) -> Scope:
    """The entries that can change a row of a table."""
    if consumer.name == "revenue":
        partnership = key.get("partnership_id")
        if table is ACCOUNT:
            partnership = key["account"].partition(":")[2]
        return Scope(types=frozenset(HANDLERS)) if partnership is None else Scope(f"partnership/{partnership}")
    if consumer.name == "campaigns":
        return _campaign_scope(table, key)
    if consumer.name != "projections" or table in anomaly.TABLES:
        return Scope(types=PROJECTION_TYPES) if consumer.name == "projections" else EVERYTHING
    if table is projects.PROJECT:
        return Scope(f"project/{key['project_id']}")
    if table is services.SERVICE:
        return Scope(f"service/{key['service_id']}")
    if "subject" in key:
        return Scope(key["subject"])
    if table is activity.ACTIVITY:
        return Scope(agency=key["agency"])
    if table is activity.REFUSALS:
        return Scope(types=frozenset({activity.REFUSED}))
    if table is training.CERTIFICATE:
        return Scope(types=training.TYPES, agency=key["agency"])
    for domain in (plan, services, training):
        if table in domain.TABLES:
            return Scope(types=domain.TYPES)
    return Scope(types=projects.TYPES | services.TYPES)


def _campaign_scope(table: Table[Any], key: Mapping[str, Any]) -> Scope:
    """Certificates are most entries, and change only what is about quotas: `CALENDAR-YEAR-TRACK` in a key."""
    about = key.get("part") or key.get("campaign_id", "")
    is_apart = table in (COVERAGE, services.SERVICE, services.SERVICE_GROUP, *pending_events.TABLES)
    if is_apart or (about and _OF_QUOTA.search(about) is None):
        return Scope(types=CAMPAIGN_TYPES)
    return Scope(types=CAMPAIGN_TYPES | training.TYPES)


def parse_key(table: Table[Any], text: str) -> Key | None:
    """The primary key that is written as its parts with slashes between; None if the text has another form."""
    forms = [
        _COLUMN_FORMS.get(name, "-?[0-9]{1,18}" if kind == "bigint" else "[^/]+")
        for name, kind in zip(table.key, table.key_types, strict=True)
    ]
    found = re.fullmatch("/".join(f"({form})" for form in forms), text)
    if found is None:
        return None
    values = zip(found.groups(), table.key_types, strict=True)
    return tuple(int(value) if kind == "bigint" else value for value, kind in values)


def key_text(key: Iterable[Any]) -> str:
    """A primary key as `parse_key` reads it."""
    return "/".join(map(str, key))


def table_model(
    name: str,
    consumer: Consumer,
    table: Table[Any],
    derived: Callable[[Mapping[str, Any]], Figures] = lambda key: {},
) -> Model:
    """A row of a table: its columns, and figures that are derived from it or from others."""
    shown = derived(dict.fromkeys(table.key, ""))
    own = [name for name in table.columns if name not in table.key and name not in shown]

    def figures(key: Key, plan_id: str | None) -> KeyFigures:
        where = dict(zip(table.key, key, strict=True))
        found = {**{name: column(consumer, table, where, name) for name in own}, **derived(where)}
        return KeyFigures(found, scope_of(consumer, table, where), own_row(consumer, table, where))

    fields = (*own, *shown)
    form = "/".join(name.upper() for name in table.key)
    return Model(name, form, fields, lambda text: parse_key(table, text), figures)


def table_models() -> dict[str, Model]:
    """Every table of every consumer, by its name in commitments."""
    found = ((consumer, table) for consumer in CONSUMERS.values() for table in consumer.tables)
    named = ((read_model_name(consumer, table.name), consumer, table) for consumer, table in found)
    return {name: table_model(name, consumer, table) for name, consumer, table in named}


def near(wrong: str, known: Iterable[str]) -> str:
    """A sentence that suggests what was meant; empty if nothing is similar."""
    names = list(known)
    found = get_close_matches(wrong, names, n=3) or [name for name in names if wrong and wrong in name][:3]
    return f" Did you mean {', '.join(found)}?" if found else ""
