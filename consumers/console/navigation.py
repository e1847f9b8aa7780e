"""The console's main pages, and who sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from consumers.console.accounts.accounts import Role
from events.values.bilingual import Bilingual


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of the navigation. `path` is the beginning of all its pages' paths."""

    path: str
    name: Bilingual
    roles: frozenset[Role]


def _item(path: str, name: Bilingual, *roles: Role) -> Item:
    return Item(path, name, frozenset(roles))


ITEMS: Final = (
    _item("/plan", Bilingual("الخطة", "Plan"), "office", "agency", "team", "auditor"),
    _item("/campaigns", Bilingual("الحملات", "Campaigns"), "office", "agency", "team"),
    _item("/workspace", Bilingual("مساحة الجهة", "Workspace"), "office", "agency"),
    _item("/partnerships", Bilingual("الشراكات", "Partnerships"), "office", "agency", "partner", "treasury", "auditor"),
    _item("/audit", Bilingual("التدقيق", "Audit"), "office", "agency", "auditor"),
    _item("/operations", Bilingual("التشغيل", "Operations"), "administrator", "office"),
    _item("/approvals", Bilingual("الموافقات", "Approvals"), "administrator"),
)


def items_of(role: Role) -> tuple[Item, ...]:
    return tuple(item for item in ITEMS if role in item.roles)


def roles_of(path: str) -> frozenset[Role]:
    """Who may use the pages under `path`. Raises `KeyError`."""
    return {item.path: item.roles for item in ITEMS}[path]


OPEN_ENTRIES: Final = roles_of("/audit") | roles_of("/partnerships")
"""Who may open entries of the log, and read as a token of the same kind does. A campaign team is of an agency, whose
other entries and whose money are not for it."""


def home_of(role: Role) -> str:
    """The first page of a role: a team's is what it must do."""
    return "/campaigns" if role == "team" else items_of(role)[0].path
