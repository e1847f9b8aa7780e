"""What the OpenAPI document says of the answers of these routes. A test compares real answers with it."""

from __future__ import annotations

from typing import Final

from consumers.documents.ledger.figures import ExplainedFigure
from consumers.documents.ledger.forecasts import Forecast, WhatIf
from consumers.documents.ledger.ledger import Account, Transfer
from consumers.documents.ledger.periods import OpenPeriod, RevenuePeriod
from consumers.documents.ledger.statements import WorkingAndDays
from consumers.documents.openapi import schema_of
from infra.http.documents import answer

OPEN_PERIODS: Final = answer("Open periods by partnership.", schema_of(list[OpenPeriod]))
PERIODS: Final = answer("Periods in order.", schema_of(list[RevenuePeriod]))
FORECAST: Final = answer("The shape of `yesser ledger forecast --json`.", schema_of(Forecast))
WHAT_IF: Final = answer("The shape of `yesser ledger what-if --json`.", schema_of(WhatIf))
WORKING: Final = answer(
    "The shape of `yesser ledger statement --working --json`, and lines by day and band.", schema_of(WorkingAndDays)
)
EXPLAINED: Final = answer("The shape of `yesser ledger explain --json`.", schema_of(ExplainedFigure))
ACCOUNTS: Final = answer("Accounts by name.", schema_of(list[Account]))
ACCOUNT_TRANSFERS: Final = answer("Transfers in log order.", schema_of(list[Transfer]))
