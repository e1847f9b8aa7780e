"""Why publishing stops; the class tells what to do (see `events.errors`)."""

from __future__ import annotations

from events.errors import Reject, Retry, YesserError


class OutcomeUnknown(Retry):
    """No acknowledgement came in time: the records may or may not be stored. Publish the same events again."""


class NotAccepted(Reject):
    """The broker does not take these records: look at the topic and at the credentials."""


class RegistrationFailed(YesserError):
    """An agency could not be registered; the message says why."""


class WrongInput(YesserError):
    """A file that was given to the command does not fit: nothing was sent."""
