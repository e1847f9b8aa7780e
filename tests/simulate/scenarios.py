"""The scenarios by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tests.simulate.applying import Applying
from tests.simulate.numbering import Registering
from tests.simulate.rotating import Rotating
from tests.simulate.swapping import Swapping
from tests.simulate.worlds import Scenario

SCENARIOS: Final[Mapping[str, Callable[[], Scenario]]] = {
    "registrar": Registering,
    "revenue": Applying,
    "rotation": Rotating,
    "swap": Swapping,
}
PRINCIPALS: Final = ("superuser", "registrar", "revenue", "operator")
"""Who logs in to PostgreSQL in them."""
