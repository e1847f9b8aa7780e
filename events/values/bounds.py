"""How many items and members an event may have (contract §1), so that validating any record costs little.

They apply where a record is validated, never where the log is read: it also holds the events of earlier releases.
"""

from __future__ import annotations

from typing import Final

MEMBERS_MAX: Final = 64
"""Most members of any object, the event itself included."""

CHANNELS_MAX: Final = 10
PARTNERS_MAX: Final = 100
PHASES_MAX: Final = 50
SERVICES_MAX: Final = 200
BANDS_MAX: Final = 50
EXPECTED_MAX: Final = 400
FAULTS_MAX: Final = 100
"""Most faults that a refusal lists: the first by pointer, then by code."""
