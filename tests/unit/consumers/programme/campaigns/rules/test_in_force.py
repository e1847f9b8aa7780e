"""Which rules are in force, and how their content enters the fold's version."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from consumers.models.fold_versions import content, rule_files
from consumers.programme.campaigns.consumer import CONSUMER, campaigns_consumer
from consumers.programme.campaigns.rules import in_force
from consumers.programme.campaigns.rules.in_force import release_rules, rules_in_force, versions_of
from consumers.programme.campaigns.rules.rule import MOMENTS, RuleSet
from consumers.programme.campaigns.rules.rule_file import InvalidRules, read_folder
from tests.paths import ROOT

RULES = Path(in_force.__file__).parent


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A deployment's folder with the rules of the release."""
    for path in RULES.glob("*.yaml"):
        shutil.copy(path, tmp_path)
    monkeypatch.setenv("YESSER_CAMPAIGN_RULES", str(tmp_path))
    rules_in_force.cache_clear()
    yield tmp_path
    rules_in_force.cache_clear()


def test_without_a_folder_the_rules_are_those_of_the_release_and_so_is_the_version() -> None:
    assert rules_in_force() == release_rules()
    assert CONSUMER.rows_version == CONSUMER.version


def test_a_folder_replaces_the_rules_of_the_release(folder: Path) -> None:
    (folder / "quota-met.yaml").unlink()
    assert rules_in_force().rules == tuple(rule for rule in release_rules().rules if rule.name != "quota-met")
    assert CONSUMER.rows_version.number == CONSUMER.version.number
    assert CONSUMER.rows_version.sha256 != CONSUMER.version.sha256


def test_faulty_rules_are_read_again_once_they_are_corrected(folder: Path) -> None:
    text = (folder / "quota-met.yaml").read_text(encoding="utf-8")
    (folder / "quota-met.yaml").write_text(text.replace("kind: general", "kind: specific"), encoding="utf-8")
    for _ in range(2):
        with pytest.raises(InvalidRules, match=r"quota-met\.yaml /kind: quota-met is about no service: write general"):
            rules_in_force()
    (folder / "quota-met.yaml").write_text(text, encoding="utf-8")
    assert rules_in_force().rules == release_rules().rules


def test_what_a_rule_says_and_its_version_change_the_folds_version_and_nothing_else_does() -> None:
    first, *others = release_rules().rules
    own = RuleSet((first, *others), own=True)
    versions = {
        campaigns_consumer(lambda rules=rules: rules).rows_version  # type: ignore[misc]
        for rules in (
            own,
            RuleSet((replace(first, file="elsewhere.yaml"), *others), own=True),
            RuleSet((replace(first, version=2), *others), own=True),
            RuleSet((replace(first, sha256="other"), *others), own=True),
            RuleSet(tuple(others), own=True),
        )
    }
    assert len(versions) == 4


def test_a_rule_that_changes_needs_a_higher_version_also_after_it_was_gone() -> None:
    first, *others = release_rules().rules
    rules = RuleSet((replace(first, version=7), *others))
    assert rules.version == versions_of(rules).document()["version"] == 7, "the highest of its rules"
    assert RuleSet(()).version == 1
    kept = versions_of(RuleSet((first, *others))).after({})
    changed = versions_of(RuleSet((replace(first, sha256="other"), *others)))
    assert changed.changed_without_version(kept) == [first.file]
    assert versions_of(RuleSet((replace(first, version=2), *others))).changed_without_version(kept) == []
    gone = versions_of(RuleSet(tuple(others))).after(kept)
    assert changed.changed_without_version(gone) == [first.file]
    assert changed.changed_without_version({}) == []


def test_the_files_are_hashed_as_rules_of_the_fold_by_what_they_say(tmp_path: Path) -> None:
    assert {path.name for path in rule_files([RULES / "rule.py"])} == {rule.file for rule in release_rules().rules}
    path = tmp_path / "rule.yaml"
    path.write_text("# why\na:   1\n", encoding="utf-8")
    assert content(path) == {"a": 1}


def test_the_page_lists_every_moment_with_its_placeholders_and_shows_a_valid_rule(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "campaign-rules.md").read_text(encoding="utf-8")
    (tmp_path / "rule.yaml").write_text(page.partition("```yaml\n")[2].partition("```")[0], encoding="utf-8")
    assert read_folder(tmp_path, own=True).rules[0].urgency == "high"
    rows = {line.split("|")[1]: line for line in page.splitlines() if line.startswith("| `")}
    for name, moment in MOMENTS.items():
        (row,) = [line for names, line in rows.items() if f"`{name}`" in names]
        if "the same" not in row and "those of" not in row:
            assert re.findall(r"`\{([a-z_]+)\}`", row) == list(moment.placeholders), name
    launched = MOMENTS["service.launched"].placeholders
    assert MOMENTS["service.resumed"].placeholders == MOMENTS["service.retired"].placeholders == launched
    assert list(MOMENTS["not-aired"].placeholders) == [*launched, "medium", "days"]
