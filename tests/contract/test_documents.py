"""What the documents say is there: make targets, files; links; and the first events are accepted."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import orjson

from events.validation.verdicts import Agency
from infra.event_files.lint import lint
from infra.event_files.ndjson import Line
from infra.event_files.table_lines import mapped_lines
from infra.http.prose import heading_anchor
from infra.kafka.client_config import refuse_plain_kafka
from infra.principals import CONSUMERS, PRINCIPALS
from infra.secret_files import CONSOLE_KEY, ENDPOINT_KEY, OIDC_KEY
from infra.settings import Settings
from infra.tables.mapping import read_mapping
from infra.tls.client import postgres_context
from tests.every import every
from tests.paths import ROOT
from tests.world.events import FIRST_DAY_AHEAD

DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")] if path.is_file()
)


def text_of(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def blocks(document: str) -> list[str]:
    """The fenced blocks of shell lines."""
    return re.findall(r"^```sh\n(.*?)^```", text_of(document), re.MULTILINE | re.DOTALL)


def snippets(document: str) -> list[str]:
    """Shell lines in fenced blocks, and what stands between back-quotes."""
    lines = [line for block in blocks(document) for line in block.splitlines()]
    return lines + re.findall(r"`([^`\n]+)`", text_of(document))


def services_of(document: str) -> Iterator[dict[str, str]]:
    """The settings of services that a block or a code in a text gives together; not what the shell computes."""
    for block in blocks(document):
        yield dict(
            re.findall(r"^YESSER_(\w+)=(?!\$\()(.*)", "\n".join(shlex.split(block, comments=True)), re.MULTILINE)
        )
    yield from ({"POSTGRES": address} for address in re.findall(r"`(postgresql://[^`]+)`", text_of(document)))


@cache
def make_targets() -> frozenset[str]:
    return frozenset(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))


@every("document", DOCUMENTS)
def test_the_services_that_a_document_names_are_reached_as_it_says(document: str) -> None:
    for given in services_of(document):
        settings = Settings(kafka=given.get("KAFKA"), kafka_security=given.get("KAFKA_SECURITY", "SASL_PLAINTEXT"))
        refuse_plain_kafka(settings)
        for address in (given[name] for name in ("POSTGRES", "OUTBOX_POSTGRES") if name in given):
            postgres_context(settings, address, {})


@every("document", DOCUMENTS)
def test_every_make_target_and_file_that_a_document_names_exists(document: str) -> None:
    targets = {match for line in snippets(document) for match in re.findall(r"^make ([a-z-]+)", line)}
    assert targets <= make_targets()
    files = re.findall(r"`((?:docs|events|infra|producers|consumers|tests)/[\w./-]+)`", text_of(document))
    gone = [path for path in files if "NAME" not in path and not (ROOT / path).exists()]
    assert document == "CHANGELOG.md" or not gone, f"{document} names {gone}, which are not there"


@every("document", DOCUMENTS)
def test_every_link_leads_to_a_file_and_to_a_heading_of_it(document: str) -> None:
    text, here = text_of(document), ROOT / document
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", text)
    assert [link for link in links if "://" not in link and not (here.parent / link).exists()] == []
    anchors = re.findall(r"\]\(([^):#]*\.md|)#([^)]+)\)", text)
    gone = [(page, name) for page, name in anchors if name not in headings(here.parent / page if page else here)]
    assert not gone


def headings(page: Path) -> set[str]:
    """The anchors of a page. Those of an Arabic page are those of the English one."""
    english = page.parent.parent / page.name if page.parent.name == "ar" else page
    lines = re.findall(r"^#+ (.*)$", english.read_text(encoding="utf-8"), re.MULTILINE)
    return set(map(heading_anchor, lines))


def test_the_page_on_rights_says_what_each_principal_does_and_where_its_secrets_are() -> None:
    table = text_of("docs/security.md").partition("## Database roles")[0]
    missing = [name for name in PRINCIPALS if f"`{name}`" not in table]
    assert not missing, f"the first table of docs/security.md says what each principal does: add {missing}"
    for page in ("containers", "kubernetes", "standby"):
        missing = [name for name in CONSUMERS if not re.search(rf"[ ,]{name}[ ,}}]", text_of(f"docs/{page}.md"))]
        assert not missing, f"docs/{page}.md lists whose passwords are needed: add {missing}"
    for page in ("audit", "upgrade"):
        lists_all = any(all(name in line for name in CONSUMERS) for line in text_of(f"docs/{page}.md").splitlines())
        assert lists_all, f"docs/{page}.md lists the consumers in one line: {', '.join(CONSUMERS)}"
    secrets = text_of("docs/security.md").partition("## Secrets")[2]
    names = ("/".join(reversed(CONSOLE_KEY)), f"delivery/{ENDPOINT_KEY}", "delivery/smtp", f"console/{OIDC_KEY}")
    assert [name for name in names if f"`secrets/{name}`" not in secrets] == []


def test_the_readme_fits_on_a_screen_and_the_licence_is_the_packages() -> None:
    assert len(text_of("README.md").splitlines()) <= 60
    assert tomllib.loads(text_of("pyproject.toml"))["project"]["license"] == "Apache-2.0"
    assert "Apache License" in text_of("LICENSE")


def test_the_first_events_and_the_table_of_a_page_are_accepted_as_they_are_published() -> None:
    published = (ROOT / "docs/first-events.ndjson").read_bytes().splitlines()
    events = lint(
        [Line(number, text) for number, text in enumerate(published, 1)], Agency("moh", "agency"), FIRST_DAY_AHEAD
    )
    assert (events.problems, events.accepted) == ([], len(published))
    with (ROOT / "docs/tables/receipts.csv").open("rb") as table:
        lines = list(mapped_lines(table, read_mapping(ROOT / "docs/tables/receipts.toml")))
    assert lint(lines, Agency("moh", "agency"), FIRST_DAY_AHEAD).accepted == 2
    first, second = (orjson.loads(line.text or b"") for line in lines)
    assert (first["id"], first["data"]["amount_halalas"]) == ("receipt-R-1", 125_000), "as the page says"
    assert second["data"]["amount_halalas"] == 9_950
