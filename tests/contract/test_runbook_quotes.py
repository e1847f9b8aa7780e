"""The platform prints every message that the runbook quotes: the console finds the entry of a halt by these words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from consumers.console.pages.operations.runbook import FILES, PLACEHOLDER, QUOTED
from tests.every import every
from tests.paths import product_modules, syntax_of

HOLE: Final = "\0"
"""What a message says of the moment: a number, a name, a file."""
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
def messages() -> list[str]:
    """All texts of the platform, with holes where values go."""
    return [text for file in product_modules() for text in _texts(file)]


def _texts(file: Path) -> Iterator[str]:
    for node in ast.walk(syntax_of(file)):
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else HOLE for part in node.values)
            yield " ".join("".join(map(str, parts)).split())
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield " ".join(node.value.split())


@every("quoted", quotes())
def test_the_platform_says_so(quoted: str) -> None:
    # A name such as `log.skey` is a value in a message.
    parts = [
        re.sub(r"\b(?:log|yesser|platform)\\\.\w+", lambda name: f"(?:{name[0]}|{HOLE})", re.escape(part.strip(" .")))
        for part in PLACEHOLDER.split(quoted.replace("`", ""))
    ]
    said = re.compile(".*?".join(parts), re.IGNORECASE | re.DOTALL)
    assert any(said.search(message) for message in messages())
