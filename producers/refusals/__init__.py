"""Refused records: list, correct and send again. Way in: `commands` (`yesser refusals`)."""
