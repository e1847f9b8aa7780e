"""Reads why a campaign was triggered or not: the evaluations of the rules, the campaigns, and what prevents one.

A question names a campaign, a service, a quota (`gregorian/2026/usage`), a group of a plan (`PLAN/1`) or an initiative.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import asdict

from consumers.documents.campaigns.evaluations import (
    Evaluation,
    ExplainedCampaign,
    Explanation,
    Facts,
    Subject,
    WaitingFact,
)
from consumers.documents.document import Name, document_of, documents_of
from consumers.documents.log.entries import PAGE_ROWS_MAX
from consumers.programme.campaigns.consumer import CONSUMER
from consumers.programme.campaigns.handlers.not_aired import MEDIA, due_at
from consumers.programme.campaigns.handlers.rules import WHY_NOT
from consumers.programme.campaigns.handlers.texts import fill
from consumers.programme.campaigns.rows import COVERAGE, Coverage
from consumers.programme.campaigns.rules.rule import GROUP_COMPLETED, NOT_AIRED, QUOTA_MET, RuleSet
from consumers.programme.projections.handlers.services import SERVICE, Service
from consumers.replay.as_of.view import View
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.replay.event_index.read import Query, find
from events.values.bilingual import Bilingual
from events.values.working_days import riyadh_date
from infra.postgres.connection import Connection
from infra.postgres.row_storage import load
from infra.postgres.sql import queries
from infra.postgres.unit_of_work import UnitOfWork

CONSUMERS: Final = (CONSUMER, EVENT_INDEX)
ROWS_MAX: Final = 50
"""Most evaluations and anomalies that are shown, the last ones first, and most waiting facts."""

_SQL: Final = queries("consumers.programme.campaigns.explain", "read.sql")
_CAMPAIGN: Final = re.compile(r"([a-z][a-z0-9-]{0,39})\.i([0-9]{1,15})(?:\..+)?")
_QUOTA: Final = re.compile(r"(gregorian|umm-al-qura)[/-]([0-9]{4})[/-](usage|specialist|leadership)")
_GROUP: Final = re.compile(r"(.+)/([123])")
_AGAIN: Final = "already-certified"
LAUNCHED: Final = "service.launched"
_SENTENCES: Final = {
    "waiting": Bilingual(
        "الخدمة غير مسجّلة، وتنتظر تسجيلها وقائع: {count}؛ أولها القيد {cause} ({type}) من {agency}.",
        "The service is not registered. Facts that wait for it: {count}; the first is entry {cause} ({type}) of "
        "{agency}.",
    ),
    "not-launched": Bilingual("لم تُطلق الخدمة بعد.", "The service is not launched."),
    "suspended": Bilingual(
        "الخدمة موقوفة منذ {on}: حملاتها موقوفة معها.",
        "The service is suspended since {on}: its campaigns are paused.",
    ),
    "retired": Bilingual("أُنهيت الخدمة.", "The service is retired."),
    "not-aired": Bilingual(
        "القاعدة {rule}: بلا بث عبر {medium}؛ تُطلق في {on} إن لم يُبث قبله.",
        "Rule {rule}: no airing on {medium}; it fires on {on} if there is none before.",
    ),
    "no-rule": Bilingual("لا قاعدة عن {moment}.", "No rule is about {moment}."),
    "plan-not-shown": Bilingual(
        "الخطة {plan} ليست المعروضة: لا تُقيَّم مجموعاتها.",
        "Plan {plan} is not the one shown: its groups are not evaluated.",
    ),
    "adopted": Bilingual(
        "لا تقررها القواعد الحالية: قررتها قواعد سابقة أو مؤقِّت أو مكتب البرنامج، والسجل هو المرجع.",
        "The rules in force do not decide it: earlier rules, a timer or the office did. The log is authoritative.",
    ),
    "anomaly": Bilingual(
        "القيد {index} من {agency} لم يغيّر شيئاً: {rule}.",
        "Entry {index} of {agency} changed nothing: {rule}.",
    ),
    "too-early": Bilingual(
        "{id} تقررها القواعد الحالية عن القيد {index}، وهو أسبق منها: لم تُطلق ولن تُطلق.",
        "The rules in force decide {id} for entry {index}, which is earlier than they are: it was not and will not be "
        "triggered.",
    ),
    "on-its-way": Bilingual(
        "{id} تقررت بالقيد {index} ولم تدخل السجل بعد: هي في طريقها إليه.",
        "{id} was decided at entry {index} and is not in the log yet: it is on its way.",
    ),
}


async def explain(view: View, rules: RuleSet, name: str) -> Explanation | None:
    """The explanation, or None where the log has nothing of this name. The view shows `CONSUMERS`."""
    connection = await view.use(CONSUMER)
    found: Explanation | None = None
    if (match := _CAMPAIGN.fullmatch(name)) is not None:
        found = await _of_campaign(connection, _nothing(view, "campaign", name), match[1], int(match[2]))
    elif (match := _QUOTA.fullmatch(name)) is not None:
        key = match[1], int(match[2]), match[3]
        found = await _of_quota(connection, rules, _nothing(view, "quota", "/".join(match.groups())), key)
    elif (match := _GROUP.fullmatch(name)) is not None:
        found = await _of_group(connection, rules, _nothing(view, "group", name), match[1], int(match[2]))
    # A service's or an initiative's id can look like these. Events about a campaign that is none can come from anyone.
    if found is not None and (found.about.kind != "campaign" or found.campaigns or found.evaluations):
        return found
    service = await _of_service(view, rules, _nothing(view, "service", name))
    return service or await _of_initiative(view, _nothing(view, "initiative", name)) or found


def _nothing(view: View, kind: str, name: str) -> Explanation:
    """What is filled then."""
    about = Subject(kind=kind, id=name)
    return Explanation(log_index=view.log_index, about=about, facts=Facts(), remarks=[], evaluations=[], campaigns=[])


async def _of_campaign(connection: Connection, found: Explanation, rule: str, index: int) -> Explanation | None:
    await _add_campaigns(connection, found, [found.about.id])
    found.evaluations = await _decided(connection, "decided_campaign", found.about.id)
    if not found.evaluations:
        at = await _decided(connection, "decided_at", [index], ROWS_MAX)
        found.evaluations = [row for row in at if row.rule == rule]
    subject = f"campaign/{found.about.id}"
    anomalies = await connection.fetch(_SQL["anomalies"], subject, ROWS_MAX)
    found.remarks += [remark("anomaly", **{**row, "index": f"i{row['index']}"}) for row in anomalies]
    if found.campaigns and not found.evaluations:
        found.remarks.append(remark("adopted"))
    return found if found.campaigns or found.evaluations or anomalies else None


async def _of_service(view: View, rules: RuleSet, found: Explanation) -> Explanation | None:
    connection = await view.use(CONSUMER)
    service_id, rows = found.about.id, UnitOfWork()
    subject = f"service/{service_id}"
    await load(connection, rows, [(SERVICE, (service_id,)), (COVERAGE, (service_id,))])
    service, coverage = rows.get(SERVICE, service_id), rows.get(COVERAGE, service_id)
    if service is None:
        waiting = documents_of(WaitingFact, await connection.fetch(_SQL["waiting"], subject, ROWS_MAX))
        if not waiting:
            return None
        found.facts = Facts(registered=False, waiting=tuple(waiting))
        first = waiting[0]
        parts = {"cause": f"i{first.index}", "type": first.type, "agency": first.agency}
        found.remarks.append(remark("waiting", count=len(waiting), **parts))
        return found
    found.facts = Facts(
        registered=True,
        owner=service.owner,
        launched_on=service.launched_on,
        launched_index=service.launched_index,
        suspended_from=coverage.suspended_from if coverage else None,
        retired=service.retired,
    )
    found.remarks += _prevented(service, coverage, rules)
    found.evaluations = await _decided_about(view, subject)
    connection = await view.use(CONSUMER)
    ids = [row["campaign_id"] for row in await connection.fetch(_SQL["campaigns_of_service"], service_id)]
    await _add_campaigns(connection, found, ids)
    return found


async def _of_initiative(view: View, found: Explanation) -> Explanation | None:
    found.evaluations = await _decided_about(view, f"initiative/{found.about.id}")
    ids = [row.campaign_id for row in found.evaluations if row.campaign_id]
    await _add_campaigns(await view.use(CONSUMER), found, ids)
    return found if found.evaluations else None


async def _of_quota(
    connection: Connection, rules: RuleSet, found: Explanation, key: tuple[str, int, str]
) -> Explanation | None:
    quota = await connection.fetchrow(_SQL["quota"], *key)
    if quota is None:
        return None
    found.facts = document_of(Facts, quota)
    part = "-".join(map(str, key))
    names = _rules_about(rules, found, QUOTA_MET)
    found.evaluations = await _decided(connection, "decided_of_part", part, names, ROWS_MAX)
    await _add_fired(connection, found, part)
    runs = await connection.fetch(_SQL["runs"], part)
    found.evaluations += [_run(row) for row in runs]
    return found


async def _of_group(
    connection: Connection, rules: RuleSet, found: Explanation, plan_id: str, group: int
) -> Explanation | None:
    row = await connection.fetchrow(_SQL["group"], plan_id, group)
    if row is None:
        return None
    found.facts = document_of(Facts, row)
    if row["target"] is None:
        found.remarks.append(remark("plan-not-shown", plan=plan_id))
    names = _rules_about(rules, found, GROUP_COMPLETED)
    # An evaluation names its group and not its plan: only the plan that is shown is evaluated.
    found.evaluations = await _decided(connection, "decided_of_group", str(group), names, ROWS_MAX, plan_id)
    await _add_fired(connection, found, found.about.id)
    return found


def _rules_about(rules: RuleSet, found: Explanation, moment: str) -> list[str]:
    """The names of the rules about a figure; a remark where there are none."""
    names = [rule.name for rule in rules.about(moment)]
    if not names:
        found.remarks.append(remark("no-rule", moment=moment))
    return names


async def _add_fired(connection: Connection, found: Explanation, once: str) -> None:
    """The campaigns that rules about a figure fired, each once."""
    fired = await connection.fetch(_SQL["once"], once)
    await _add_campaigns(connection, found, [row["campaign_id"] for row in fired])


async def _decided_about(view: View, subject: str) -> list[Evaluation]:
    """The evaluations at the newest entries about a subject."""
    page = await find(await view.use(EVENT_INDEX), Query(subject=subject, rows_max=PAGE_ROWS_MAX, newest_first=True))
    connection = await view.use(CONSUMER)
    return await _decided(connection, "decided_at", [event.index for event in page.events], ROWS_MAX)


async def _decided(connection: Connection, query: str, *asked: Any) -> list[Evaluation]:
    return documents_of(Evaluation, await connection.fetch(_SQL[query], *asked))


async def _add_campaigns(connection: Connection, found: Explanation, ids: Sequence[str]) -> None:
    folds_from = await connection.fetchval(_SQL["folds_from"], CONSUMER.name) or 0
    for campaign_id in ids:
        row = await connection.fetchrow(_SQL["campaign"], campaign_id)
        if row is None:
            continue
        found.campaigns.append(document_of(ExplainedCampaign, row))
        if row["triggered_index"] is None:
            index = row["first_index"]  # the rules in force decide from `folds_from` on
            name = "too-early" if index < folds_from else "on-its-way"
            found.remarks.append(remark(name, id=campaign_id, index=f"i{index}"))


def _run(row: Mapping[str, Any]) -> Evaluation:
    """A run of evaluations at certificates, in the form of its last one."""
    parts = {"cause": f"i{row['last_index']}", "figure": row["figure"], "target": row["target"], "anomaly": _AGAIN}
    decided = {"rules_version": None, "fired": False, "campaign_id": None, "reason": fill(WHY_NOT[row["why"]], parts)}
    return document_of(Evaluation, row, cause_index=row["last_index"], **decided)


def remark(name: str, **parts: object) -> Name:
    """A sentence with its values."""
    return Name(**fill(asdict(_SENTENCES[name]), parts))


def _prevented(service: Service, coverage: Coverage | None, rules: RuleSet) -> Iterator[Name]:
    """What prevents a registered service's campaigns."""
    if not rules.about(LAUNCHED):
        yield remark("no-rule", moment=LAUNCHED)
    if service.launched_index is None:
        yield remark("not-launched")
    if coverage is not None and coverage.suspended_from is not None:
        yield remark("suspended", on=coverage.suspended_from)
    if service.retired:
        yield remark("retired")
    if service.launched_index is not None and coverage is not None and not service.retired:
        yield from _not_aired(coverage, rules)


def _not_aired(coverage: Coverage, rules: RuleSet) -> Iterator[Name]:
    """When the rules about the clock come due, for the channels without an airing."""
    for rule in rules.about(NOT_AIRED):
        due = due_at(rule, coverage)
        for channel in rule.channels:
            if due is not None and getattr(coverage, channel) == 0:
                yield remark("not-aired", rule=rule.name, medium=MEDIA[channel], on=riyadh_date(due))
