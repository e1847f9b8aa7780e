"""Whose figures are whose, and what of an explanation each caller sees.

The plan, services, projects, training and coverage are the programme's: every agency may explain them, and of other
agencies' entries it sees index, type, agency and time. Money belongs to the partnership's agency and partner, and to
the treasury. Everything else is for the office and auditors.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import asdict, replace

from consumers.api.access import may_read
from consumers.documents.access_scope import EVERYTHING, AccessScope
from consumers.documents.log.explanations import Change, Explanation, Step
from consumers.programme.campaigns.consumer import CONSUMER as CAMPAIGNS
from consumers.replay.as_of.view import View
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE

PROGRAMME: Final = ("plan", "services", "projects", "training", "coverage")
"""Models that every agency may explain, without their money."""
_OF_THE_LOG: Final = ("anomalies", "refusals")
"""Keys of the plan that count events of every agency."""
_PRIVATE_CHANGES: Final = ("reach",)
"""Figures whose single steps belong to the agency that reported them."""
_OWNER: Final = "SELECT owner FROM campaign WHERE campaign_id = $1"


async def may_explain(view: View, scope: AccessScope, model: str, key: str) -> bool:
    """Whether the caller may read the figures of this key. The view has the tables of campaigns and revenue."""
    if scope == EVERYTHING:
        return True
    partnership_id = partnership_of(model, key)
    if partnership_id is not None:
        return await read.partnership(await view.use(REVENUE), partnership_id, scope) is not None
    if scope.agency is None:
        return False
    if model == "activity":
        return key.partition("/")[0] == scope.agency
    if model == "campaigns":
        return bool(await (await view.use(CAMPAIGNS)).fetchval(_OWNER, key) == scope.agency)
    return model in PROGRAMME and not (model == "plan" and key in _OF_THE_LOG)


def partnership_of(model: str, key: str) -> str | None:
    """The partnership that a figure is about; None for figures of something else."""
    match model:
        case "partnerships":
            return key
        case "statements":
            return key.partition("/")[0]
        case "accounts":
            return key.partition(":")[2]
        case "plan" if key.startswith("partnerships/"):
            return key.removeprefix("partnerships/")
    return None


def readable(document: Explanation, scope: AccessScope, *, is_money: bool) -> Explanation:
    """The explanation without what belongs to other agencies. Money is shown whole: its reader may read the terms."""
    if scope == EVERYTHING or is_money:
        return document
    steps = (step if may_read(scope, step.agency) else _closed(step) for step in document.steps)
    return replace(document, steps=tuple(steps))


def _closed(step: Step) -> Step:
    hidden = Change(None, None)
    changes = {name: hidden if name in _PRIVATE_CHANGES else change for name, change in step.changes.items()}
    return Step(**asdict(step) | {"id": None, "data": None, "changes": changes})
