"""The rules of the release: each is about a moment, is in the contract, and keeps its texts."""

from __future__ import annotations

from consumers.programme.campaigns.rules.in_force import release_rules
from consumers.programme.campaigns.rules.rule import MOMENTS
from events.types.catalogue import CATALOGUE
from tests.paths import ROOT

# The hash of what a rule says, by name and version: add a line for a new version, and change none.
KNOWN = {
    ("group-completed", 1): "af5bc633e4a79efd50a0f0e90c3cfed128859d56415f720e1d3b62e9ba2a8884",
    ("initiative-announced", 1): "141a616d97c83b639f3d8b9f8bcd3738d13d3b2ee0687f58c4c1f7749398d4f3",
    ("quota-met", 1): "01a64e161098f2f4739192c6dfa11485b002db341a6922334a281637da3894aa",
    ("service-launched", 1): "6ee52430b2495164be93cbaaca9257b528a38a1a3d54206ff4dfa287755118ae",
}


def test_the_default_rules_are_those_of_the_contract() -> None:
    contract = (ROOT / "docs" / "events.md").read_text(encoding="utf-8").partition("## 6.")[2]
    names = [rule.name for rule in release_rules().rules]
    assert {name for name, _ in KNOWN} <= {*names}, "a rule of the release stays: campaigns in the log name it"
    assert not [name for name in names if f"`{name}`" not in contract], "describe it in docs/events.md §6"
    for rule in release_rules().rules:
        assert (rule.channels, rule.due_working_days) == (("tv", "radio", "print"), 10)

    assert MOMENTS.keys() - CATALOGUE.keys() == {"group-completed", "quota-met", "not-aired"}


def test_a_version_of_a_rule_never_says_something_else() -> None:
    found = {(rule.name, rule.version): rule.sha256 for rule in release_rules().rules}
    assert found.items() <= KNOWN.items(), "raise `version` in the rule's file, then add its line to KNOWN"
