"""Why a campaign is late, or is not: the condition in words, with its dates, and as a result."""

from __future__ import annotations

from operator import lt
from typing import Final

from consumers.documents.campaigns.campaigns import CampaignAndHistory, NextAction
from consumers.documents.formulas import Amount, Both, Sign, derived
from consumers.documents.log.explanations import DerivedFigure
from events.values.bilingual import Bilingual

_BEFORE: Final = Sign(Bilingual("{} قبل {}", "{} is before {}"), "{} < {}", lt)
_AND: Final = Sign(Bilingual("{}، و{}", "{}, and {}"), "{}; {}", lambda left, right: bool(left and right))
_MISSING: Final = Bilingual("لم تُستلم أو لم تُبث في كل قنواتها", "it is not acknowledged, or a channel has no airing")
LATE: Final = Both(
    _AND,
    Both(_BEFORE, Amount("due_on", Bilingual("الموعد", "its due date")), Amount("today", Bilingual("اليوم", "today"))),
    Amount("missing", _MISSING),
)
"""As the inbox says it: late, and not only its completion is missing. A paused one has no next step."""


def lateness(campaign: CampaignAndHistory, today: str) -> DerivedFigure:
    """`value`: whether the campaign is late on the civil date `today`."""
    step = campaign.next_action
    missing = step.value if step in (NextAction.ACKNOWLEDGE, NextAction.AIR) else None
    amounts = {"due_on": campaign.due_on, "today": today, "missing": missing}
    return derived("overdue", LATE, lambda amount: amounts[amount.name])
