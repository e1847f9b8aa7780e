"""No type of the catalogue is forgotten by the consumers: it is applied, or it is listed here as only counted."""

from __future__ import annotations

from consumers.programme.campaigns.consumer import _HANDLERS as CAMPAIGNS
from consumers.programme.projections.consumer import CERTIFIED
from consumers.programme.projections.consumer import HANDLERS as PROJECTIONS
from consumers.revenue.consumer import HANDLERS as REVENUE
from events.types.catalogue import CATALOGUE

ONLY_COUNTED = {
    "canary.sent",
    "registry.agency-suspended",
    "registry.agency-resumed",
    "registry.text-withheld",
    "registrar.catalogue-adopted",
    "registrar.refused",
    "projection.committed",
    "projection.commitment-acknowledged",
}
"""Events about the platform's own work: no read model depends on them. The registrar applies those of `registry`."""


def test_every_type_is_applied_by_a_consumer() -> None:
    applied = {CERTIFIED, *PROJECTIONS, *CAMPAIGNS, *REVENUE}
    forgotten = [name for name in CATALOGUE if name not in applied | ONLY_COUNTED]
    assert not forgotten, (
        f"no consumer applies {forgotten}: add a handler (CONTRIBUTING.md), or list it in ONLY_COUNTED"
    )
    assert applied <= set(CATALOGUE)
    assert not applied & ONLY_COUNTED
