"""What a rule is, and the moments that a rule can be about, with their owners and placeholders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from string import Formatter
from typing import Final, Literal, TypeAlias

Text: TypeAlias = dict[str, str]
"""`{"ar": …, "en": …}`"""

Kind = Literal["specific", "general"]
Owner = Literal["service-owner", "announcer", "office"]
Urgency = Literal["normal", "high"]

NOT_AIRED: Final = "not-aired"
GROUP_COMPLETED: Final = "group-completed"
QUOTA_MET: Final = "quota-met"


@dataclass(frozen=True, slots=True)
class Moment:
    """What a rule can be about. `suffix_max` = the longest that follows `{rule}.i{index}` in a campaign's id."""

    owners: tuple[Owner, ...]
    placeholders: Mapping[str, int]
    specific: bool = False
    suffix_max: int = 0


NAME_MAX: Final = 800
"""Longest name, aim, topic or reason inside a text; two of them and the template stay below 2,000 characters."""
OWNER_MAX: Final = 200
ADDRESS_MAX: Final = 500
"""A longer address is not shown: a part of it leads nowhere."""

_ANY: Final = {"cause": 18, "owner": OWNER_MAX}
_SERVICE: Final = {
    **_ANY,
    "name": NAME_MAX,
    "service_id": 64,
    "address": ADDRESS_MAX,
    "channels": 80,
    "launched_on": 10,
    "launched_on_hijri": 10,
    "group": 1,
    "plan_id": 64,
}
_ONE_SERVICE: Final = Moment(("service-owner", "office"), _SERVICE, specific=True)
_NAMED_ON: Final = {**_ANY, "on": 10, "on_hijri": 10}
_WORKSHOP: Final = Moment(("announcer", "office"), {**_NAMED_ON, "topic": NAME_MAX, "place": OWNER_MAX})

MOMENTS: Final[Mapping[str, Moment]] = {
    "service.launched": _ONE_SERVICE,
    "service.resumed": _ONE_SERVICE,
    "service.retired": _ONE_SERVICE,
    "awareness.initiative-announced": Moment(("announcer", "office"), {**_NAMED_ON, "name": NAME_MAX, "aim": NAME_MAX}),
    "partnership.workshop-announced": _WORKSHOP,
    "partnership.workshop-held": _WORKSHOP,
    "partnership.framework-published": Moment(
        ("announcer", "office"), {**_NAMED_ON, "title": NAME_MAX, "legal_basis": NAME_MAX}
    ),
    GROUP_COMPLETED: Moment(
        ("office",), {**_ANY, "plan_id": 64, "group": 1, "figure": 16, "target": 16}, suffix_max=len(".3")
    ),
    QUOTA_MET: Moment(
        ("office",),
        {**_ANY, "track": 12, "year": 12, "figure": 16, "target": 16},
        suffix_max=len(".umm-al-qura-1447-leadership"),
    ),
    NOT_AIRED: Moment(
        ("service-owner", "office"),
        {**_SERVICE, "medium": 8, "days": 4},
        specific=True,
        suffix_max=len(".radio"),
    ),
}
"""Moment → what a rule about it can say. Types of events, and three figures: the launched services of a group reach the
target, the net certificates of a quota its seats, and a launched service has not been aired on a channel for some days.
Values of placeholders are their longest texts in characters."""


@dataclass(frozen=True)
class Rule:
    """One rule. It fires at each of its moments or, where these have a figure, when the figure reaches the target.

    `after_working_days` is that of `not-aired`, else 0. `file` and `sha256` are of its file: the hash counts what the
    rule says, neither comments nor layout.
    """

    name: str
    version: int
    when: str
    kind: Kind
    owner: Owner
    channels: tuple[str, ...]
    due_working_days: int
    brief: Text
    reason: Text
    urgency: Urgency = "normal"
    after_working_days: int = 0
    file: str = ""
    sha256: str = ""

    @cached_property
    def placeholders(self) -> frozenset[str]:
        """The placeholders that its texts use."""
        texts = (*self.brief.values(), *self.reason.values())
        return frozenset(name for text in texts for _, name, _, _ in Formatter().parse(text) if name)


@dataclass(frozen=True)
class RuleSet:
    """The rules in force. `own` says that a deployment gave them, and not the release."""

    rules: tuple[Rule, ...]
    own: bool = False
    _by_moment: Mapping[str, tuple[Rule, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_moment: dict[str, tuple[Rule, ...]] = {}
        for rule in self.rules:
            by_moment[rule.when] = (*by_moment.get(rule.when, ()), rule)
        object.__setattr__(self, "_by_moment", by_moment)

    @cached_property
    def version(self) -> int:
        """That of the set: the highest of its rules. Each trigger names it."""
        return max((rule.version for rule in self.rules), default=1)

    @cached_property
    def names_owner(self) -> bool:
        """Whether a text names its owner: then the names of the agencies are needed."""
        return any("owner" in rule.placeholders for rule in self.rules)

    def about(self, moment: str) -> tuple[Rule, ...]:
        """The rules about a moment, by name."""
        return self._by_moment.get(moment, ())
