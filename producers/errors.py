"""Errors of publishing; the class decides the reaction (see `events.errors`)."""

from __future__ import annotations

from events.errors import Reject, Retry, YesserError


class OutcomeUnknown(Retry):
    """No acknowledgement arrived in time: the records may or may not be stored. Publish the same events again."""


class RecordsLost(Retry):
    """Records were removed from the topic, or replaced, before they were read: publish the same events again."""


class NotAccepted(Reject):
    """The broker refuses these records: check the topic and the credentials."""


class RegistrationFailed(YesserError):
    """An agency could not be registered; the message gives the reason."""


class TopicHalted(YesserError):
    """The registrar has stopped reading this agency's topic: its records get no verdict until it is repaired."""
