"""The oracle knows every type, and gives each the sender and subject of the contract.

Ownership is no part of the form: the oracle has `agency` where the catalogue has `owner`.
"""

from __future__ import annotations

from events.types.catalogue import CATALOGUE
from tests.oracle.catalogue import TYPES


def test_the_oracle_has_every_type_with_the_sender_of_the_catalogue() -> None:
    missing = [name for name in CATALOGUE if name not in TYPES]
    assert not missing, f"add {missing} to tests/oracle/catalogue.py, from the text of docs/events.md §2"
    assert {name: rule.who for name, rule in TYPES.items()} == {
        name: "agency" if row.sender == "owner" else row.sender for name, row in CATALOGUE.items()
    }
