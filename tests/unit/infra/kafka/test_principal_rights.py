"""The platform's Kafka users and consumer groups: a group's offsets belong to the agency whose name it has."""

from __future__ import annotations

from infra.kafka.rights import Resource, agency_rights, principal_rights
from infra.settings import Settings


def test_no_user_of_the_platform_has_a_right_to_a_consumer_group() -> None:
    assert [right for right in principal_rights(Settings()) if right.resource is Resource.GROUP] == []


def test_an_agency_has_groups_of_its_own_name_only() -> None:
    groups = [right.prefix for right in agency_rights("moi", Settings()) if right.resource is Resource.GROUP]
    assert groups == ["agency.moi."]
