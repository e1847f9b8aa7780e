"""The platform prints every message that the runbook quotes: the console finds the entry of a halt by these words."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import Final

from consumers.console.pages.operations.routes import FILES, PLACEHOLDER, QUOTED
from tests.contract.product_texts import text_of
from tests.every import every
from tests.paths import product_modules, syntax_of

HOLE: Final = "…"
"""What a message says of the moment: a number, a name, a file."""
NAME: Final = re.compile(r"\b(?:log|yesser|platform)\\\.\w+")
FOREIGN: Final = {
    "rejected SSL upgrade",
    "Error connecting",
    "Timed out",
    "STARTTLS",
    "certificate",
    "permission denied",
}
"""Words of PostgreSQL's driver and of mail servers."""


def quotes() -> list[str]:
    text = "\n".join(line for line in FILES["en"].read_text(encoding="utf-8").splitlines() if line[:1] in "|*")
    rows = [line.strip("|").split(" | ")[0] for line in text.splitlines() if line.startswith("|")]
    begins = [quoted[0] for line in text.splitlines() if (quoted := QUOTED.match(line))]
    found = [quoted[1] for part in [*rows, *begins] for quoted in QUOTED.finditer(part)]
    return [quoted for quoted in found if quoted not in FOREIGN]


@cache
def messages() -> str:
    """All texts of the platform in small letters, one a line, with holes where values go."""
    texts = {text_of(node) or "" for file in product_modules() for node in ast.walk(syntax_of(file))}
    return "\n".join(" ".join(text.split()) for text in texts).lower()


@every("quoted", quotes())
def test_the_platform_says_so(quoted: str) -> None:
    literals = (re.escape(part.strip(" .")) for part in PLACEHOLDER.split(quoted.replace("`", "")))
    # A name such as `log.skey` is a value in a message.
    parts = [NAME.sub(lambda name: f"(?:{name[0]}|{HOLE})", literal.lower()) for literal in literals]
    assert re.search(".*?".join(filter(None, parts)), messages())
