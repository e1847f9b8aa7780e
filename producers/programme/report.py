"""What the demo prints: the plan and the ledger as their commands show them, then the proofs and the sign-ins.

The sign-ins are for the console: an account for each role, with a new password each time.
"""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from msgspec import UNSET, Struct

from events.values.bilingual import Bilingual
from events.values.money import riyals_text
from infra.command_line.display import Column, Grid, show
from infra.command_line.language import language, print_localized
from infra.process.subprocess_command import subprocess_command, typed_command
from infra.settings import Settings
from producers.programme.documents import Demo, SignIn, SignIns, Verification, read_json, run_json

AGENCY: Final = "health"
"""Whose campaigns are under way, and whose agency and team have accounts."""


def print_report(document: Demo) -> None:
    """The commands print to the same terminal, in the chosen language."""
    for command in (("plan",), ("ledger", "balances")):
        subprocess.run(subprocess_command(*command, "--lang", language()), check=True)
    show(verification_table(document.verification))
    print_localized(Bilingual("الزمن: {:.1f} ثانية", "{:.1f} s").format(document.seconds))
    if document.console is not UNSET:
        _print_console(document.console)


def verification_table(proofs: Verification) -> Grid:
    tree, rebuild, ledger = proofs.tree, proofs.rebuild, proofs.ledger
    models, rows = len(rebuild.read_models), sum(row.rows for row in rebuild.read_models)
    cells = [
        (
            Bilingual("شجرة كل القيود، موقّعة", "Signed tree of all entries"),
            _ok(tree.ok),
            Bilingual("قيود: {:,}", "{:,} entries").format(tree.size),
        ),
        (
            Bilingual("إعادة البناء تطابق الحالي", "Rebuilt equals live"),
            _ok(rebuild.ok),
            Bilingual("نماذج: {}، صفوف: {:,}", "{} models, {:,} rows").format(models, rows),
        ),
        (
            Bilingual("مجموع الدفتر صفر", "The ledger sums to zero"),
            _ok(ledger.ok),
            Bilingual("{} ريال", "SAR {}").format(riyals_text(ledger.sum_halalas)),
        ),
    ]
    columns = [Column("البرهان", "Proof"), Column("النتيجة", "Result"), Column("التفصيل", "Details")]
    return Grid(Bilingual("التحقق، والجذر {}", "Verification of the root {}").format(tree.root), columns, cells)


def _print_console(console: SignIns) -> None:
    columns = [Column("المستخدم", "Username"), Column("كلمة المرور", "Password")]
    title = Bilingual("الواجهة: {}", "The console: {}").format(console.address).plain()
    show(Grid(title, columns, [(account.username, account.password) for account in console.accounts]))
    inbox, stop = (f"{typed_command()} {words}" for words in (f"campaigns inbox --agency {AGENCY}", "down"))
    print_localized(
        Bilingual("لعرض ما ينتظر: {}", "To see what waits: {}").format(inbox),
        Bilingual("لإيقاف النظام: {}", "To stop: {}").format("make down" if "MAKELEVEL" in os.environ else stop),
    )


def _ok(is_ok: bool) -> Bilingual:
    return Bilingual("سليم", "ok") if is_ok else Bilingual("فشل", "FAILED")


TEAM: Final = "press"
_ACCOUNTS: Final = {
    "office": ("office",),
    "agency": ("agency", "--agency", AGENCY),
    "team": ("team", "--agency", AGENCY, "--team", TEAM),
    "partner": ("partner", "--partner", "commerce/DIGITAL-TRANSACTIONS"),
    "treasury": ("treasury",),
    "auditor": ("auditor",),
    "administrator": ("administrator",),
}
"""Username → its role and whose it is."""


class _Row(Struct):
    """What is read of accounts and teams."""

    username: str = ""
    password: str = ""
    team: str | None = None


def sign_ins(settings: Settings) -> SignIns:
    """The console's address, and an account for each role. The campaign team is added where it is missing."""
    if all(row.team != TEAM for row in read_json(list[_Row], "teams", "list", AGENCY)):
        names = ("--name-ar", "المكتب الصحفي", "--name-en", "Press office")
        run_json("teams", "add", AGENCY, TEAM, *names, "--contact", "press@health.example")
        run_json("subscriptions", "add", AGENCY, TEAM, "--route", "email")
    known = {row.username for row in read_json(list[_Row], "accounts", "list")}

    def account(username: str) -> SignIn:
        how = _ACCOUNTS[username]
        words = ("password", username) if username in known else ("add", username, "--role", *how)
        return SignIn(username, how[0], read_json(_Row, "accounts", *words).password)

    with ThreadPoolExecutor() as pool:  # each waits for a process of its own
        return SignIns(settings.console_link, [*pool.map(account, _ACCOUNTS)])
