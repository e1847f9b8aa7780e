"""A halt shows the runbook's entry that quotes its words."""

from __future__ import annotations

import re

from consumers.console.pages.operations.routes import runbook_entry
from infra.errors import older_copy
from tests.every import every


@every(
    ("kind", "reason", "shown", "left_out"),
    [
        (
            "registrar",
            "a checkpoint of size 1729 was signed, but the database holds 1700 entries only (an older copy?)",
            "restored from an older copy",
            "chmod 600",
        ),
        ("registrar", "log.skey is gone, or was never brought to this machine", "standby", "older copy"),
        (
            "registrar",
            "The log's size in the database is not what its only writer knows.",
            "another program wrote to the log",
            "older copy",
        ),
        ("topic", "the batch at offset 17 is damaged", "checksum does not match", "lost its tail"),
        ("topic", "it ends at offset 4, before 9", "lost its tail", "checksum does not match"),
        (
            "consumer",
            "The entry that came as index 12 is not the one in the log's tree.",
            "yesser topics delete",
            "campaign rules",
        ),
        ("consumer", older_copy("the log's topic holds index 7", 7), "yesser recover", "topics delete"),
    ],
)
def test_the_entry_of_a_reason(kind: str, reason: str, shown: str, left_out: str) -> None:
    html = runbook_entry(kind, reason, "en").html
    assert [words in html for words in (shown, left_out, "<a ")] == [True, False, False]


def test_a_reason_that_nobody_quoted_shows_the_whole_section_in_the_readers_language() -> None:
    entry = runbook_entry("consumer", "something new", "en")
    assert entry.title == "A consumer is halted"
    for words in ("The campaign rules cannot be used", "Entry iN settles"):
        assert words in entry.html
    html = runbook_entry("topic", "it ends at offset 4, before 9", "ar").html
    assert '<em lang="en" dir="ltr">it ends at offset' in html
    assert re.search("[\u0600-\u06ff]{3}", html)
    assert runbook_entry("consumer", "something new", "ar").title == "توقف مستهلك"
