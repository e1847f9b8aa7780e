"""The release's number, which `pyproject.toml` says, and what changelog and upgrade guide say of each release."""

from __future__ import annotations

import gzip
import re
from importlib.metadata import version

import orjson

from infra.deployment_files import release
from producers.docs_pages.site import Site
from tests.paths import DATA, ROOT
from tests.world.earlier_releases import EARLIER
from tests.world.gateways import openapi


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


CHANGELOG, UPGRADE = text_of("CHANGELOG.md"), text_of("docs/upgrade.md")
RELEASES = re.findall(r"^## \[([\d.]+)\] – \d{4}-\d\d-\d\d$", CHANGELOG, re.MULTILINE)
MIGRATIONS = dict(re.findall(r"^\| ([\d.]+) \| `(\d{4}_\w+\.sql)` \|", UPGRADE, re.MULTILINE))
"""Release → the newest migration that it has."""


def test_every_place_that_says_the_release_says_the_same() -> None:
    assert version("yesser-events") == release(), "the installed metadata is another release's: run `make setup`"
    assert f'org.opencontainers.image.version="{release()}"' in text_of("Containerfile")
    site = Site(openapi)
    for document in ("/openapi.json", "/asyncapi.json"):
        assert orjson.loads(site.page(document).body)["info"]["version"] == release(), document
    assert f"<bdi>{release()}</bdi>" in site.page("/docs").body.decode()


def test_the_changelog_begins_with_this_release_and_goes_back_one_release_at_a_time() -> None:
    assert RELEASES[0] == release(), f"write what {release()} changes into CHANGELOG.md"
    numbers = [tuple(map(int, name.split("."))) for name in RELEASES]
    assert numbers == sorted(numbers, reverse=True)
    assert len(CHANGELOG.splitlines()) <= 60, "CHANGELOG.md has 60 lines at most: shorten what it says of old releases"


def test_the_upgrade_guide_has_each_release_and_a_way_from_each_earlier_one() -> None:
    assert list(MIGRATIONS) == RELEASES, "the table `Releases` of docs/upgrade.md has a row for each of CHANGELOG.md"
    steps = re.findall(r"^## From ([\d.]+)$", UPGRADE, re.MULTILINE)
    earlier = [name for name in RELEASES if name.endswith(".0")][1:]
    assert steps == [name.removesuffix(".0") for name in earlier], (
        "docs/upgrade.md has a section `## From` for each earlier release, the newest first"
    )
    untried = set(earlier) - {*EARLIER.values(), *(f"{number}.0" for number, _ in dumps())}
    assert not untried, f"no test upgrades from {untried}: add its last commit to tests/world/earlier_releases.py"


def dumps() -> list[tuple[str, str]]:
    """Each release whose database is test data, and the dump."""
    return [
        (path.name.removeprefix("database-").removesuffix(".sql.gz"), gzip.decompress(path.read_bytes()).decode())
        for path in DATA.glob("database-*.sql.gz")
    ]


def test_the_upgrade_guide_says_the_newest_migration_of_each_release() -> None:
    migrations = sorted(path.name for path in (ROOT / "infra/migrations").glob("*.sql"))
    assert MIGRATIONS.get(release()) == migrations[-1], (
        "name the newest migration in docs/upgrade.md, in the row of this release; a release that is out is not changed"
    )
    assert sorted(MIGRATIONS.values(), reverse=True) == list(MIGRATIONS.values())
    assert set(MIGRATIONS.values()) <= set(migrations)
    for number, dump in dumps():
        applied = re.findall(r"'(\d{4}_\w+\.sql)'", dump)
        assert MIGRATIONS[f"{number}.0"] == max(applied)
