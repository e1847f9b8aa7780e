"""What is said of a commitment: a wrong one is an alarm until a person ends it, one of another version is none."""

from __future__ import annotations

import dataclasses

from msgspec.structs import replace

from consumers.documents.log.commitments import Claim, Status
from consumers.proof.commitments.claims import Acknowledgement, RowsVersion, status_of
from consumers.replay.fold.table_hash import TableHash
from consumers.replay.fold.version import FoldVersion
from tests.every import every

OWN = FoldVersion(7, "a" * 64)
EARLIER = FoldVersion(7, "b" * 64)
CLAIM = Claim(1_000, "campaigns.evaluation", 900, 5, "0" * 64, OWN.label)
OTHER = TableHash("evaluation", 5, "1" * 64)
SAME = TableHash("evaluation", 5, "0" * 64)
ROWS = RowsVersion(OWN, 500)
KNOWN = Acknowledgement(1_200, CLAIM.name, CLAIM.index, {"ar": "سبب", "en": "why"})


NAMELESS = replace(CLAIM, fold_version=None)
LOG_KEYS = Claim(1_000, "log-keys", 900, 1, "0" * 64, None)


def test_what_the_log_gives_matches_whatever_version_it_is_of() -> None:
    for version in (OWN.label, EARLIER.label, None):
        assert status_of(replace(CLAIM, fold_version=version), SAME, OWN, ROWS) is Status.MATCHES


@every("live", [None, ROWS, RowsVersion(OWN, 5_000), RowsVersion(EARLIER, 0)])
def test_one_of_the_same_version_that_differs_is_wrong(live: RowsVersion | None) -> None:
    assert status_of(CLAIM, OTHER, OWN, live) is Status.WRONG
    assert status_of(CLAIM, None, OWN, live) is Status.WRONG


@every("version", [EARLIER.label, "6-bbbbbbbbbbbb"])
@every("live", [None, RowsVersion(OWN, 900), RowsVersion(EARLIER, 0)])
def test_one_of_another_version_that_differs_cannot_be_compared(version: str, live: RowsVersion | None) -> None:
    assert status_of(replace(CLAIM, fold_version=version), OTHER, OWN, live) is Status.EARLIER_VERSION


def test_one_that_names_no_version_differs_without_alarm_only_where_the_fold_has_changed_since() -> None:
    assert status_of(NAMELESS, OTHER, OWN, RowsVersion(OWN, 900)) is Status.EARLIER_VERSION
    for live in (RowsVersion(OWN, 899), RowsVersion(OWN, 0), None):
        assert status_of(NAMELESS, OTHER, OWN, live) is Status.WRONG
    assert status_of(LOG_KEYS, TableHash("log-keys", 1, "1" * 64)) is Status.WRONG
    assert status_of(LOG_KEYS, TableHash("log-keys", 1, "0" * 64)) is Status.MATCHES


def test_no_name_of_another_version_hides_a_changed_row_or_one_that_was_not_there_yet() -> None:
    """The live rows are of this version since entry 500, and the commitment is to what they were at 900."""
    for version in (EARLIER.label, "99-000000000000", None):
        assert status_of(replace(CLAIM, fold_version=version), OTHER, OWN, ROWS) is Status.WRONG
    later = replace(CLAIM, log_index=1_001, fold_version=EARLIER.label)
    assert status_of(later, None, OWN, RowsVersion(OWN, 5_000)) is Status.WRONG


def test_a_wrong_one_is_no_alarm_once_it_is_acknowledged() -> None:
    assert status_of(CLAIM, OTHER, OWN, ROWS, [KNOWN]) is Status.ACKNOWLEDGED
    assert status_of(CLAIM, SAME, OWN, ROWS, [KNOWN]) is Status.MATCHES
    for other in ({"commitment_index": 999}, {"name": "campaigns.campaign"}, {"index": 1_000}):
        assert status_of(CLAIM, OTHER, OWN, ROWS, [dataclasses.replace(KNOWN, **other)]) is Status.WRONG
