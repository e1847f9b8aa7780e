"""What each page keeps to, read from its HTML alone: no browser is needed to see a field without a label.

The sources of the rules are WCAG 2.2 AA and the policy of `consumers/console/web/security.py`, under which no inline
script runs. What depends on how a page is laid out or painted is checked in a browser (`tests/browser`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

TEXT_MIN: Final = 20
"""Characters of a page's main part, as the server sends it: a page reads without script."""
_VOID: Final = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
_DIRECTIONS: Final = {"ar": "rtl", "en": "ltr"}
_HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}
_REFERENCES: Final = ("for", "form", "list", "aria-labelledby", "aria-describedby", "aria-controls")
_NAMELESS: Final = frozenset({"here", "click here", "more", "هنا", "اضغط هنا", "المزيد"})
_FIELDS: Final = frozenset({"input", "select", "textarea"})
_UNLABELLED: Final = frozenset({"hidden", "submit", "button", "image", "reset"})
_ADDRESSES: Final = frozenset({"href", "src", "action", "formaction"})


@dataclass(slots=True)
class Element:
    """A tag with what it holds. `text` is that of the elements inside too, with the names of pictures."""

    tag: str
    attributes: dict[str, str]
    above: tuple[Element, ...]
    inside: list[Element] = field(default_factory=list)
    text: str = ""

    @property
    def name(self) -> str:
        """What a screen reader calls it, where no other element names it."""
        return (self.attributes.get("aria-label") or self.text or self.attributes.get("title", "")).strip()

    def __str__(self) -> str:
        shown = "".join(f' {name}="{value[:40]}"' for name, value in self.attributes.items())
        return f"<{self.tag}{shown}>{' '.join(self.text.split())[:40]}"


class Document(HTMLParser):
    """The elements of a page, in its order. What is inside a `template` is none of the page yet."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.faults: list[str] = []
        self._open: list[Element] = []
        self.feed(page)
        self.close()
        self.faults += [f"never closed: {element}" for element in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        element = Element(tag, attributes, tuple(self._open))
        if len(attributes) < len(attrs):
            self.faults.append(f"an attribute stands twice: {element}")
        self.elements.append(element)
        for above in self._open:
            above.inside.append(element)
            above.text += attributes.get("alt", "") or (attributes.get("aria-label", "") if tag == "svg" else "")
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1].tag != tag:
            self.faults.append(f"</{tag}> closes {self._open[-1] if self._open else 'nothing'}")
            return
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for above in self._open:
            above.text += data

    def all(self, *tags: str) -> list[Element]:
        return [element for element in self.elements if element.tag in tags]


def faults_of(page: str) -> list[str]:
    """What is wrong with a page of the console; of a page without a fault nothing."""
    document = Document(page)
    checks = (_language, _landmarks, _headings, _ids, _names, _fields, _tables, _forms, _no_script)
    return [*document.faults, *(fault for check in checks for fault in check(document))]


def _language(document: Document) -> Iterator[str]:
    for html in document.all("html"):
        language = html.attributes.get("lang", "")
        if html.attributes.get("dir") != _DIRECTIONS.get(language, "a direction"):
            yield f"the direction is not that of the language: {html}"
    for element in document.elements:
        if element.attributes.get("lang", "ar") not in _DIRECTIONS:
            yield f"an unknown language: {element}"


def _landmarks(document: Document) -> Iterator[str]:
    for tag in ("html", "title", "header", "main", "footer", "h1"):
        if len(document.all(tag)) != 1:
            yield f"{len(document.all(tag))} × <{tag}>"
    for main in document.all("main"):
        if len("".join(main.text.split())) < TEXT_MIN:
            yield f"the page says nothing without script: {main}"
    if [link.attributes.get("href") for link in document.all("a")[:1]] != ["#main"]:
        yield "the first link does not lead to the content"
    for title in document.all("title"):
        if not title.text.partition("–")[0].strip():
            yield f"the title is empty: {title}"
    for nav in document.all("nav"):
        if not nav.attributes.keys() & {"aria-label", "aria-labelledby"}:
            yield f"a navigation without a name: {nav}"


def _headings(document: Document) -> Iterator[str]:
    level = 0
    for heading in document.all(*_HEADINGS):
        if any(above.tag == "template" for above in heading.above):
            continue
        if _HEADINGS[heading.tag] > level + 1:
            yield f"a level is left out above {heading}"
        if not heading.name:
            yield f"an empty heading: {heading}"
        level = _HEADINGS[heading.tag]


def _ids(document: Document) -> Iterator[str]:
    ids = Counter(element.attributes["id"] for element in document.elements if "id" in element.attributes)
    yield from (f"{count} × id {name!r}" for name, count in ids.items() if count > 1 or not name)
    for element in document.elements:
        wanted = [id_ for name in _REFERENCES for id_ in element.attributes.get(name, "").split()]
        address = element.attributes.get("href", "") if element.tag == "a" else ""
        wanted += [address[1:]] if address.startswith("#") and len(address) > 1 else []
        yield from (f"no element has the id {id_!r}: {element}" for id_ in wanted if id_ not in ids)


def _names(document: Document) -> Iterator[str]:
    for element in document.all("a", "button", "summary", "legend", "label", "option"):
        is_value = element.above[-1].tag == "datalist"  # an option of a list that a field proposes is its value
        is_named = element.name or is_value or "aria-labelledby" in element.attributes
        if not is_named or element.name.casefold() in _NAMELESS:
            yield f"it has no name: {element}"
    for image in document.all("img"):
        if "alt" not in image.attributes:
            yield f"an image without a text: {image}"
    for drawing in document.all("svg"):
        if not drawing.attributes.keys() & {"aria-label", "aria-labelledby", "aria-hidden"}:
            yield f"a drawing without a text: {drawing}"
    for element in document.elements:
        if element.attributes.get("role") in ("region", "group", "dialog") and not (
            element.attributes.keys() & {"aria-label", "aria-labelledby"}
        ):
            yield f"a part without a name: {element}"


def _fields(document: Document) -> Iterator[str]:
    labelled = {label.attributes.get("for") for label in document.all("label")}
    for element in document.all(*_FIELDS):
        if element.attributes.get("type") in _UNLABELLED:
            continue
        is_named = element.attributes.keys() & {"aria-label", "aria-labelledby"} or any(
            above.tag == "label" for above in element.above
        )
        if not is_named and element.attributes.get("id", "no id") not in labelled:
            yield f"a field without a label: {element}"
        if "aria-invalid" in element.attributes and "aria-describedby" not in element.attributes:
            yield f"a fault that is not described: {element}"
    for fieldset in document.all("fieldset"):
        if not fieldset.inside or fieldset.inside[0].tag != "legend":
            yield f"a group without a legend: {fieldset}"


def _tables(document: Document) -> Iterator[str]:
    for table in document.all("table"):
        tags = {element.tag for element in table.inside}
        named = {*table.attributes, *table.above[-1].attributes}  # the region that a wide table scrolls in has its name
        if "caption" not in tags and not named & {"aria-label", "aria-labelledby"}:
            yield f"a table without a name: {table}"
        if "th" not in tags:
            yield f"a table without headers: {table}"
    for header in document.all("th"):
        if header.attributes.get("scope") not in ("col", "row", "colgroup", "rowgroup"):
            yield f"a header of nothing: {header}"
        if not header.name:
            yield f"an empty header: {header}"
    for item in document.all("li"):
        if item.above[-1].tag not in ("ul", "ol"):
            yield f"an item of no list: {item}"


def _forms(document: Document) -> Iterator[str]:
    for form in document.all("form"):
        names = {element.attributes.get("name") for element in form.inside}
        if form.attributes.get("method", "get") == "post" and "csrf" not in names:
            yield f"a form without its session's secret: {form}"
        if any(above.tag == "form" for above in form.above):
            yield f"a form in a form: {form}"
        is_of_script = "hidden" in form.attributes
        if not is_of_script and not any(element.tag == "button" for element in form.inside):
            yield f"a form that no button sends: {form}"


def _no_script(document: Document) -> Iterator[str]:
    for element in document.elements:
        if element.tag == "style" or (element.tag == "script" and "src" not in element.attributes):
            yield f"the policy refuses it: {element}"
        for name, value in element.attributes.items():
            is_elsewhere = name == "src" or element.tag == "link"
            if name == "style" or name.startswith("on"):
                yield f"the policy refuses {name}: {element}"
            if name in _ADDRESSES and (
                value.casefold().startswith("javascript:") or (is_elsewhere and not _is_own(value))
            ):
                yield f"{name} is not of this site: {element}"


def _is_own(address: str) -> bool:
    return address.startswith("data:") or (address.startswith("/") and not address.startswith("//"))
