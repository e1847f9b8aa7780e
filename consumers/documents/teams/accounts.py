"""Accounts of the console: who may sign in."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Struct

from consumers.documents.document import Label, Labelled, Listing, Time
from consumers.documents.teams.teams import ReadsFirst


class AccountRole(Labelled):
    OFFICE = "office", "مكتب البرنامج", "Programme office"
    AGENCY = "agency", "جهة", "Agency"
    TEAM = "team", "فريق الحملات", "Campaign team"
    PARTNER = "partner", "شريك", "Partner"
    TREASURY = "treasury", "الخزينة", "Treasury"
    AUDITOR = "auditor", "مدقق", "Auditor"
    ADMINISTRATOR = "administrator", "مدير النظام", "Administrator"


class AccountOfConsole(Struct, frozen=True, kw_only=True):
    """`is_sealed`: or its row was changed in the database, and it signs nobody in."""

    username: Annotated[str, Label("الحساب", "Account")]
    role: Annotated[AccountRole, Label("الدور", "Role")]
    holder: Annotated[str | None, Label("الجهة", "Agency", drop=1)]
    team: Annotated[str | None, Label("الفريق", "Team", drop=1)]
    partners: Annotated[tuple[str, ...], Label("الشركاء", "Partners", drop=2)]
    language: ReadsFirst
    must_change_password: bool
    oidc_subject: Annotated[str | None, Label("المعرّف لدى مزود الهوية", "Subject", drop=3)]
    created_at: Time
    last_sign_in_at: Annotated[Time | None, Label("آخر دخول", "Last sign-in", drop=4)]
    disabled_at: Annotated[Time | None, Label("عُطّل", "Disabled")]
    has_password: bool
    is_sealed: Annotated[bool, Label("مختوم", "Sealed")]


ACCOUNTS: Final = Listing("الحسابات", "Accounts", AccountOfConsole)
