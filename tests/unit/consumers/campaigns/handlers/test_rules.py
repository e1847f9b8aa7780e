"""Every campaign rule is evaluated somewhere, and stands in the contract."""

from __future__ import annotations

import ast
import inspect

from consumers.campaigns import consumer
from consumers.campaigns.handlers.rules import DEFAULT_RULES
from tests.paths import ROOT


def evaluated() -> set[str]:
    """The rules that a handler of the consumer asks by name."""
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(consumer))) if isinstance(node, ast.Call)]
    inputs = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "RuleInput"]
    return {ast.literal_eval(word.value) for call in inputs for word in call.keywords if word.arg == "rule"}


def test_every_rule_is_evaluated_by_a_handler() -> None:
    names = {rule.name for rule in DEFAULT_RULES}
    idle = names - evaluated()
    assert not idle, f"evaluate {idle} where its cause takes effect: `ask(RuleInput(rule=…))` in {consumer.__name__}"
    unknown = evaluated() - names
    assert not unknown, f"add {unknown} to DEFAULT_RULES in consumers/campaigns/handlers/rules.py"


def test_every_rule_stands_in_the_contract() -> None:
    contract = (ROOT / "docs" / "events.md").read_text(encoding="utf-8").partition("## 6.")[2]
    missing = [rule.name for rule in DEFAULT_RULES if f"`{rule.name}`" not in contract]
    assert not missing, f"describe {missing} in docs/events.md §6"
