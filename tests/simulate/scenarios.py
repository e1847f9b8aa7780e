"""The scenarios by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tests.simulate.applying import Applying
from tests.simulate.committing import Committing
from tests.simulate.deciding import Deciding
from tests.simulate.delivering import Delivering
from tests.simulate.numbering import Registering
from tests.simulate.receiving import Receiving
from tests.simulate.restoring import Restoring
from tests.simulate.rotating import Rotating
from tests.simulate.swapping import Swapping
from tests.simulate.worlds import Scenario

SCENARIOS: Final[Mapping[str, Callable[[], Scenario]]] = {
    "registrar": Registering,
    "revenue": Applying,
    "rotation": Rotating,
    "gateway": Receiving,
    "delivery": Delivering,
    "campaigns": Deciding,
    "restore": Restoring,
    "commitments": Committing,
    "swap": Swapping,
}
