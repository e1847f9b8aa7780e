"""Which rules are in force: those of the release, or those of the folder that a deployment gives instead."""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from typing import Final

from consumers.programme.campaigns.rules.rule import RuleSet
from consumers.programme.campaigns.rules.rule_file import read_folder
from consumers.replay.fold.version import RuleVersion, RuleVersions
from infra.settings import Settings

PACKAGE: Final = "consumers.programme.campaigns.rules"


@cache
def rules_in_force() -> RuleSet:
    """The rules that this process uses until it ends. Raises `InvalidRules`, and reads again when called again."""
    folder = Settings().campaign_rules
    return release_rules() if folder is None else read_folder(folder, own=True)


@cache
def release_rules() -> RuleSet:
    """The rules of this release."""
    with as_file(files(PACKAGE)) as folder:
        return read_folder(folder, own=False)


def versions_of(rules: RuleSet) -> RuleVersions:
    """The versions of a set, as stored with the consumer's position."""
    return RuleVersions(
        version=rules.version,
        rules={rule.name: RuleVersion(rule.version, rule.sha256, rule.file) for rule in rules.rules},
        own=rules.own,
    )
