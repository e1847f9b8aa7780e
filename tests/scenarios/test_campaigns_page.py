"""The page for press officers, followed to the letter: each command of its transcript prints what the page shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.isolates import without_isolates
from tests.paths import ROOT
from tests.scenarios.reader import TIMEOUT_S, bash, readers_shell, shell_blocks

pytestmark = [pytest.mark.stack, pytest.mark.accept, pytest.mark.timeout(TIMEOUT_S)]

PAGE = ROOT / "docs" / "campaigns.md"
MARK = "=== next command ==="


def transcript(page: Path) -> list[tuple[str, str]]:
    """The commands that are typed, and what the page says that each prints."""
    steps = []
    for block in re.findall(r"^```console\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, output = re.fullmatch(r"((?:[^\n]*\\\n)*[^\n]*\n)(.*)", step, re.DOTALL).groups()  # type: ignore[union-attr]
            steps.append((command, output))
    return steps


def alike(text: str) -> str:
    """The text as people see it, with 0 for each number and one date in words for any; without widths: these differ."""
    numbers = re.sub(r"\s+", " ", re.sub(r"─+", "─", re.sub(r"\d+", "0", without_isolates(text)))).strip()
    return re.sub(r"\S+ 0 \S+ 0 (?:م )?\(0 [^)]*\)", "DATE", numbers)


def script(prelude: str, commands: list[str]) -> str:
    """One shell for all; a command may answer *no* (exit code 1)."""
    typed = [f"{{ {command.rstrip()}\n}} || [ $? -eq 1 ]\necho {shlex.quote(MARK)}\n" for command in commands]
    return "".join([prelude, f"echo {shlex.quote(MARK)}\n", *typed])


def test_a_press_officer_does_everything_by_commands_and_sees_what_the_page_shows() -> None:
    steps = transcript(PAGE)
    assert [command.split()[2] for command, _ in steps if command.startswith("yesser")] == [
        *("inbox", "ack", "show", "ack", "air", "air", "air", "inbox", "complete", "inbox", "coverage", "correct"),
    ]
    campaign = steps[0][1].split("service-launched.")[1].split()[0]
    (prelude,) = [block for block in shell_blocks(PAGE) if "sandbox up" in block]
    with readers_shell() as environment:
        first = bash(prelude + "yesser campaigns list --json", environment)
        assert first.returncode == 0, first.stderr
        actual = first.stdout.rpartition('"service-launched.')[2].partition('"')[0]
        commands = [
            command.replace(f"service-launched.{campaign}", f"service-launched.{actual}") for command, _ in steps
        ]
        # The corrected airing's entry is as far from the campaign's cause as on the page.
        shift = int(actual[1:]) - int(campaign[1:])
        commands = [re.sub(rf"(?<={actual} )\d+", lambda found: str(int(found[0]) + shift), one) for one in commands]
        result = bash(script('eval "$(yesser sandbox env)"\n', commands), environment)
    assert result.returncode == 0, result.stdout + result.stderr
    printed = result.stdout.split(f"{MARK}\n")[1:-1]
    for (command, shown), found in zip(steps, printed, strict=True):
        assert alike(found) == alike(shown), command
