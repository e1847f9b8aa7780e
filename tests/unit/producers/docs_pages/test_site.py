"""The documentation is whole and leads nowhere else."""

from __future__ import annotations

import html
import re
from functools import cache

import orjson
import pytest

from events.faults.problems import CODES
from events.schema_tools.schema_documents import schema_of
from events.types.catalogue import CATALOGUE
from events.values.bilingual import LANGUAGES, Language
from infra.http.problems import REQUEST_CODES
from infra.http.prose import PARSER
from producers.docs_pages.openapi import Operation, operations_of
from producers.docs_pages.pages import event_page, example_path, problem_page, schema_path
from producers.docs_pages.site import localized
from producers.docs_pages.writer import Writer, prose_pages
from tests.every import every
from tests.unit.producers.docs_pages.pages import PageReader, site
from tests.world.gateways import openapi

ARABIC = re.compile("[\u0600-\u06ff]")
served = cache(site)


@cache
def addresses() -> frozenset[str]:
    return frozenset(served().paths)


@cache
def html_pages() -> list[str]:
    return [path for path in served().paths if served().page(path).media_type.startswith("text/html")]


def neutral() -> list[str]:
    """The addresses that name no language."""
    return [path for path in html_pages() if not path.startswith(("/docs/ar", "/docs/en"))]


@cache
def found_in(path: str) -> PageReader:
    return PageReader(served().page(path).body)


def text(path: str, language: Language = "en") -> str:
    return served().page(path, language).body.decode()


def test_every_type_has_a_page_a_schema_and_an_example_and_every_code_a_page() -> None:
    for name in CATALOGUE:
        assert {event_page(name), schema_path(name), example_path(name)} <= addresses()
    assert {problem_page(code) for code in (*CODES, *REQUEST_CODES)} <= addresses()
    assert len({operation.page for operation in operations()}) == len(operations())


@every("path", html_pages)
def test_a_page_needs_no_script_and_leads_to_pages_of_its_language_but_for_the_switch(path: str) -> None:
    found = found_in(path)
    assert not {"script", "style", "iframe"} & found.tags
    assert {"h1", "main", "nav"} <= found.tags
    other = "/docs/ar" if served().page(path).language == "en" else "/docs/en"
    assert sum(target.startswith(other) for target in found.targets) == 2
    assert {target.partition("#")[0] for target in found.targets} - {"data:,", ""} <= addresses()
    for pre in re.findall(r"<pre[^>]*>", text(path)):
        assert all(part in pre for part in ('tabindex="0"', 'role="region"', 'aria-label="')), "reached by keyboard"


@every("path", neutral)
def test_a_page_has_an_address_in_each_language_and_leads_to_the_other(path: str) -> None:
    languages: tuple[tuple[Language, str, Language], ...] = (("ar", "rtl", "en"), ("en", "ltr", "ar"))
    for language, direction, other in languages:
        page = served().page(localized(path, language))
        assert (page, page.language) == (served().page(path, language), language)
        found = PageReader(page.body)
        assert (found.attributes["html"]["lang"], found.attributes["html"]["dir"]) == (language, direction)
        assert f'<a class="switch" href="{localized(path, other)}"'.encode() in page.body


# The switch is in Arabic; what is in `code` and `pre` is what is typed.
KEPT = re.compile(r'<a class="switch".*?</a>|<pre.*?</pre>|<code.*?</code>|<em lang="en" dir="ltr">.*?</em>', re.DOTALL)


@every("path", neutral)
def test_an_english_page_has_no_arabic_and_an_arabic_page_no_english_sentence(path: str) -> None:
    assert not ARABIC.search(KEPT.sub("", text(path, "en")))
    words = re.sub(r"<[^>]*>", " ", KEPT.sub("", text(path, "ar").partition("<main")[2].partition("</main>")[0]))
    assert ARABIC.search(words)
    assert not re.search(r"(\b[a-z]{2,}\b[ ,;]+){4}", words)


def test_a_types_page_says_who_what_and_what_contradicts() -> None:
    page = text(event_page("revenue.paid-out"), "ar") + text(event_page("revenue.paid-out"), "en")
    for words in (
        "sa.gov.yesser.revenue.paid-out.v1",
        "دُفع للشريك من مستحقاته.",
        "The partner was paid from what is owed.",
        "partnership/{partnership_id}",
        "the owning agency",
        "amount_halalas",
        "The amount paid, in halalas.",
        "exceeds-payable",
        "أكثر من المستحق للشريك.",
        "/schemas/revenue.paid-out.v1.json",
    ):
        assert words in page or words.replace("'", "&#39;") in page, words
    assert f'curl -sS "$YESSER_GATEWAY{example_path("revenue.paid-out")}"' in html.unescape(page)


@every("name", CATALOGUE)
def test_a_types_page_has_a_row_for_every_member_and_offers_what_agencies_say_for_trying(name: str) -> None:
    page = text(event_page(name))
    assert ("curl" in page) is (CATALOGUE[name].sender != "platform")
    (data,) = (part for key, part in schema_of(name)["$defs"].items() if key == CATALOGUE[name].model.__name__)
    for field in data["properties"]:
        assert f"<code>{field}</code>" in page


def test_a_refusals_page_shows_the_fault_where_it_is_and_the_remedy_and_no_markup() -> None:
    page = text(problem_page("date-out-of-range"))
    for words in ("/data/on", "1427-02-01", "Use a date within"):
        assert words in page
    assert "&quot;service_id&quot;" in text(problem_page("not-json"))


@every("language", LANGUAGES)
@every("path", prose_pages().values())
def test_a_link_to_a_heading_finds_it_in_the_page_of_the_same_language(path: str, language: Language) -> None:
    address = localized(path, language)
    for target in found_in(address).targets:
        page, hash_sign, heading = target.partition("#")
        assert not hash_sign or f'id="{heading}"' in served().page(page or address).body.decode(), target


def test_the_asyncapi_page_names_every_channel_and_links_the_messages() -> None:
    page = text("/docs/asyncapi")
    for address in ("agency.{code}.events", "yesser.log", "yesser.campaign-triggers"):
        assert address in page
    targets = set(found_in("/docs/en/asyncapi").targets)
    assert {localized(event_page(name), "en") for name in CATALOGUE} <= targets


@cache
def operations() -> list[Operation]:
    return operations_of(openapi())


@every("operation", operations)
def test_the_page_of_an_operation_shows_all_of_it(operation: Operation) -> None:
    assert localized(operation.page, "en") in found_in("/docs/en/api").targets
    shown, part = html.unescape(text(operation.page)), operation.part
    assert f"<code>{operation.name}</code>" in shown
    for parameter in part.get("parameters", ()):
        assert f"<code>{parameter['name']}</code>" in shown
    for status, response in part["responses"].items():
        assert status in shown
        assert response["description"].replace("`", "") in re.sub(r"</?code>", "", shown)
    for body in part.get("requestBody", {}).get("content", {}).values():
        assert orjson.dumps(body["example"], option=orjson.OPT_INDENT_2).decode() in shown
    assert '"$YESSER_GATEWAY/' in shown
    assert ("$YESSER_TOKEN" in shown) == bool(part["security"])


def test_every_page_is_markdown_too_with_links_to_markdown_and_programs_have_a_list_of_them() -> None:
    page = served().page("/docs/en/events/service.launched.md")
    assert (page.media_type, page.language) == ("text/markdown; charset=utf-8", "en")
    assert page.body.startswith(b"# A service was launched")
    assert b"](/docs/en/events.md)" in page.body
    assert b"](/docs/ar/files.md)" in served().page("/docs/ar/gateway.md").body
    assert '<link rel="alternate" type="text/markdown" href="/docs/en/files.md">' in text("/docs/files")
    with pytest.raises(KeyError):
        served().page("/docs/files.md")
    listed = re.findall(r"\]\(([^)]+)\)", served().page("/llms.txt").body.decode())
    assert {f"/docs/en{path.removeprefix('/docs')}.md" for path in prose_pages().values()} < set(listed)
    assert set(listed) < addresses()


def test_a_sentence_of_the_catalogue_is_text_whatever_is_in_it() -> None:
    words = "a `code`, *b*, [c](d), <e> & x_y \\"
    assert PARSER.renderInline(Writer("en", str, {}).label("", words)) == html.escape(words, quote=False)
